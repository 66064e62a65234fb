/**
 * Probabilistically bounded staleness: how soon would reads see a write if nothing but the delays of messages kept
 * them from it? WARS by Monte Carlo (Bailis, Venkataraman, Franklin, Hellerstein and Stoica, Probabilistically
 * Bounded Staleness for Practical Partial Quorums, VLDB 2012, section 5.1): a write reaches each replica after W and
 * is confirmed after A; a read reaches each after R and is answered after S. The read is consistent when one of the
 * first answers that it waits for left its replica after the write had come there.
 *
 * Each try yields the least t from which its read is consistent; their distribution is the whole curve. As in the
 * paper's section 4.2, a coordinator that is a replica reaches itself at once. Clients stand beside the nodes, so
 * two more delays count: from the last confirmation needed to the client, and from the client to the read's coordinator.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { z } from 'zod'
import { OBSERVER, OK } from './history/index.ts'
import type { History } from './history/index.ts'
import type { Registers } from './registers.ts'
import type { Visibility } from './t-visibility.ts'

const TRIALS = 20_000
const WAIT_TRIALS = 2_000
/** The same history gets the same numbers. */
const SEED = 2012
/** A step with fewer reads is too noisy to be compared: its own standard error may be 5 points. */
const COMPARED_READS_MIN = 100

const delaysSchema = z.object({
  nodes: z.int().min(1),
  replicas: z.int().min(1),
  read_quorum: z.int().min(1),
  write_quorum: z.int().min(1),
  there_ms: z.array(z.number()).min(1),
  back_ms: z.array(z.number()).min(1),
})

/** Draws milliseconds, given chance in [0, 1). */
export type Delay = (chance: () => number) => number

/** Whose curve is predicted. */
export interface Wars {
  readonly nodes: number
  readonly replicas: number
  readonly readQuorum: number
  readonly writeQuorum: number
  /** From a coordinator to another node: W and R. */
  readonly there: Delay
  /** From that node back: A and S. */
  readonly back: Delay
  /** From the last confirmation needed to the client that is told. */
  readonly acknowledge: Delay
  /** From a client to the coordinator of its read. */
  readonly request: Delay
}

/** The times t in milliseconds, ascending and perhaps negative, from which each of many reads would be consistent. O(trials N log N). */
export function wars({ nodes, replicas, readQuorum, writeQuorum, there, back, acknowledge, request }: Wars, trials = TRIALS, seed = SEED): Float64Array {
  const generator = xoroshiro128plus(seed)
  const chance = (): number => (generator.next() >>> 0) / 2 ** 32
  const from = new Float64Array(trials)
  for (let trial = 0; trial < trials; trial++) {
    const { lacks, confirmed } = exchange({ nodes, replicas, readQuorum, writeQuorum, there, back }, chance)
    from[trial] = lacks - confirmed - acknowledge(chance) - request(chance)
  }
  return from.sort()
}

/**
 * One write and one read between nodes: how long after each coordinator began the write was confirmed, the read was
 * answered, and by how much later than the write the read must begin to be consistent.
 */
function exchange({ nodes, replicas, readQuorum, writeQuorum, there, back }: Omit<Wars, 'acknowledge' | 'request'>, chance: () => number): { readonly lacks: number; readonly confirmed: number; readonly answered: number } {
  const each = Array.from({ length: replicas }, (_, replica) => replica)
  const writer = Math.floor(chance() * nodes)
  const reader = Math.floor(chance() * nodes)
  const arrival = each.map((replica) => (replica === writer ? 0 : there(chance)))
  const confirmed = arrival.map((at, replica) => (replica === writer ? 0 : at + back(chance))).sort((a, b) => a - b)[writeQuorum - 1]!
  const answers = each.map((replica) => {
    const asked = replica === reader ? 0 : there(chance)
    return { lacks: arrival[replica]! - asked, answered: replica === reader ? 0 : asked + back(chance) }
  })
  const first = answers.sort((a, b) => a.answered - b.answered).slice(0, readQuorum)
  return { lacks: Math.min(...first.map(({ lacks }) => lacks)), confirmed, answered: first.at(-1)!.answered }
}

/** P(consistent | t): the share of `from`, ascending, that is not above t. */
export function consistentAt(from: Float64Array, tMs: number): number {
  let low = 0
  for (let high = from.length; low < high; ) {
    const middle = (low + high) >> 1
    if (from[middle]! <= tMs) low = middle + 1
    else high = middle
  }
  return low / from.length
}

/** The prediction for a recorded run; undefined where it did not record the delays between its nodes. */
export function predictionOf(history: History, registers: Registers): Float64Array | undefined {
  const recorded = recordedDelays(history)
  const reads = latencies(history, registers, 0)
  const writes = latencies(history, registers, 1)
  if (recorded === undefined || reads.length === 0 || writes.length === 0) return undefined
  const { nodes, replicas, read_quorum: readQuorum, write_quorum: writeQuorum } = recorded
  const [there, back] = [drawFrom(recorded.there_ms), drawFrom(recorded.back_ms)]
  const between = { nodes, replicas, readQuorum, writeQuorum, there, back }
  const waits = waitsOf(between)
  // What a read takes beyond its coordinator's wait for others is a way there and back between client and node; what a
  // write takes beyond that way there and its own wait is the disk's and the way back.
  const round = beyond(reads, waits.read)
  const written = beyond(writes, waits.write)
  const request: Delay = (chance) => round(chance) / 2
  const acknowledge: Delay = (chance) => Math.max(0, written(chance) - request(chance))
  return wars({ ...between, acknowledge, request })
}

/** How long coordinators wait for others, in many tries. */
function waitsOf(between: Omit<Wars, 'acknowledge' | 'request'>): { readonly read: readonly number[]; readonly write: readonly number[] } {
  const generator = xoroshiro128plus(SEED)
  const chance = (): number => (generator.next() >>> 0) / 2 ** 32
  const tries = Array.from({ length: WAIT_TRIALS }, () => exchange(between, chance))
  return { read: tries.map(({ answered }) => answered), write: tries.map(({ confirmed }) => confirmed) }
}

/** What is left of latencies without waits that are part of them. Who waited long was slow: the two are taken at the same rank. */
function beyond(whole: readonly number[], waits: readonly number[]): Delay {
  const [all, part] = [whole, waits].map((times) => Float64Array.from(times).sort()) as [Float64Array, Float64Array]
  return (chance) => {
    const rank = chance()
    return Math.max(0, all[Math.floor(rank * all.length)]! - part[Math.floor(rank * part.length)]!)
  }
}

/** Root mean square difference, in percentage points, of the steps with enough reads; null when there is none. */
export function rmsPoints(steps: readonly Visibility[]): number | null {
  const compared = steps.filter(({ reads, predicted }) => predicted !== null && reads >= COMPARED_READS_MIN)
  if (compared.length === 0) return null
  const squares = compared.map(({ reads, consistent, predicted }) => (consistent / reads - predicted!) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / compared.length) * 100
}

function drawFrom(samples: ArrayLike<number>): Delay {
  return (chance) => samples[Math.floor(chance() * samples.length)]!
}

/** What the observer wrote down of the delays between nodes. */
function recordedDelays(history: History): z.output<typeof delaysSchema> | undefined {
  const f = history.functions.indexOf('delays')
  if (f < 0) return undefined
  for (let row = history.length - 1; row >= 0; row--) {
    if (history.f[row] !== f || history.process[row] !== OBSERVER || history.type[row] !== OK) continue
    const parsed = delaysSchema.safeParse(history.values.decode(history.value[row]!))
    if (parsed.success) return parsed.data
  }
  return undefined
}

/** Milliseconds that each read (0) or write (1) took which was acknowledged. */
function latencies(history: History, { count, write, row }: Registers, which: 0 | 1): number[] {
  const found: number[] = []
  for (let op = 0; op < count; op++) {
    const end = history.pair[row[op]!]!
    if (write[op] === which && end >= 0 && history.type[end] === OK) found.push((history.timeAt(end) - history.timeAt(row[op]!)) / 1e6)
  }
  return found
}
