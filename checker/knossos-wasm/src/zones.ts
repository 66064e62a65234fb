/**
 * Registers and CAS registers whose written values are unique: linearizability in linear time by zones.
 *
 * Gibbons and Korach, "Testing shared memories" (SIAM J. Comput. 26(4), 1997, section 4). The operations on one
 * value (its write and its reads) form a cluster, which must stand together in every linearization. Let f be the
 * earliest response and s the latest invocation in it. If f < s the value must have been there from f to s: a
 * forward zone. Otherwise it need only have been there at one moment between s and f: a backward zone. The history is
 * linearizable exactly if every read sees a value written before it ends, no two forward zones overlap, and no
 * backward zone lies inside a forward one.
 *
 * Here generalised: a chain of successful compare-and-sets is one contiguous super-cluster (the CAS from a to b ends
 * a's cluster and begins b's, with nothing between). Its members' order is given, so it is possible by itself if
 * the latest invocation so far never passes a response that comes later in the chain. A crashed write or CAS took
 * effect exactly if its value was observed, by a read or by the expectation of an effective CAS; otherwise it may
 * be left out, and is.
 *
 * Values written twice, or equal to the initial one, make clusters ambiguous: then the answer is `ambiguous`, and
 * another algorithm must decide.
 */
import { DenseIndex } from './integers.ts'
import { CAS, NEVER, READ, WRITE } from './register.ts'
import type { RegisterOperations } from './register.ts'

/** `suspects`: sets of values (codes), each of which contains a violation by itself. */
export type ZoneResult =
  | { readonly type: 'holds' }
  | { readonly type: 'ambiguous' }
  | { readonly type: 'violated'; readonly suspects: readonly (readonly number[])[] }

const NOBODY = -2
const INITIAL = -1
const SUSPECTS_MAX = 64
/** What `observed` says once chains are walked: the cluster begins an effective chain, or belongs to another's. */
const HEAD = 2
const LINK = 3

/** Decides the operations of one key. Failed compare-and-sets must have been left out. */
export function checkZones(ops: RegisterOperations, initial: number): ZoneResult {
  if (ops.failedCas > 0) return { type: 'ambiguous' }
  const numbering = numberValues(ops, initial)
  const found = formClusters(ops, numbering)
  if (found === null) return { type: 'ambiguous' }
  if (found.suspects.length === 0) formZones(ops, found)
  if (found.suspects.length === 0) sweep(ops, found)
  if (found.suspects.length === 0) return { type: 'holds' }
  return { type: 'violated', suspects: found.suspects.map((list) => list.map(numbering.codeOf)) }
}

/** Values as clusters: cluster = column[i] + shift. */
interface Numbering {
  readonly a: Int32Array
  readonly b: Int32Array
  readonly shift: number
  readonly initial: number
  readonly count: number
  readonly codeOf: (cluster: number) => number
}

/** Small integers number themselves (null is -1, hence the shift); everything else goes through a table. */
function numberValues(ops: RegisterOperations, initial: number): Numbering {
  const { length, kind, a, b } = ops
  let min = initial
  let max = initial
  for (let i = 0; i < length; i++) {
    const v = a[i]!
    if (v < min) min = v
    if (v > max) max = v
    if (kind[i] === CAS) {
      const w = b[i]!
      if (w < min) min = w
      if (w > max) max = w
    }
  }
  if (min >= -1 && max < 4 * length + 1024) return { a, b, shift: 1, initial: initial + 1, count: max + 2, codeOf: (cluster) => cluster - 1 }
  const index = new DenseIndex(length)
  index.add(initial)
  const mappedA = new Int32Array(length)
  const mappedB = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    mappedA[i] = index.add(a[i]!)
    if (kind[i] === CAS) mappedB[i] = index.add(b[i]!)
  }
  return { a: mappedA, b: mappedB, shift: 0, initial: 0, count: index.size, codeOf: (cluster) => index.keys[cluster]! }
}

interface Clusters {
  readonly numbering: Numbering
  readonly count: number
  /** Operation that made the value; INITIAL, NOBODY. */
  readonly writer: Int32Array
  readonly observed: Uint8Array
  /** Earliest response and latest invocation of the reads; later, at the head of a chain, of all of it. */
  readonly firstReturn: Int32Array
  readonly lastInvoke: Int32Array
  /** The effective CAS that consumes the value, and the cluster it makes; -1. Empty when there is no CAS. */
  readonly consumer: Int32Array
  readonly next: Int32Array
  /** Clusters that contain a violation together. */
  readonly suspects: number[][]
}

/** Finds the writer of every value and what its readers say; null when a value has two writers. */
function formClusters(ops: RegisterOperations, numbering: Numbering): Clusters | null {
  const { length, kind, inv, ret } = ops
  const { a, b, shift, count } = numbering
  const writer = new Int32Array(count).fill(NOBODY)
  writer[numbering.initial] = INITIAL
  let swaps = 0
  for (let i = 0; i < length; i++) {
    const k = kind[i]
    if (k === READ) continue
    if (k === CAS) swaps++
    const c = (k === WRITE ? a[i]! : b[i]!) + shift
    if (writer[c] !== NOBODY) return null
    writer[c] = i
  }
  const observed = new Uint8Array(count)
  const firstReturn = new Int32Array(count).fill(NEVER)
  const lastInvoke = new Int32Array(count).fill(-1)
  const links = swaps === 0 ? 0 : count
  const found: Clusters = { numbering, count, writer, observed, firstReturn, lastInvoke, consumer: new Int32Array(links).fill(-1), next: new Int32Array(links).fill(-1), suspects: [] }
  for (let i = 0; i < length; i++) {
    if (kind[i] === READ) {
      const c = a[i]! + shift
      if (ret[i]! < firstReturn[c]!) firstReturn[c] = ret[i]!
      if (inv[i]! > lastInvoke[c]!) lastInvoke[c] = inv[i]!
      if (observed[c] === 0) observe(found, ops, c)
    } else if (kind[i] === CAS && ret[i] !== NEVER) {
      consume(found, ops, i)
    }
  }
  return found
}

/** The CAS of operation i took effect: it consumes its expected value. */
function consume(found: Clusters, ops: RegisterOperations, i: number): void {
  const { a, b, shift } = found.numbering
  const from = a[i]! + shift
  const to = b[i]! + shift
  if (found.consumer[from] === i) return
  if (found.consumer[from]! >= 0) {
    suspect(found, [from, found.next[from]!, to])
    return
  }
  found.consumer[from] = i
  found.next[from] = to
  observe(found, ops, from)
}

/** Somebody saw a value: whoever made it took effect, even if it crashed; a CAS that did saw a value in its turn. */
function observe(found: Clusters, ops: RegisterOperations, cluster: number): void {
  if (found.observed[cluster] === 1) return
  found.observed[cluster] = 1
  const w = found.writer[cluster]!
  if (w === NOBODY) suspect(found, [cluster])
  else if (w >= 0 && ops.kind[w] === CAS && ops.ret[w] === NEVER) consume(found, ops, w)
}

function suspect(found: Clusters, clusters: number[]): void {
  if (found.suspects.length < SUSPECTS_MAX) found.suspects.push(clusters)
}

/** Walks every chain from the write (or the initial value) at its head; leaves the zone's ends there, and clears `observed` elsewhere. */
function formZones(ops: RegisterOperations, found: Clusters): void {
  const { kind, inv, ret } = ops
  const { writer, observed, firstReturn, lastInvoke, consumer } = found
  const chains = consumer.length > 0
  let chained = 0
  for (let c = 0; c < found.count; c++) {
    const w = writer[c]!
    if (w === NOBODY) continue
    if (w >= 0 && kind[w] === CAS) {
      if (ret[w] !== NEVER || observed[c] === 1) chained++
      observed[c] = LINK
      continue
    }
    if (w === INITIAL ? observed[c] === 0 : ret[w] === NEVER && observed[c] === 0) continue
    observed[c] = HEAD
    if (chains && consumer[c]! >= 0) {
      chained -= walkChain(ops, found, c)
      continue
    }
    const begun = w < 0 ? -1 : inv[w]!
    const ended = w < 0 ? -1 : ret[w]!
    if (firstReturn[c]! < begun) suspect(found, [c])
    if (ended < firstReturn[c]!) firstReturn[c] = ended
    if (begun > lastInvoke[c]!) lastInvoke[c] = begun
  }
  if (chained > 0 && found.suspects.length === 0) suspect(found, unreached(ops, found))
}

/** Returns how many compare-and-sets the chain holds. */
function walkChain(ops: RegisterOperations, found: Clusters, head: number): number {
  const { inv, ret } = ops
  const { firstReturn, lastInvoke, consumer, next } = found
  const w = found.writer[head]!
  let latest = w < 0 ? -1 : inv[w]!
  let f = w < 0 ? -1 : ret[w]!
  let s = latest
  let links = 0
  for (let c = head; ; links++) {
    const reads = firstReturn[c]!
    const last = lastInvoke[c]!
    if (reads < latest) suspect(found, chainOf(found, head, c))
    if (reads < f) f = reads
    if (last > s) s = last
    if (last > latest) latest = last
    const cas = consumer[c]!
    if (cas < 0) break
    if (ret[cas]! < latest) suspect(found, chainOf(found, head, next[c]))
    if (ret[cas]! < f) f = ret[cas]!
    if (inv[cas]! > latest) latest = inv[cas]!
    if (inv[cas]! > s) s = inv[cas]!
    c = next[c]!
  }
  firstReturn[head] = f
  lastInvoke[head] = s
  return links
}

/** The clusters of a chain from its head to `last` (or all of it). */
function chainOf(found: Clusters, head: number, last = -1): number[] {
  if (found.next.length === 0) return [head]
  const list: number[] = []
  for (let c = head; c >= 0 && list.length < 4096; c = found.next[c]!) {
    list.push(c)
    if (c === last) break
  }
  return list
}

/** Effective compare-and-sets in a ring: each needs another's value first. */
function unreached(ops: RegisterOperations, found: Clusters): number[] {
  const reached = new Uint8Array(found.count)
  for (let head = 0; head < found.count; head++) {
    if (found.observed[head] !== HEAD) continue
    for (let c = head; c >= 0 && reached[c] === 0; c = found.next[c]!) reached[c] = 1
  }
  for (let c = 0; c < found.count; c++) {
    const w = found.writer[c]!
    if (reached[c] === 1 || w < 0 || ops.kind[w] !== CAS || (ops.ret[w] === NEVER && found.next[c]! < 0 && found.lastInvoke[c]! < 0)) continue
    const ring = [c]
    for (let d = found.next[c]!; d >= 0 && d !== c && !ring.includes(d); d = found.next[d]!) ring.push(d)
    return ring
  }
  return []
}

/** Goes over the ranks once: forward zones in order of f, backward ones in order of s. */
function sweep(ops: RegisterOperations, found: Clusters): void {
  const { firstReturn, lastInvoke, observed } = found
  // One slot per rank, and one before them all: the initial value's zone begins before everything.
  const first = new Int32Array(ops.events + 1).fill(-1)
  const after = new Int32Array(found.count).fill(-1)
  for (let c = 0; c < found.count; c++) {
    if (observed[c] !== HEAD) continue
    const f = firstReturn[c]!
    const s = lastInvoke[c]!
    const slot = 1 + (f < s ? f : s)
    after[c] = first[slot]!
    first[slot] = c
  }
  let open = -1
  for (let slot = 0; slot <= ops.events; slot++) {
    for (let c = first[slot]!; c >= 0; c = after[c]!) {
      const f = firstReturn[c]!
      const s = lastInvoke[c]!
      if (open >= 0 && f < lastInvoke[open]! && firstReturn[open]! < s) suspect(found, [...chainOf(found, open), ...chainOf(found, c)])
      if (f < s && (open < 0 || s > lastInvoke[open]!)) open = c
    }
  }
}
