/**
 * Each fault as an experiment: availability and latency just before it, while it lasted, and just after its heal, on
 * either side of a partition or on the nodes that it struck and the others. The numbers are the verdict document's
 * (`checker/periods.ts` says how long "just" is); here they only find their places on a logarithmic axis.
 */
import { periodOf } from '../facts.ts'
import type { Availability, FaultWindow, Latency, VerdictDocument } from '../../checker/verdict.ts'

/** Before, during or after one fault, for one group of nodes. */
export interface PhaseRow {
  readonly when: 'before' | 'during' | 'after'
  readonly group: string
  readonly availability: Availability
  /** Of ok operations. */
  readonly latency: Latency
}

/** One fault and what it changed. */
export interface FaultPhases {
  readonly fault: FaultWindow
  readonly rows: readonly PhaseRow[]
}

/** All faults that were seen to bite. */
export function phasesOf(document: VerdictDocument): FaultPhases[] {
  return document.faults.filter((fault) => fault.bit).map((fault) => {
    const period = periodOf(fault)
    const groups = groupsOf(document, period)
    const rows = groups.flatMap((group) => (['before', 'during', 'after'] as const).flatMap((when): PhaseRow[] => {
      const name = when === 'during' ? period : `${when} ${period}`
      const availability = document.availability.find((row) => row.period === name && row.group === group)
      const latency = document.latency.find((row) => row.period === name && row.group === group && row.f === 'all')
      return availability === undefined || latency === undefined ? [] : [{ when, group, availability, latency }]
    }))
    return { fault, rows }
  })
}

/** The sides of a partition, or struck nodes and others; all nodes where the fault told none apart. */
function groupsOf(document: VerdictDocument, period: string): string[] {
  const nodes = new Set(document.run?.nodes ?? [])
  const groups = document.availability.filter((row) => row.period === period).map((row) => row.group)
  const parts = groups.filter((group) => group !== 'all' && !nodes.has(group))
  const named = ['majority', 'minority', 'struck', 'others'].filter((group) => parts.includes(group))
  return named.length > 0 ? named : parts.length > 0 && parts.length <= 6 && document.run !== null ? parts : ['all']
}

/** A logarithmic axis for latencies: whole decades around all of them. */
export interface LatencyAxis {
  readonly from_ms: number
  readonly to_ms: number
  readonly decades: readonly number[]
}

/** The axis that all faults of a configuration share; undefined where nothing succeeded. */
export function latencyAxis(phases: readonly FaultPhases[]): LatencyAxis | undefined {
  const values = phases.flatMap(({ rows }) => rows.flatMap(({ latency }) => [latency.p50_ms, latency.p999_ms])).filter((value): value is number => value !== null && value > 0)
  if (values.length === 0) return undefined
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return { from_ms: 10 ** low, to_ms: 10 ** high, decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) }
}

/** The place of a latency on the axis, 0 to 1. */
export function onAxis(axis: LatencyAxis, ms: number): number {
  return Math.min(1, Math.max(0, Math.log(ms / axis.from_ms) / Math.log(axis.to_ms / axis.from_ms)))
}
