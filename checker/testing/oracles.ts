/**
 * The models by their definitions, by brute force: every order, every set of unknown operations. Only for histories
 * of a handful of operations. Written from the definitions alone, on plain operations, so that an error in the
 * judgements' columns, indices or shortcuts cannot be repeated here.
 */
import type { Json } from '../history/index.ts'
import type { Operation } from './operations.ts'

/** A set of a world's operations, by their places in it. Histories have fewer than 31. */
type Bits = number

/** For each operation of a world those that come before it. */
type Order = readonly Bits[]

/** One way in which it may have been. */
interface World {
  /** What took place, in the order of invocation. */
  readonly all: readonly Operation[]
  readonly reads: Bits
  readonly writes: Bits
  /** For each read the write that it returned; -1 where there is none. */
  readonly source: readonly number[]
  /** Each session's own order. */
  readonly sessions: Order
  /** Session order and reads-from, transitively; undefined when it has a cycle. */
  readonly causes: Order | undefined
}

const completed = (o: Operation): number => (o.outcome === 'ok' ? o.end : Infinity)
const precedes = (a: Operation, b: Operation): boolean => completed(a) < b.start
const before = (a: Operation, b: Operation): boolean => a.process === b.process && a.start < b.start
const isRead = (o: Operation): boolean => o.f === 'read'
const isWrite = (o: Operation): boolean => o.f === 'write'
const unsure = (o: Operation): boolean => isWrite(o) && (o.outcome === 'info' || o.outcome === 'open')

const has = (bits: Bits, at: number): boolean => ((bits >> at) & 1) === 1
const where = (all: readonly Operation[], passes: (o: Operation) => boolean): Bits => all.reduce((bits, o, at) => (passes(o) ? bits | (1 << at) : bits), 0)
const orderedBy = (all: readonly Operation[], ordered: (a: Operation, b: Operation) => boolean): Order => all.map((b) => where(all, (a) => ordered(a, b)))

function members(bits: Bits): number[] {
  const places: number[] = []
  for (let left = bits; left !== 0; left &= left - 1) places.push(31 - Math.clz32(left & -left))
  return places
}

const known = new WeakMap<readonly Operation[], readonly World[]>()

/** Every way in which the operations of unknown outcome may or may not have happened, without failed ones and reads that returned nothing. Kept with the operations, because many models ask. */
function worlds(operations: readonly Operation[]): readonly World[] {
  let every = known.get(operations)
  if (every === undefined) {
    const certain = operations.filter((o) => o.outcome === 'ok')
    const unknown = operations.filter(unsure)
    every = Array.from({ length: 2 ** unknown.length }, (_, bits) => worldOf([...certain, ...unknown.filter((_one, at) => has(bits, at))]))
    known.set(operations, every)
  }
  return every
}

function worldOf(operations: readonly Operation[]): World {
  const all = operations.toSorted((a, b) => a.start - b.start)
  const source = all.map((read) => (isRead(read) ? all.findIndex((o) => isWrite(o) && o.key === read.key && o.value === read.value) : -1))
  const sessions = orderedBy(all, before)
  return { all, reads: where(all, isRead), writes: where(all, isWrite), source, sessions, causes: acyclic(sessions.map((earlier, at) => (source[at]! < 0 ? earlier : earlier | (1 << source[at]!)))) }
}

/** The transitive closure; undefined when something comes before itself. */
function acyclic(order: Order): Order | undefined {
  const all = [...order]
  for (let via = 0; via < all.length; via++) for (let at = 0; at < all.length; at++) if (has(all[at]!, via)) all[at]! |= all[via]!
  return all.some((earlier, at) => has(earlier, at)) ? undefined : all
}

/** Whether some operations of a world can be put in one order that keeps the given one and in which every read returns the last write. */
function serializable({ all }: World, some: Bits, order: Order): boolean {
  const state = new Map<string, Json>()
  const step = (left: Bits): boolean => {
    if (left === 0) return true
    for (let at = 0; at < all.length; at++) {
      if (!has(left, at) || (order[at]! & left) !== 0) continue
      const next = all[at]!
      const held = state.get(next.key) ?? null
      if (isRead(next) && held !== next.value) continue
      if (isWrite(next)) state.set(next.key, next.value)
      if (step(left & ~(1 << at))) return true
      state.set(next.key, held)
    }
    return false
  }
  return step(some)
}

const everything = ({ reads, writes }: World): Bits => reads | writes
const ofKey = ({ all }: World, some: Bits, key: string): Bits => some & where(all, (o) => o.key === key)

/** Herlihy and Wing 1990. */
export const linearizable = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => serializable(world, everything(world), orderedBy(world.all, (a, b) => before(a, b) || precedes(a, b))))

/** Lamport 1979. */
export const sequential = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => serializable(world, everything(world), world.sessions))

/** Regular with several writers: each read alone, with all writes to its key, in an order that keeps real time. */
export const regular = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const realTime = orderedBy(world.all, precedes)
    return members(world.reads).every((read) => serializable(world, ofKey(world, world.writes, world.all[read]!.key) | (1 << read), realTime))
  })

/** Safe: as regular for the reads that overlap no write; the others return what somebody wrote, some time, or the initial value. */
export const safe = (operations: readonly Operation[]): boolean => {
  const domain = (read: Operation): boolean => read.value === null || operations.some((o) => isWrite(o) && o.outcome !== 'fail' && o.key === read.key && o.value === read.value)
  return worlds(operations).some((world) => {
    const realTime = orderedBy(world.all, precedes)
    return members(world.reads).every((at) => {
      const read = world.all[at]!
      const writes = ofKey(world, world.writes, read.key)
      const overlaps = members(writes).some((write) => !precedes(world.all[write]!, read) && !precedes(read, world.all[write]!))
      return domain(read) && (overlaps || serializable(world, writes | (1 << at), realTime))
    })
  })
}

/** Lipton and Sandberg 1988: for each session an order of its reads and all writes that keeps every session's order. */
export const pipelined = (operations: readonly Operation[]): boolean => worlds(operations).some((world) => everySession(world, (session) => serializable(world, world.writes | ofSession(world, session), world.sessions)))

/** Ahamad et al. 1995: the same, keeping happens-before. */
export const causalMemory = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const { causes } = world
    return causes !== undefined && everySession(world, (session) => serializable(world, world.writes | ofSession(world, session), causes))
  })

/** Bouajjani et al. 2017: for each read an order of its causes, that keeps happens-before, in which the last write to its key is the one it returned. */
export const weakCausal = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const { causes } = world
    return causes !== undefined && members(world.reads).every((read) => serializable(world, (world.writes & causes[read]!) | (1 << read), causes))
  })

/** Bouajjani et al. 2017: one order of all writes, that keeps happens-before, explains every read from its causes. */
export const causalConvergence = (operations: readonly Operation[]): boolean =>
  worlds(operations).some((world) => {
    const { causes } = world
    return causes !== undefined && someOrder(world.writes, causes, (arbitration) => members(world.reads).every((read) => returns(world, read, arbitration, causes[read]!)))
  })

/** Aiyer et al. 2005: one order in real time, of one key, in which every read returns one of the last k writes (the initial value being the first). */
export const kAtomic = (operations: readonly Operation[], k: number): boolean =>
  worlds(operations).some((world) => {
    const { all } = world
    const realTime = orderedBy(all, precedes)
    const values: Json[] = [null]
    const step = (left: Bits): boolean => {
      if (left === 0) return true
      for (const at of members(left)) {
        const next = all[at]!
        if ((realTime[at]! & left) !== 0 || (isRead(next) && !values.slice(-k).includes(next.value))) continue
        if (isWrite(next)) values.push(next.value)
        if (step(left & ~(1 << at))) return true
        if (isWrite(next)) values.pop()
      }
      return false
    }
    return step(everything(world))
  })

/** Golab et al. 2011: atomic once every read begins so many milliseconds earlier. Of one key. */
export const deltaAtomic = (operations: readonly Operation[], delta: number): boolean =>
  worlds(operations.map((o) => (isRead(o) ? { ...o, start: o.start - delta } : o))).some((world) => serializable(world, everything(world), orderedBy(world.all, precedes)))

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
  for (const session of new Set(world.all.map((o) => o.process))) {
    if (!explain(world, session, none)) return [true, true, true, true]
    const ownWrites = explain(world, session, { ...none, ownWrites: true })
    const monotonicReads = explain(world, session, { ...none, ownWrites, monotonicReads: true })
    const monotonicWrites = monotonicReads && explain(world, session, { ...none, ownWrites, monotonicReads, monotonicWrites: true })
    if (!ownWrites) broken[0] = true
    if (!monotonicReads) broken[1] = true
    if (monotonicReads && !monotonicWrites) broken[2] = true
    if (ownWrites && monotonicWrites && !explain(world, session, { ownWrites, monotonicReads, monotonicWrites, writesFollowReads: true })) broken[3] = true
  }
  if (world.causes === undefined) broken[3] = true
  return broken
}

/** All four guarantees at once for every session. */
export const causal = (operations: readonly Operation[]): boolean => allAtOnce(operations, true)

/** The first three. */
export const pram = (operations: readonly Operation[]): boolean => allAtOnce(operations, false)

function allAtOnce(operations: readonly Operation[], writesFollowReads: boolean): boolean {
  return worlds(operations).some((world) => {
    if (writesFollowReads && world.causes === undefined) return false
    return everySession(world, (session) => explained(world, session, { ownWrites: true, monotonicReads: true, monotonicWrites: true, writesFollowReads }))
  })
}

/** Writes that somebody read took place; nothing else that is unknown did. */
function observed(operations: readonly Operation[]): World {
  const certain = operations.filter((o) => o.outcome === 'ok')
  return worldOf([...certain, ...operations.filter((w) => unsure(w) && certain.some((r) => isRead(r) && r.key === w.key && r.value === w.value))])
}

/** Does an explanation of the session exist? With the smallest sets of visible writes, found by applying the rules until nothing changes. */
export function explained(world: World, session: number, guarantees: Guarantees): boolean {
  const reads = members(world.reads & ofSession(world, session))
  const visible = reads.map((read, at) => {
    const seen = (guarantees.monotonicReads ? reads.slice(0, at + 1) : [read]).map((one) => world.source[one]!)
    const returned = seen.reduce((bits, from) => (from < 0 ? bits : bits | (1 << from)), 0)
    return closed(world, guarantees.ownWrites ? returned | (world.writes & world.sessions[read]!) : returned, guarantees)
  })
  return arbitrated(world, session, guarantees, reads, visible)
}

/** The same with every possible choice of visible sets: to show that the smallest are the best. */
export function explainedAnyhow(world: World, session: number, guarantees: Guarantees): boolean {
  const reads = members(world.reads & ofSession(world, session))
  const writes = members(world.writes)
  const choose = (at: number, chosen: readonly Bits[]): boolean => {
    if (at === reads.length) return arbitrated(world, session, guarantees, reads, chosen)
    for (let choice = 0; choice < 2 ** writes.length; choice++) {
      const visible = writes.reduce((bits, write, index) => (has(choice, index) ? bits | (1 << write) : bits), 0)
      if (closed(world, visible, guarantees) !== visible) continue
      if (guarantees.ownWrites && (world.writes & world.sessions[reads[at]!]! & ~visible) !== 0) continue
      if (guarantees.monotonicReads && at > 0 && (chosen[at - 1]! & ~visible) !== 0) continue
      if (choose(at + 1, [...chosen, visible])) return true
    }
    return false
  }
  return choose(0, [])
}

/** What must be visible with these writes. */
function closed(world: World, writes: Bits, { monotonicWrites, writesFollowReads }: Guarantees): Bits {
  let visible = writes
  for (let reached = 0; reached !== visible; ) {
    reached = visible
    for (const write of members(reached)) {
      const earlier = world.sessions[write]!
      if (monotonicWrites) visible |= earlier & world.writes
      if (writesFollowReads) for (const read of members(earlier & world.reads)) if (world.source[read]! >= 0) visible |= 1 << world.source[read]!
    }
  }
  return visible
}

function arbitrated(world: World, session: number, { writesFollowReads }: Guarantees, reads: readonly number[], visible: readonly Bits[]): boolean {
  const order = writesFollowReads ? world.causes : world.sessions
  if (order === undefined) return false
  const own = world.writes & ofSession(world, session)
  // Nothing that the session writes after a read is visible to it.
  if (reads.some((read, at) => (visible[at]! & own & ~world.sessions[read]!) !== 0)) return false
  const keyOf = (read: number): string => world.all[read]!.key
  return [...new Set(reads.map(keyOf))].every((key) =>
    someOrder(ofKey(world, world.writes, key), order, (arbitration) => reads.every((read, at) => keyOf(read) !== key || returns(world, read, arbitration, visible[at]!))),
  )
}

/** Whether a read returns the last visible write to its key, or the initial value when there is none. */
function returns({ all }: World, read: number, arbitration: readonly number[], visible: Bits): boolean {
  const last = arbitration.findLast((write) => has(visible, write) && all[write]!.key === all[read]!.key)
  return (last === undefined ? null : all[last]!.value) === all[read]!.value
}

const ofSession = (world: World, session: number): Bits => where(world.all, (o) => o.process === session)

function everySession(world: World, holds: (session: number) => boolean): boolean {
  return [...new Set(world.all.map((o) => o.process))].every(holds)
}

/** Is there an order of these operations, keeping the given one, that passes? */
function someOrder(some: Bits, order: Order, passes: (chosen: readonly number[]) => boolean): boolean {
  const chosen: number[] = []
  const place = (left: Bits): boolean => {
    if (left === 0) return passes(chosen)
    for (const at of members(left)) {
      if ((order[at]! & left) !== 0) continue
      chosen.push(at)
      if (place(left & ~(1 << at))) return true
      chosen.pop()
    }
    return false
  }
  return place(some)
}
