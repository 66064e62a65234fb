/**
 * What the judgements of objects should say, by their definitions and by brute force: every pair, every subset, every way in
 * which what came out can be matched with what went in. Written from the definitions alone, on plain deeds, so that an error in the
 * judgements' order, indices or shortcuts cannot be repeated here.
 */
import type { Json } from '../history/index.ts'
import type { Deed } from './objects.ts'

/** What a judgement should say. */
export interface Truth {
  readonly verdict: 'holds' | 'violated' | 'unknown'
  /** Empty where there is nothing to judge. */
  readonly metrics: Readonly<Record<string, number | null>>
}

const NOTHING: Truth = { verdict: 'unknown', metrics: {} }

const told = ({ outcome }: Deed): boolean => outcome === 'ok'
const possible = ({ outcome }: Deed): boolean => outcome !== 'fail'
/** Whoever was told nothing may still be at it. */
const over = ({ outcome, end }: Deed): number => (outcome === 'info' ? Infinity : end)
const precedes = (a: Deed, b: Deed): boolean => over(a) < b.start
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b)
const distinct = (list: readonly Json[]): Json[] => list.filter((one, at) => list.findIndex((other) => same(one, other)) === at)
const times = (one: Json, list: readonly Json[]): number => list.filter((other) => same(one, other)).length
const elementsOf = (output: Json): readonly Json[] => (Array.isArray(output) ? (output as Json[]) : [])

/** The deeds of each object by itself. */
function objects(deeds: readonly Deed[]): Deed[][] {
  return distinct(deeds.map(({ key }) => key)).map((key) => deeds.filter((one) => one.key === key))
}

function verdictIf(violated: boolean): 'holds' | 'violated' {
  return violated ? 'violated' : 'holds'
}

/** The smallest value that at least such a share of all do not exceed. */
function quantile(values: readonly number[], share: number): number | null {
  return values.toSorted((a, b) => a - b).find((one) => values.filter((other) => other <= one).length >= share * values.length) ?? null
}

/** What became of one element of a set. */
function fateOf(element: Json, set: readonly Deed[]): { readonly fates: readonly string[]; readonly delay: number | undefined } {
  const of = (f: string): Deed[] => set.filter((one) => one.f === f && same(one.input, element) && possible(one))
  const [adds, removes] = [of('add'), of('remove')]
  const asked = [...set.filter((one) => one.f === 'read' && told(one)), ...of('contains').filter(told)]
  const shows = asked.filter(({ f, output }) => (f === 'contains' ? output === true : times(element, elementsOf(output)) > 0))
  const misses = asked.filter((one) => !shows.includes(one))
  const known = Math.min(...adds.filter(told).map(over), ...shows.map(over))
  const should = (read: Deed): boolean => known < read.start && removes.every((remove) => precedes(read, remove))
  const missed = misses.filter(should)
  const gone = removes.filter((remove) => told(remove) && adds.every((add) => precedes(add, remove)))
  const after = shows.filter((show) => gone.some((remove) => precedes(remove, show)))
  const lost = removes.length === 0 && missed.some((miss) => shows.every((show) => precedes(show, miss)))
  const resurrected = after.some((show) => misses.every((miss) => precedes(miss, show)))
  const fates = [
    'added',
    ...(adds.some(told) ? ['acknowledged'] : []),
    ...(lost ? ['lost'] : []),
    ...(resurrected ? ['resurrected'] : []),
    ...((missed.length > 0 && !lost) || (after.length > 0 && !resurrected) ? ['stale'] : []),
    ...(adds.some(told) && shows.length === 0 && !asked.some(should) ? ['never_read'] : []),
  ]
  const visible = missed.length === 0 ? asked.some(should) : shows.some((show) => missed.every((miss) => !precedes(show, miss)))
  return { fates, delay: visible ? Math.max(0, ...missed.map(({ start }) => start - known)) : undefined }
}

/** Sets: what became of each element. */
export function setTruth(deeds: readonly Deed[], staleIsViolation: boolean): Truth {
  const reads = deeds.filter((one) => one.f === 'read' && told(one))
  if (reads.some(({ output }) => output !== null && !Array.isArray(output))) return NOTHING
  const fates: string[] = []
  const delays: number[] = []
  for (const set of objects(deeds)) {
    const added = distinct(set.filter((one) => one.f === 'add' && possible(one)).map(({ input }) => input))
    const found = set.filter(told).flatMap((one) => (one.f === 'read' ? elementsOf(one.output) : one.f === 'contains' && one.output === true ? [one.input] : []))
    for (const element of added) {
      const { fates: own, delay } = fateOf(element, set)
      fates.push(...own)
      if (delay !== undefined) delays.push(delay)
    }
    for (const element of distinct(found)) {
      if (set.some(({ f, outcome, output }) => f === 'read' && outcome === 'ok' && times(element, elementsOf(output)) > 1)) fates.push('duplicated')
      if (times(element, added) === 0) fates.push('unexpected')
    }
  }
  if (!fates.includes('added') || !deeds.some((one) => told(one) && (one.f === 'read' || one.f === 'contains'))) return NOTHING
  const counts = Object.fromEntries(['added', 'acknowledged', 'lost', 'stale', 'never_read', 'duplicated', 'unexpected', 'resurrected'].map((fate) => [fate, times(fate, fates)]))
  const wrong = ['lost', 'duplicated', 'unexpected', 'resurrected', ...(staleIsViolation ? ['stale'] : [])]
  return { verdict: verdictIf(fates.some((fate) => wrong.includes(fate))), metrics: { ...counts, visible_p50_ms: quantile(delays, 0.5), visible_p99_ms: quantile(delays, 0.99), visible_max_ms: quantile(delays, 1) } }
}

/** Every sum that some of the numbers have. */
function sums(numbers: readonly number[]): number[] {
  return numbers.reduce((all, one) => [...all, ...all.map((sum) => sum + one)], [0])
}

/** Counters: every read lies between the least and the greatest sum of all that was certainly added and some of what may have been. */
export function counterTruth(deeds: readonly Deed[]): Truth {
  const reads = deeds.filter((one) => one.f === 'read' && told(one))
  if (reads.some(({ output }) => output !== null && typeof output !== 'number')) return NOTHING
  if (reads.length === 0 || deeds.every(({ f }) => f === 'read')) return NOTHING
  let [wrong, widest] = [0, 0]
  for (const read of reads) {
    const added = deeds.filter((one) => one.key === read.key && one.f !== 'read' && possible(one) && one.start <= read.end)
    const amount = ({ f, input }: Deed): number => (f === 'add' ? 1 : -1) * (input as number)
    const certain = added.filter((one) => precedes(one, read)).reduce((sum, one) => sum + amount(one), 0)
    const every = sums(added.filter((one) => !precedes(one, read)).map(amount)).map((sum) => certain + sum)
    const [least, most] = [Math.min(...every), Math.max(...every)]
    const value = (read.output ?? 0) as number
    if (value < least || value > most) wrong++
    widest = Math.max(widest, most - least)
  }
  return { verdict: verdictIf(wrong > 0), metrics: { reads: reads.length, out_of_bounds: wrong, widest_bounds: widest } }
}

const takes = ({ f, output }: Deed): readonly Json[] => (f === 'drain' ? elementsOf(output) : f === 'dequeue' && output !== null ? [output] : [])

/** How few of the puts that were due are left in the kindest matching of what was taken with what was put in. */
function fewestLeft(puts: readonly Deed[], due: readonly Deed[], taken: readonly Json[]): number {
  if (taken.length === 0) return puts.filter((one) => due.includes(one)).length
  const [first, ...rest] = taken as readonly [Json, ...Json[]]
  const matching = puts.filter(({ input }) => same(input, first))
  return Math.min(...[undefined, ...matching].map((put) => fewestLeft(puts.filter((one) => one !== put), due, rest)))
}

/** Queues: what goes in comes out, once. */
export function queueTruth(deeds: readonly Deed[]): Truth {
  const totals = { enqueued: 0, dequeued: 0, lost: 0, duplicated: 0, unexpected: 0, recovered: 0, in_doubt: 0, queues_drained: 0 }
  for (const queue of objects(deeds)) {
    const puts = queue.filter((one) => one.f === 'enqueue' && possible(one))
    const taken = queue.filter(told).flatMap(takes)
    const empty = queue.filter((one) => told(one) && (one.f === 'drain' || (one.f === 'dequeue' && one.output === null)))
    totals.enqueued += puts.filter(told).length
    totals.dequeued += taken.length
    totals.queues_drained += empty.length > 0 ? 1 : 0
    for (const element of distinct(taken)) {
      const own = puts.filter(({ input }) => same(input, element))
      if (own.length === 0) totals.unexpected++
      else if (times(element, taken) > own.length) totals.duplicated++
      else if (!own.some(told)) totals.recovered++
    }
    const due = puts.filter((put) => told(put) && empty.some((one) => precedes(put, one)))
    const missing = fewestLeft(puts, due, taken)
    const inDoubt = queue.filter(({ outcome }) => outcome === 'info')
    const excused = inDoubt.some(({ f }) => f === 'drain') ? missing : Math.min(missing, inDoubt.filter(({ f }) => f === 'dequeue').length)
    totals.lost += missing - excused
    totals.in_doubt += excused
  }
  if (totals.enqueued === 0) return NOTHING
  const wrong = totals.lost + totals.duplicated + totals.unexpected > 0
  return { verdict: wrong ? 'violated' : totals.queues_drained === 0 ? 'unknown' : 'holds', metrics: totals }
}

/** Banks: all accounts hold the same in all, and none is overdrawn. */
export function bankTruth(deeds: readonly Deed[], total: number | undefined, negativeAllowed: boolean): Truth {
  const balances = ({ output }: Deed): readonly number[] => Object.values(output as Readonly<Record<string, number>>)
  const sum = (read: Deed): number => balances(read).reduce((all, one) => all + one, 0)
  const complete = ({ output }: Deed): boolean => output !== null && !Array.isArray(output) && Object.values(output).every((one) => one !== null)
  const banks = objects(deeds).map((bank) => bank.filter((one) => one.f === 'read' && told(one) && complete(one)))
  const wrong = banks.flatMap((reads) => reads.filter((read) => sum(read) !== (total ?? sum(reads[0]!))))
  const overdrawn = banks.flat().filter((read) => !negativeAllowed && !wrong.includes(read) && balances(read).some((one) => one < 0))
  if (banks.flat().length === 0) return NOTHING
  return { verdict: verdictIf(wrong.length + overdrawn.length > 0), metrics: { reads: banks.flat().length, wrong_totals: wrong.length, negative_balances: overdrawn.length } }
}

/** Long forks: what reads of the same keys found is a chain. */
export function longForkTruth(deeds: readonly Deed[]): Truth {
  const snapshots = deeds
    .filter((one) => told(one) && (one.input as Json[][]).length > 1 && (one.input as Json[][]).every(([f]) => f === 'r'))
    .map(({ output }) => (output as [string, string, Json][]).toSorted(([, a], [, b]) => (a < b ? -1 : 1)).map(([, key, value]) => ({ key, found: value !== null })))
  const keys = (snapshot: (typeof snapshots)[number]): string[] => snapshot.map(({ key }) => key)
  const sawMore = (a: (typeof snapshots)[number], b: (typeof snapshots)[number]): boolean => a.some(({ found }, at) => found && !b[at]!.found)
  const pairs = snapshots.flatMap((a, at) => snapshots.slice(at + 1).map((b) => [a, b] as const)).filter(([a, b]) => same(keys(a), keys(b)) && sawMore(a, b) && sawMore(b, a))
  const forks = distinct(pairs.map((pair) => pair.map((one) => JSON.stringify(one)).sort())).length
  if (snapshots.length === 0) return NOTHING
  return { verdict: verdictIf(forks > 0), metrics: { reads: snapshots.length, groups: distinct(snapshots.map(keys)).length, forks } }
}
