/**
 * The few numbers that a person compares configurations by, taken out of a verdict document: strongest model,
 * availability on each side of the partition, latency, time to converge, acknowledged writes lost.
 * The terminal, the HTML report, the job summary and the comparison all show these and compute none of their own.
 */
import { termsOf, toldByIsolation } from '../checker/terms.ts'
import { formatMs, formatShare } from './format.ts'
import type { Availability, FaultWindow, Latency, VerdictDocument, VerdictWord } from '../checker/verdict.ts'

/** ok / attempted of one group during one kind of period. */
export interface SideFact {
  readonly side: string
  readonly attempted: number
  readonly ok: number
  readonly fail: number
  readonly info: number
  /** null when nothing was attempted. */
  readonly share: number | null
}

/** One configuration in numbers. */
export interface Facts {
  readonly name: string
  readonly verdict: VerdictWord
  /** What was promised and what held, as it is told: an isolation level where clients carried out transactions. */
  readonly promised: string
  /** It was asked for, whatever the system promises. */
  readonly expected: boolean
  /** null: none was seen to hold. */
  readonly strongest: string | null
  /** Operations that succeeded. */
  readonly answered: number
  /** Whether these are isolation levels, which have no place on the CAP map. */
  readonly byIsolation: boolean
  /** During the partitions; undefined when there was none, or nobody was on that side. */
  readonly majority: SideFact | undefined
  readonly minority: SideFact | undefined
  /** Over the whole run, all functions. */
  readonly latency: Latency | undefined
  /** Outside every fault window: what the promise costs when nothing is wrong (the "else" of PACELC). */
  readonly healthyLatency: Latency | undefined
  readonly agreed: boolean | null
  readonly convergeMs: number | null
  readonly divergedKeys: number
  readonly lost: number
  readonly acknowledged: number
}

/** The name that availability and latency rows give to a fault window. */
export function periodOf(fault: Pick<FaultWindow, 'id' | 'fault'>): string {
  return `${fault.id}:${fault.fault}`
}

/** Faults that split the nodes into sides. */
export function partitions(faults: readonly FaultWindow[]): readonly FaultWindow[] {
  return faults.filter((fault) => fault.bit && Object.keys(fault.sides).length > 1)
}

/** Adds up the rows of one side over all partitions that have it. */
function sideFact(document: VerdictDocument, side: string): SideFact | undefined {
  const periods = new Set(partitions(document.faults).filter((fault) => side in fault.sides).map(periodOf))
  const rows = document.availability.filter((row) => row.group === side && periods.has(row.period))
  if (rows.length === 0) return undefined
  const total = (pick: (row: Availability) => number) => rows.reduce((sum, row) => sum + pick(row), 0)
  const attempted = total((row) => row.attempted)
  const ok = total((row) => row.ok)
  return { side, attempted, ok, fail: total((row) => row.fail), info: total((row) => row.info), share: attempted === 0 ? null : ok / attempted }
}

function latencyOf(document: VerdictDocument, period: string): Latency | undefined {
  return document.latency.find((row) => row.period === period && row.group === 'all' && row.f === 'all')
}

/** The facts of one configuration. */
export function factsOf(name: string, document: VerdictDocument): Facts {
  return {
    name,
    verdict: document.verdict,
    ...termsOf(document),
    byIsolation: toldByIsolation(document),
    answered: document.operations.ok,
    majority: sideFact(document, 'majority'),
    minority: sideFact(document, 'minority'),
    latency: latencyOf(document, 'all'),
    healthyLatency: latencyOf(document, 'healthy'),
    agreed: document.convergence.agreed,
    convergeMs: document.convergence.time_to_converge_ms,
    divergedKeys: document.convergence.diverged_keys,
    lost: document.durability.lost,
    acknowledged: document.durability.acknowledged,
  }
}

/** The strongest model in words: "none" was left, or a dash when nothing was answered. */
export function strongestText({ strongest, answered }: Pick<Facts, 'strongest' | 'answered'>): string {
  return strongest ?? (answered === 0 ? '–' : 'none')
}

/** Time to converge in words: a duration, "never", or a dash when the replicas were not read. */
export function convergeText(facts: Pick<Facts, 'agreed' | 'convergeMs'>): string {
  if (facts.agreed === null) return '–'
  return facts.agreed && facts.convergeMs !== null ? formatMs(facts.convergeMs) : facts.agreed ? 'agreed' : 'never'
}

/** What each side got during the partition, in one sentence; empty without a partition. */
export function availabilitySentence(facts: Facts): string {
  const { majority, minority } = facts
  const parts = [majority, minority].flatMap((side) => (side === undefined || side.share === null ? [] : [`${formatShare(side.share)} of operations on the ${side.side} side`]))
  return parts.length === 0 ? '' : `During the partition it answered ${parts.join(' and ')}.`
}

/**
 * Models that no store can keep while both sides of a partition answer everything (Gilbert and Lynch 2002; for
 * sequential consistency Lipton and Sandberg 1988): a minority cannot have heard of the majority's writes. By refusing
 * a part (a minority that answers only reads, from the past, may be sequential) a store can.
 */
export const needsMajority: readonly string[] = ['linearizable', 'sequential', 'regular']

/** Isolation levels that imply one of these, on single registers. */
const isolatedAsStrongly: readonly string[] = ['strict-serializable', 'strong-session-serializable']

/** From this share on a side counts as answering everything; slow nodes and full queues refuse a little too. */
export const nearlyAll = 0.9

/** Which of consistency and availability was given up during the partition, and what the choice costs without one (PACELC). */
export function tradeOffSentence(facts: Facts): string {
  const share = facts.minority?.share
  if (facts.answered === 0) return 'No operation succeeded, so this run says nothing about the choice between consistency (C) and availability (A).'
  const cost = facts.healthyLatency?.p50_ms ?? null
  const price = cost === null ? '' : ` Without a fault, half of its operations took ${formatMs(cost)} or less.`
  if (share === undefined || share === null) return `No fault cut the clients into a majority and a minority, so this run says nothing about the choice between consistency (C) and availability (A).${price}`
  const majority = facts.majority?.share ?? 1
  if (share < 0.5 && majority < 0.5) return `It answered ${formatShare(majority)} on the majority side and ${formatShare(share)} on the minority side: that is no choice between consistency (C) and availability (A).${price}`
  const strong = facts.strongest !== null && [...needsMajority, ...isolatedAsStrongly].includes(facts.strongest)
  const kept = facts.strongest === 'linearizable' ? ' and stayed linearizable' : `, and ${facts.strongest === null ? 'no model was seen to hold all the same' : `the strongest ${facts.byIsolation ? 'isolation level' : 'model'} seen to hold was ${facts.strongest}`}`
  const choice =
    share < 0.5 ? `It gave up availability on the minority side${kept}.`
    : share < nearlyAll ? `It refused a part of the operations on the minority side${kept}.`
    : !strong ? `It kept answering on the minority side and gave up consistency: ${facts.strongest === null ? 'no model held' : `what held was ${facts.strongest}`}.`
    : `It answered on the minority side although ${facts.strongest} was not refuted: too little was tried there for that to be the whole truth.`
  return choice + price
}
