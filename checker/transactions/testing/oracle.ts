/**
 * Isolation levels by their definitions, by brute force: does any set of transactions that took place, any order of
 * versions, any commit order satisfy the level? Written from the definitions alone, on plain values, for a handful of
 * transactions.
 */
import type { Json } from '../../history/index.ts'
import { isolationLevels, type IsolationLevel } from '../../verdict.ts'
import type { Small } from './small.ts'

/** Levels that at least one way of completing the history satisfies. */
export function allowedLevels(transactions: readonly Small[]): Set<IsolationLevel> {
  const ordered = [...transactions].sort((a, b) => a.start - b.start)
  const allowed = new Set<IsolationLevel>()
  for (const world of worldsOf(ordered)) {
    for (const level of satisfiedBy(world)) allowed.add(level)
    if (allowed.size === isolationLevels.length) break
  }
  return allowed
}

/** One way in which it may have been. */
interface World {
  readonly all: readonly Small[]
  /** Those that took place. */
  readonly here: readonly number[]
  /** By key: the elements (or values) in the order of their versions, aborted ones that were seen among them. */
  readonly orders: ReadonlyMap<string, readonly Json[]>
  readonly writerOf: (key: string, value: Json) => number
  readonly lists: boolean
}

function* worldsOf(all: readonly Small[]): Generator<World> {
  const lists = all.some(({ micros }) => micros.some(([f, , value]) => f === 'append' || Array.isArray(value)))
  const writerOf = (key: string, value: Json): number => all.findIndex(({ micros }) => micros.some(([f, on, one]) => f !== 'r' && on === key && one === value))
  const unsure = all.flatMap(({ outcome }, t) => (outcome === 'info' ? [t] : []))
  const keys = [...new Set(all.flatMap(({ micros }) => micros.map(([, key]) => key)))]
  for (let subset = 0; subset < 2 ** unsure.length; subset++) {
    const here = all.flatMap(({ outcome }, t) => (outcome === 'ok' || (unsure.includes(t) && ((subset >> unsure.indexOf(t)) & 1) === 1) ? [t] : []))
    const choices = keys.map((key) => ordersOf(all, here, key, lists))
    yield* product(choices, (chosen) => ({ all, here, orders: new Map(keys.map((key, at) => [key, chosen[at]!])), writerOf, lists }))
  }
}

function* product<T>(choices: readonly (readonly (readonly Json[])[])[], make: (chosen: readonly (readonly Json[])[]) => T, chosen: readonly (readonly Json[])[] = []): Generator<T> {
  if (chosen.length === choices.length) {
    yield make(chosen)
    return
  }
  for (const choice of choices[chosen.length]!) yield* product(choices, make, [...chosen, choice])
}

/** Every order of a key's versions that the reads of lists allow. */
function ordersOf(all: readonly Small[], here: readonly number[], key: string, lists: boolean): Json[][] {
  const written = here.flatMap((t) => {
    const own = all[t]!.micros.flatMap(([f, on, value]) => (f !== 'r' && on === key ? [value] : []))
    return lists ? own : own.slice(-1)
  })
  if (!lists) return permutations(written)
  const reads = here.flatMap((t) => (all[t]!.outcome === 'ok' ? all[t]!.micros.flatMap(([f, on, value]) => (f === 'r' && on === key ? [value as readonly Json[]] : [])) : []))
  const aborted = [...new Set(reads.flat())].filter((one) => all.some(({ outcome, micros }) => outcome === 'fail' && micros.some(([f, on, value]) => f !== 'r' && on === key && value === one)))
  const longest = reads.reduce((a, b) => (b.length > a.length ? b : a), [] as readonly Json[])
  const elements = [...written, ...aborted]
  if (new Set(longest).size < longest.length || longest.some((one) => !elements.includes(one))) return []
  if (reads.some((list) => list.some((one, at) => one !== longest[at]))) return []
  return permutations(elements.filter((one) => !longest.includes(one))).map((rest) => [...longest, ...rest])
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, at) => permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]))
}

/** By transaction the set, in bits, of those that it is related to. */
type Relation = number[]

const has = (x: Relation, a: number, b: number): boolean => ((x[a]! >> b) & 1) === 1
const add = (x: Relation, a: number, b: number): void => {
  x[a]! |= 1 << b
}
const empty = (n: number): Relation => Array.from({ length: n }, () => 0)
const union = (...relations: readonly Relation[]): Relation => relations[0]!.map((_, a) => relations.reduce((row, one) => row | one[a]!, 0))
const compose = (x: Relation, y: Relation): Relation => x.map((_, a) => y.reduce((row, further, via) => (has(x, a, via) ? row | further : row), 0))
const isIrreflexive = (x: Relation): boolean => x.every((_, a) => !has(x, a, a))

function closure(relation: Relation): Relation {
  const result = [...relation]
  for (let via = 0; via < result.length; via++) for (let a = 0; a < result.length; a++) if (has(result, a, via)) result[a]! |= result[via]!
  return result
}

/** What one world's reads say. */
interface Reads {
  /** The external reads of each transaction in order: from whom, -1 from nobody. */
  readonly sources: readonly { readonly reader: number; readonly key: string; readonly from: number; readonly value: Json }[]
  readonly thinAir: boolean
  readonly aborted: boolean
  readonly intermediate: boolean
  readonly internal: boolean
}

function readsOf({ all, here, writerOf, lists }: World): Reads {
  const sources: Reads['sources'][number][] = []
  const flags = { thinAir: false, aborted: false, intermediate: false, internal: false }
  for (const t of here) {
    if (all[t]!.outcome !== 'ok') continue
    const known = new Map<string, Json>()
    const owned = new Map<string, Json[]>()
    for (const [f, key, value] of all[t]!.micros) {
      if (f !== 'r') {
        const own = [...(owned.get(key) ?? []), value]
        owned.set(key, own)
        if (lists) {
          if (known.has(key)) known.set(key, [...(known.get(key) as Json[]), value])
        } else known.set(key, value)
        continue
      }
      const own = owned.get(key) ?? []
      const seen = (lists ? (value as Json[]) : value === null ? [] : [value])
      if (known.has(key) && JSON.stringify(known.get(key)) !== JSON.stringify(value)) flags.internal = true
      if (lists && !known.has(key) && JSON.stringify(seen.slice(seen.length - own.length)) !== JSON.stringify(own)) flags.internal = true
      if (lists && seen.some((one) => writerOf(key, one) === t && !own.includes(one))) flags.internal = true
      if (lists || own.length === 0) known.set(key, value)
      const foreign = [...seen]
      const isOwn = (one: Json): boolean => writerOf(key, one) === t
      const isAborted = (one: Json): boolean => lists && all[writerOf(key, one)]?.outcome === 'fail'
      for (let last = foreign.at(-1); last !== undefined && (isOwn(last) || isAborted(last)); last = foreign.at(-1)) {
        if (!lists && !own.includes(last)) flags.internal = true
        foreign.pop()
      }
      for (const one of seen) {
        const writer = writerOf(key, one)
        if (writer < 0) flags.thinAir = true
        else if (all[writer]!.outcome === 'fail') flags.aborted = true
        else if (!here.includes(writer)) flags.thinAir = true
      }
      if (!lists && (own.length > 0 || (foreign.length === 0 && seen.length > 0))) continue
      const last = foreign.at(-1)
      const from = last === undefined ? -1 : writerOf(key, last)
      if (from >= 0 && all[from]!.outcome === 'fail') continue
      if (from >= 0 && all[from]!.micros.filter(([g, on]) => g !== 'r' && on === key).at(-1)![2] !== last) flags.intermediate = true
      sources.push({ reader: t, key, from, value })
    }
  }
  return { sources, ...flags }
}

/** The relations of one world. */
function relationsOf({ all, here, orders, writerOf, lists }: World, { sources }: Reads): { ww: Relation; wr: Relation; rw: Relation; so: Relation; rt: Relation } {
  const n = all.length
  const [ww, wr, rw, so, rt] = [empty(n), empty(n), empty(n), empty(n), empty(n)]
  for (const [key, order] of orders) {
    const writers = order.map((one) => writerOf(key, one)).filter((t) => here.includes(t))
    for (let a = 0; a < writers.length; a++) for (let b = a + 1; b < writers.length; b++) if (writers[a] !== writers[b]) add(ww, writers[a]!, writers[b]!)
  }
  for (const { reader, key, from, value } of sources) {
    if (from >= 0 && from !== reader) add(wr, from, reader)
    const order = orders.get(key)!
    const position = lists ? (value as Json[]).length : order.findIndex((one) => writerOf(key, one) === from) + 1
    for (const one of order.slice(position)) {
      const writer = writerOf(key, one)
      if (writer !== reader && here.includes(writer)) add(rw, reader, writer)
    }
  }
  for (const a of here) {
    for (const b of here) {
      if (a === b) continue
      if (all[a]!.process === all[b]!.process && all[a]!.start < all[b]!.start) add(so, a, b)
      if (all[a]!.outcome === 'ok' && all[a]!.end < all[b]!.start) add(rt, a, b)
    }
  }
  return { ww, wr, rw, so, rt }
}

function satisfiedBy(world: World): IsolationLevel[] {
  const reads = readsOf(world)
  if (reads.thinAir) return []
  const { ww, wr, rw, so, rt } = relationsOf(world, reads)
  const levels: IsolationLevel[] = []
  if (isIrreflexive(closure(ww))) levels.push('read-uncommitted')
  if (reads.aborted || reads.intermediate || !isIrreflexive(closure(union(ww, wr)))) return levels
  levels.push('read-committed')
  const base = { ww, wr }
  for (const [sessions, names] of [[false, ['monotonic-atomic-view', 'read-atomic']], [true, ['strong-session-read-committed', 'strong-session-read-atomic', 'causal']]] as const) {
    for (const name of names) if (!(reads.internal && name !== 'monotonic-atomic-view' && name !== 'strong-session-read-committed') && someCommitOrder(world, reads, base, sessions ? so : empty(so.length), name)) levels.push(name)
  }
  const session = union(so)
  const real = union(so, rt)
  if (reads.internal) return levels
  for (const [order, apart, none] of [[empty(so.length), 'snapshot-isolation', 'serializable'], [session, 'strong-session-snapshot-isolation', 'strong-session-serializable'], [real, 'strong-snapshot-isolation', 'strict-serializable']] as const) {
    const d = union(ww, wr, order)
    if (apart === 'snapshot-isolation' && isIrreflexive(closure(d)) && isIrreflexive(compose(closure(d), rw))) levels.push('parallel-snapshot-isolation')
    if (isIrreflexive(closure(union(d, compose(d, rw))))) levels.push(apart)
    if (isIrreflexive(closure(union(d, rw)))) levels.push(none, ...(none === 'serializable' ? ['repeatable-read' as const] : []))
  }
  return levels
}

/** Biswas and Enea: is there a commit order under which no read skips a version that is visible to it? */
function someCommitOrder({ all, here }: World, { sources }: Reads, { ww, wr }: { ww: Relation; wr: Relation }, so: Relation, level: IsolationLevel): boolean {
  const must = closure(union(ww, wr, so))
  if (!isIrreflexive(must)) return false
  const happened = closure(union(wr, so))
  const direct = union(wr, so)
  const writes = (t: number, key: string): boolean => all[t]!.micros.some(([f, on]) => f !== 'r' && on === key)
  const visible = (at: number, t: number): boolean => {
    const { reader } = sources[at]!
    if (level === 'causal') return has(happened, t, reader)
    if (level.endsWith('read-atomic')) return has(direct, t, reader)
    return sources.slice(0, at).some((earlier) => earlier.reader === reader && earlier.from === t)
  }
  const later = sources.map(({ key, from, reader }, at) => here.filter((t) => t !== from && t !== reader && writes(t, key) && visible(at, t)))
  const extend = (rest: readonly number[], done: readonly number[]): boolean => {
    if (rest.length === 0) return true
    return rest.some((t) => {
      if (rest.some((other) => other !== t && has(must, other, t))) return false
      // Who is visible to a reader of t must have committed before t.
      if (sources.some(({ from }, at) => from === t && later[at]!.some((other) => !done.includes(other)))) return false
      return extend(rest.filter((other) => other !== t), [...done, t])
    })
  }
  return sources.every(({ from }, at) => from !== -1 || later[at]!.length === 0) && extend(here, [])
}
