/**
 * The models by their definitions, by brute force: every order, every set of unknown operations. Only for histories
 * of a handful of operations. Written from the definitions alone, on plain operations, so that an error in the
 * judgements' columns, indices or shortcuts cannot be repeated here.
 */
import type { Json } from '../history/index.ts'
import type { Operation } from './operations.ts'

type Pair = readonly [Operation, Operation]

const completed = (o: Operation): number => (o.outcome === 'ok' ? o.end : Infinity)
const precedes = (a: Operation, b: Operation): boolean => completed(a) < b.start
const before = (a: Operation, b: Operation): boolean => a.process === b.process && a.start < b.start
const isRead = (o: Operation): boolean => o.f === 'read'
const isWrite = (o: Operation): boolean => o.f === 'write'

/** Every way in which the operations of unknown outcome may or may not have happened, without failed ones and reads that returned nothing. */
function worlds(operations: readonly Operation[]): Operation[][] {
  const certain = operations.filter((o) => o.outcome === 'ok')
  const unknown = operations.filter((o) => isWrite(o) && (o.outcome === 'info' || o.outcome === 'open'))
  return Array.from({ length: 2 ** unknown.length }, (_, bits) => [...certain, ...unknown.filter((one) => (bits >> unknown.indexOf(one)) & 1)].sort((a, b) => a.start - b.start))
}

/** Whether the operations can be put in one order that keeps the given pairs in order and in which every read returns the last write. */
function serializable(operations: readonly Operation[], ordered: (a: Operation, b: Operation) => boolean): boolean {
  const state = new Map<string, Json>()
  const left = new Set(operations)
  const step = (): boolean => {
    if (left.size === 0) return true
    const candidates = [...left]
    for (const next of candidates) {
      if ([...left].some((other) => other !== next && ordered(other, next))) continue
      const held = state.get(next.key) ?? null
      if (isRead(next) && held !== next.value) continue
      left.delete(next)
      if (isWrite(next)) state.set(next.key, next.value)
      if (step()) return true
      state.set(next.key, held)
      left.add(next)
    }
    return false
  }
  return step()
}

/** Herlihy and Wing 1990. */
export const linearizable = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => serializable(world, (a, b) => before(a, b) || precedes(a, b)))

/** Lamport 1979. */
export const sequential = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => serializable(world, before))

/** Regular with several writers: each read alone, with all writes to its key, in an order that keeps real time. */
export const regular = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => world.filter(isRead).every((read) => serializable([read, ...world.filter((o) => isWrite(o) && o.key === read.key)], precedes)))

/** Safe: as regular for the reads that overlap no write; the others return what somebody wrote, some time, or the initial value. */
export const safe = (operations: readonly Operation[]): boolean => {
  const domain = (read: Operation): boolean => read.value === null || operations.some((o) => isWrite(o) && o.outcome !== 'fail' && o.key === read.key && o.value === read.value)
  return worlds(operations).some((world) =>
    world.filter(isRead).every((read) => {
      const writes = world.filter((o) => isWrite(o) && o.key === read.key)
      return domain(read) && (writes.some((w) => !precedes(w, read) && !precedes(read, w)) || serializable([read, ...writes], precedes))
    }),
  )
}

/** Lipton and Sandberg 1988: for each session an order of its reads and all writes that keeps every session's order. */
export const pipelined = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => everySession(world, (session) => serializable(world.filter((o) => isWrite(o) || o.process === session), before)))

/** Ahamad et al. 1995: the same, keeping happens-before. */
export const causalMemory = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const order = happensBefore(world)
    return order !== undefined && everySession(world, (session) => serializable(world.filter((o) => isWrite(o) || o.process === session), order))
  })

/** Bouajjani et al. 2017: for each read an order of its causes, that keeps happens-before, in which the last write to its key is the one it returned. */
export const weakCausal = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const order = happensBefore(world)
    return order !== undefined && world.filter(isRead).every((read) => serializable([read, ...world.filter((o) => isWrite(o) && order(o, read))], order))
  })

/** Bouajjani et al. 2017: one order of all writes, that keeps happens-before, explains every read from its causes. */
export const causalConvergence = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const order = happensBefore(world)
    if (order === undefined) return false
    const writes = world.filter(isWrite)
    return someOrder(writes, (arbitration) => respects(arbitration, order) && world.filter(isRead).every((read) => returns(read, arbitration.filter((w) => order(w, read)))))
  })

/** Aiyer et al. 2005: one order in real time, of one key, in which every read returns one of the last k writes (the initial value being the first). */
export const kAtomic = (operations: readonly Operation[], k: number): boolean =>
  worlds(operations).some((world) => {
    const values: Json[] = [null]
    const left = new Set(world)
    const step = (): boolean => {
      if (left.size === 0) return true
      const candidates = [...left] // `left` changes below, and a set that changes is walked anew
      for (const next of candidates) {
        if ([...left].some((other) => other !== next && precedes(other, next))) continue
        if (isRead(next) && !values.slice(-k).includes(next.value)) continue
        left.delete(next)
        if (isWrite(next)) values.push(next.value)
        if (step()) return true
        if (isWrite(next)) values.pop()
        left.add(next)
      }
      return false
    }
    return step()
  })

/** Golab et al. 2011: atomic once every read begins so many milliseconds earlier. Of one key. */
export const deltaAtomic = (operations: readonly Operation[], delta: number): boolean =>
  worlds(operations).some((world) => serializable(world.map((o) => (isRead(o) ? { ...o, start: o.start - delta } : o)), precedes))

/** The guarantees of one explanation, in the order in which they are tried. */
export interface Guarantees {
  readonly ownWrites: boolean
  readonly monotonicReads: boolean
  readonly monotonicWrites: boolean
  readonly writesFollowReads: boolean
}

/** Which guarantees a history breaks, by the rules of `visibility.ts`: [read your writes, monotonic reads, monotonic writes, writes follow reads]. */
export function brokenGuarantees(operations: readonly Operation[], explain: typeof explained = explained): [boolean, boolean, boolean, boolean] {
  const none = { ownWrites: false, monotonicReads: false, monotonicWrites: false, writesFollowReads: false }
  const world = observed(operations)
  const broken: [boolean, boolean, boolean, boolean] = [false, false, false, false]
  for (const session of new Set(world.map((o) => o.process))) {
    if (!explain(world, session, none)) return [true, true, true, true]
    const ownWrites = explain(world, session, { ...none, ownWrites: true })
    const monotonicReads = explain(world, session, { ...none, ownWrites, monotonicReads: true })
    const monotonicWrites = monotonicReads && explain(world, session, { ...none, ownWrites, monotonicReads, monotonicWrites: true })
    if (!ownWrites) broken[0] = true
    if (!monotonicReads) broken[1] = true
    if (monotonicReads && !monotonicWrites) broken[2] = true
    if (ownWrites && monotonicWrites && !explain(world, session, { ownWrites, monotonicReads, monotonicWrites, writesFollowReads: true })) broken[3] = true
  }
  if (happensBefore(world) === undefined) broken[3] = true
  return broken
}

/** All four guarantees at once for every session. */
export const causal = (operations: readonly Operation[]): boolean => all(operations, true)

/** The first three. */
export const pram = (operations: readonly Operation[]): boolean => all(operations, false)

function all(operations: readonly Operation[], writesFollowReads: boolean): boolean {
  return worlds(operations).some((world) => {
    if (writesFollowReads && happensBefore(world) === undefined) return false
    return everySession(world, (session) => explained(world, session, { ownWrites: true, monotonicReads: true, monotonicWrites: true, writesFollowReads }))
  })
}

/** Writes that somebody read took place; nothing else that is unknown did. */
function observed(operations: readonly Operation[]): Operation[] {
  const certain = operations.filter((o) => o.outcome === 'ok')
  const seen = operations.filter((w) => isWrite(w) && (w.outcome === 'info' || w.outcome === 'open') && certain.some((r) => isRead(r) && r.key === w.key && r.value === w.value))
  return [...certain, ...seen].sort((a, b) => a.start - b.start)
}

/** Does an explanation of the session exist? With the smallest sets of visible writes, found by applying the rules until nothing changes. */
export function explained(world: readonly Operation[], session: number, guarantees: Guarantees): boolean {
  const reads = world.filter((o) => isRead(o) && o.process === session)
  const visible = reads.map((read, at) => {
    const set = new Set<Operation>()
    const earlier = guarantees.monotonicReads ? reads.slice(0, at + 1) : [read]
    for (const one of earlier) {
      const from = sourceOf(world, one)
      if (from) set.add(from)
    }
    if (guarantees.ownWrites) for (const own of world) if (isWrite(own) && before(own, read)) set.add(own)
    close(world, set, guarantees)
    return set
  })
  return arbitrated(world, session, guarantees, reads, visible)
}

/** The same with every possible choice of visible sets: to show that the smallest are the best. */
export function explainedAnyhow(world: readonly Operation[], session: number, guarantees: Guarantees): boolean {
  const reads = world.filter((o) => isRead(o) && o.process === session)
  const writes = world.filter(isWrite)
  const choose = (at: number, chosen: Set<Operation>[]): boolean => {
    if (at === reads.length) return arbitrated(world, session, guarantees, reads, chosen)
    for (let bits = 0; bits < 2 ** writes.length; bits++) {
      const set = new Set(writes.filter((_, index) => (bits >> index) & 1))
      const closed = new Set(set)
      close(world, closed, guarantees)
      if (closed.size !== set.size) continue
      if (guarantees.ownWrites && writes.some((own) => before(own, reads[at]!) && !set.has(own))) continue
      if (guarantees.monotonicReads && at > 0 && [...chosen[at - 1]!].some((one) => !set.has(one))) continue
      if (choose(at + 1, [...chosen, set])) return true
    }
    return false
  }
  return choose(0, [])
}

function close(world: readonly Operation[], set: Set<Operation>, guarantees: Guarantees): void {
  for (const one of set) {
    for (const other of world) {
      if (!before(other, one)) continue
      const cause = isWrite(other) ? (guarantees.monotonicWrites ? other : undefined) : guarantees.writesFollowReads ? sourceOf(world, other) : undefined
      if (cause) set.add(cause)
    }
  }
}

function arbitrated(world: readonly Operation[], session: number, guarantees: Guarantees, reads: readonly Operation[], visible: readonly ReadonlySet<Operation>[]): boolean {
  if (visible.some((set, at) => [...set].some((w) => w.process === session && w.start > reads[at]!.start))) return false
  const order = guarantees.writesFollowReads ? happensBefore(world) : before
  if (order === undefined) return false
  const keys = new Set(reads.map((r) => r.key))
  return [...keys].every((key) => {
    const writes = world.filter((o) => isWrite(o) && o.key === key)
    return someOrder(writes, (arbitration) => respects(arbitration, order) && reads.every((read, at) => read.key !== key || returns(read, arbitration.filter((w) => visible[at]!.has(w)))))
  })
}

function sourceOf(world: readonly Operation[], read: Operation): Operation | undefined {
  return world.find((o) => isWrite(o) && o.key === read.key && o.value === read.value)
}

function returns(read: Operation, visible: readonly Operation[]): boolean {
  return (visible.filter((w) => w.key === read.key).at(-1)?.value ?? null) === read.value
}

function everySession(world: readonly Operation[], holds: (session: number) => boolean): boolean {
  return [...new Set(world.map((o) => o.process))].every(holds)
}

/** Session order and reads-from, transitively; undefined when it has a cycle or a read has no write. */
function happensBefore(world: readonly Operation[]): ((a: Operation, b: Operation) => boolean) | undefined {
  const after = new Map(world.map((o) => [o, new Set<Operation>()]))
  const pairs: Pair[] = world.flatMap((a) => world.filter((b) => before(a, b) || (isRead(b) && b.value !== null && sourceOf(world, b) === a)).map((b): Pair => [a, b]))
  for (const [a, b] of pairs) after.get(a)!.add(b)
  for (const middle of world) for (const from of world) if (after.get(from)!.has(middle)) for (const to of after.get(middle)!) after.get(from)!.add(to)
  if (world.some((o) => after.get(o)!.has(o))) return undefined
  return (a, b) => after.get(a)!.has(b)
}

function respects(order: readonly Operation[], must: (a: Operation, b: Operation) => boolean): boolean {
  return order.every((later, at) => order.slice(0, at).every((earlier) => !must(later, earlier)))
}

/** Is there an order of the items that passes? */
function someOrder<T>(items: readonly T[], passes: (order: readonly T[]) => boolean): boolean {
  const order = [...items]
  const place = (at: number): boolean => {
    if (at >= order.length) return passes(order)
    for (let other = at; other < order.length; other++) {
      ;[order[at], order[other]] = [order[other]!, order[at]!]
      const found = place(at + 1)
      ;[order[at], order[other]] = [order[other]!, order[at]]
      if (found) return true
    }
    return false
  }
  return place(0)
}
