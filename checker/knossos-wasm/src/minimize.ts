/**
 * The smallest set of operations that is by itself not linearizable (registers).
 *
 * Leaving operations out must never make a violation: a read without its write would be "wrong" for a silly reason.
 * So only *closed* sets count. A set S is closed if for every operation r in it that needs a value, every operation
 * that could have made that value for r is in S as well. Who could have? Whoever makes the value, was invoked before
 * r ended, and is not cut off from r by a mutator of S that lies between them in real time. Then, if the whole
 * history had a linearization, the part of it on S would be one too: directly before r stands the same mutator in
 * both. So a closed set that is not linearizable proves that the history is not.
 *
 * Shrinking is delta debugging (Zeller and Hildebrandt 2002) over closed sets, each checked afresh.
 */
import { sortedOrder } from './integers.ts'
import { CAS, FAILED_CAS, NEVER, READ, WRITE } from './register.ts'
import type { RegisterOperations } from './register.ts'

/** Whether a set of operations is, by itself, certainly not linearizable. */
export type Refutes = (ops: RegisterOperations) => boolean

/** The operations at these indices (ascending), as a history of its own with its own ranks. */
export function subset(ops: RegisterOperations, indices: readonly number[]): RegisterOperations {
  const n = indices.length
  const pick = (column: Int32Array): Int32Array => Int32Array.from(indices, (i) => column[i]!)
  const inv = pick(ops.inv)
  const ret = pick(ops.ret)
  const ends = new Int32Array(n * 2)
  ends.set(inv)
  ends.set(ret, n)
  let events = 0
  for (const i of sortedOrder(ends, n * 2)) {
    if (i < n) inv[i] = events++
    else if (ret[i - n] !== NEVER) ret[i - n] = events++
  }
  const kind = Uint8Array.from(indices, (i) => ops.kind[i]!)
  return { length: n, kind, a: pick(ops.a), b: pick(ops.b), inv, ret, row: pick(ops.row), events, failedCas: kind.filter((k) => k === FAILED_CAS).length }
}

const made = (ops: RegisterOperations, i: number): number => (ops.kind[i] === WRITE ? ops.a[i]! : ops.b[i]!)
const mutates = (ops: RegisterOperations, i: number): boolean => ops.kind[i] === WRITE || ops.kind[i] === CAS

/** Shrinks a closed set that refutes, to one from which nothing can be left out. */
export function minimize(ops: RegisterOperations, start: readonly number[], refutes: Refutes): number[] {
  let set = [...start]
  for (let chunk = set.length >> 1; chunk >= 1;) {
    let shrunk = false
    for (let from = set.length - chunk; from > -chunk; from -= chunk) {
      const low = Math.max(0, from)
      const smaller = closedPart(ops, set.filter((_, i) => i < low || i >= from + chunk))
      if (smaller.length < set.length && smaller.length > 0 && refutes(subset(ops, smaller))) {
        set = smaller
        shrunk = true
        from = Math.min(from, set.length)
      }
    }
    if (!shrunk || chunk > set.length) chunk = Math.min(chunk, set.length) >> 1
  }
  return set
}

/** Walks back from an operation that cannot be placed until the closed part of what it passed refutes by itself. */
export function windowBefore(ops: RegisterOperations, end: number, refutes: Refutes): number[] {
  let prefix = 0
  while (prefix < ops.length && ops.inv[prefix]! < end) prefix++
  for (let size = 16; ; size *= 2) {
    const from = Math.max(0, prefix - size)
    const set = closedPart(ops, Array.from({ length: prefix - from }, (_, i) => from + i))
    if (from === 0 || (set.length > 0 && refutes(subset(ops, set)))) return set
  }
}

/**
 * Adds, for every value that a set reads but nobody in it makes, the last operation that made it (or the
 * first that will). They prove nothing
 * (they are cut off), but without them a stale read looks like one of a value that was never written.
 */
export function withOrigins(ops: RegisterOperations, set: readonly number[]): number[] {
  const makers = makersByValue(ops)
  const inside = new Set(set)
  const present = new Set(set.filter((i) => mutates(ops, i)).map((i) => made(ops, i)))
  for (const r of set) {
    if (ops.kind[r] === WRITE || ops.kind[r] === FAILED_CAS || present.has(ops.a[r]!)) continue
    const others = (makers.get(ops.a[r]!) ?? []).filter((m) => m !== r)
    const before = others.filter((m) => ops.inv[m]! < ops.inv[r]!)
    if (before.length > 0) inside.add(before.reduce((last, m) => (ops.ret[m]! > ops.ret[last]! ? m : last)))
    else if (others.length > 0) inside.add(others[0]!)
  }
  return [...inside].sort((x, y) => x - y)
}

/** The largest closed part of a set: operations whose possible makers are missing go, until none is. */
export function closedPart(ops: RegisterOperations, set: readonly number[]): number[] {
  let kept = [...set]
  const makers = makersByValue(ops)
  for (;;) {
    const inside = new Set(kept)
    const cuts = cutOff(ops, kept)
    const next = kept.filter((r, i) => ops.kind[r] === WRITE || possibleMakers(ops, makers, r, cuts[i]!).every((m) => inside.has(m)))
    if (next.length === kept.length) return next
    kept = next
  }
}

/** For each operation: the latest invocation among the set's acknowledged mutators that end before it begins; -1. */
function cutOff(ops: RegisterOperations, set: readonly number[]): number[] {
  const ends = set.filter((i) => mutates(ops, i) && ops.ret[i] !== NEVER).sort((x, y) => ops.ret[x]! - ops.ret[y]!)
  const latest: number[] = []
  for (const i of ends) latest.push(Math.max(latest.at(-1) ?? -1, ops.inv[i]!))
  return set.map((r) => {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (ops.ret[ends[middle]!]! < ops.inv[r]!) low = middle + 1
      else high = middle
    }
    return low === 0 ? -1 : latest[low - 1]!
  })
}

const makersCache = new WeakMap<RegisterOperations, Map<number, number[]>>()

function makersByValue(ops: RegisterOperations): Map<number, number[]> {
  let makers = makersCache.get(ops)
  if (makers === undefined) {
    makers = new Map()
    for (let i = 0; i < ops.length; i++) {
      if (!mutates(ops, i)) continue
      const list = makers.get(made(ops, i))
      if (list === undefined) makers.set(made(ops, i), [i])
      else list.push(i)
    }
    makersCache.set(ops, makers)
  }
  return makers
}

function possibleMakers(ops: RegisterOperations, makers: Map<number, number[]>, r: number, cut: number): number[] {
  const could = (m: number): boolean => m !== r && ops.ret[m]! >= cut && ops.inv[m]! < ops.ret[r]!
  if (ops.kind[r] === READ || ops.kind[r] === CAS) return (makers.get(ops.a[r]!) ?? []).filter(could)
  const list: number[] = []
  for (const [value, some] of makers) if (value !== ops.a[r]) for (const m of some) if (could(m)) list.push(m)
  return list
}
