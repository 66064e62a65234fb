/**
 * What one run of a campaign comes to: the line that people see of it, and the record that the campaign store keeps.
 */
import { weakerThan } from '../../checker/ladder.ts'
import type { FaultWindow, JudgementVerdict, Model, VerdictDocument, VerdictWord, Witness } from '../../checker/verdict.ts'
import type { History } from '../../checker/history/index.ts'
import { factsOf, periodOf } from '../facts.ts'
import { countsFor } from '../promise.ts'
import { fingerprintOf } from './fingerprint.ts'

/** One way in which a promise was broken. */
export interface ResultFinding {
  readonly judgement: string
  /** Equal for violations that look alike: model or anomaly, kind of fault, whether an outcome was unknown. */
  readonly fingerprint: string
  /** Operations in the smallest witness. */
  readonly size: number
  readonly explanation: string
}

/** One run of a campaign. */
export interface Result {
  /** The row of the matrix. */
  readonly configuration: string
  /** The column of the matrix. */
  readonly nemesis: string
  readonly seed: number
  readonly verdict: VerdictWord
  /** Why it is unknown. */
  readonly reason: string | null
  readonly sentence: string
  readonly strongest: Model | null
  readonly operations: number
  /** Share answered on the majority side of partitions. */
  readonly majority: number | null
  readonly minority: number | null
  readonly p50_ms: number | null
  readonly p99_ms: number | null
  /** By the clock of the machine, from start to verdict. */
  readonly elapsed_ms: number
  /** What broke the promise. */
  readonly findings: readonly ResultFinding[]
  /** The command that makes this run again. */
  readonly repeat: string
  /** A folder with its report, relative to the campaign's; null where none was written. */
  readonly dir: string | null
}

/** Everything that is kept of a run beside its files. */
export interface RunRecord extends Omit<Result, 'dir'> {
  /** It could not be carried out: nothing is known about the store. */
  readonly failed: boolean
  /** Too little happened to conclude anything. */
  readonly vacuous: boolean
  readonly findings: readonly FindingRecord[]
  readonly judgements: readonly JudgementRecord[]
  readonly windows: readonly WindowRecord[]
}

/** A finding with the operations that show it. */
export interface FindingRecord extends ResultFinding {
  readonly witness: Witness | null
}

/** One judgement's word. */
export interface JudgementRecord {
  readonly judgement: string
  readonly model: string | null
  readonly verdict: VerdictWord
  /** Whether the promise rests on it. */
  readonly counts: boolean
  readonly reason: string | null
  readonly operations: number
  readonly witnesses: number
}

/** A fault from injection to heal, with what all clients together got meanwhile. Times from the start of the run. */
export interface WindowRecord {
  readonly fault: string
  readonly targets: readonly string[]
  readonly from_ms: number
  readonly to_ms: number
  readonly healed_ms: number | null
  readonly bit: boolean
  readonly evidence: string
  readonly attempted: number | null
  readonly ok: number | null
  readonly p50_ms: number | null
  readonly p99_ms: number | null
}

/** Where a run stands in its campaign. */
export type Place = Pick<Result, 'configuration' | 'nemesis' | 'seed' | 'repeat' | 'elapsed_ms'>

/** The record of a judged run. */
export function recordOf(place: Place, document: VerdictDocument, history: History): RunRecord {
  const facts = factsOf(place.configuration, document)
  return {
    ...place,
    verdict: document.verdict,
    reason: document.verdict === 'unknown' ? (document.reason ?? document.sentence) : null,
    failed: false,
    vacuous: document.verdict === 'unknown' && /^vacuous\b/.test(document.reason ?? ''),
    sentence: document.sentence,
    strongest: document.strongest,
    operations: document.operations.invoked,
    majority: facts.majority?.share ?? null,
    minority: facts.minority?.share ?? null,
    p50_ms: facts.latency?.p50_ms ?? null,
    p99_ms: facts.latency?.p99_ms ?? null,
    findings: findingsOf(document, history),
    judgements: document.judgements.map((one) => ({ judgement: one.judgement, model: one.model ?? null, verdict: one.verdict, counts: countsFor(document, one), reason: one.reason ?? null, operations: one.operations, witnesses: one.witnesses.length })),
    windows: document.faults.map((fault) => windowOf(fault, document)),
  }
}

/** What broke the promise of a judged run. */
export function findingsOf(document: VerdictDocument, history: History): readonly FindingRecord[] {
  return telling(document).map((judgement) => {
    const witness = judgement.witnesses.toSorted((a, b) => a.operations.length - b.operations.length)[0]
    return { judgement: judgement.judgement, fingerprint: fingerprintOf(judgement, witness, history, document.faults), size: witness?.operations.length ?? 0, explanation: witness?.explanation ?? judgement.summary, witness: witness ?? null }
  })
}

function windowOf(fault: FaultWindow, document: VerdictDocument): WindowRecord {
  const during = <T extends { readonly period: string; readonly group: string }>(rows: readonly T[]): T | undefined => rows.find((row) => row.period === periodOf(fault) && row.group === 'all')
  const availability = during(document.availability)
  const latency = during(document.latency.filter(({ f }) => f === 'all'))
  return {
    fault: fault.fault,
    targets: fault.targets,
    from_ms: fault.from_ns / 1e6,
    to_ms: fault.to_ns / 1e6,
    healed_ms: fault.healed_ns === null ? null : fault.healed_ns / 1e6,
    bit: fault.bit,
    evidence: fault.evidence,
    attempted: availability?.attempted ?? null,
    ok: availability?.ok ?? null,
    p50_ms: latency?.p50_ms ?? null,
    p99_ms: latency?.p99_ms ?? null,
  }
}

/** What broke the promise, without models that broke only because a weaker one did. */
function telling(document: VerdictDocument): JudgementVerdict[] {
  const broken = document.judgements.filter((one) => one.verdict === 'violated' && countsFor(document, one))
  const brokenModels = new Set(broken.flatMap(({ model }) => (model === undefined ? [] : [model])))
  return broken.filter(({ model }) => model === undefined || !weakerThan(model).some((weaker) => brokenModels.has(weaker)))
}

/** The record of a run that could not be carried out: nothing is known about the store. */
export function crashRecord(place: Place, message: string): RunRecord {
  return { ...place, verdict: 'unknown', reason: `the run failed: ${message}`, failed: true, vacuous: false, sentence: `The run failed: ${message}`, strongest: null, operations: 0, majority: null, minority: null, p50_ms: null, p99_ms: null, findings: [], judgements: [], windows: [] }
}
