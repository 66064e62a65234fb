/**
 * A hash tree over the ring: Merkle's idea (CRYPTO 1987) as Dynamo uses it (SOSP 2007, section 4.7). Two replicas that
 * agree learn it from one number; two that do not find the ranges of keys that differ in as many rounds as the tree is
 * deep.
 *
 * A leaf is a range of tokens that lies within one arc of the ring, so that all its keys have the same replicas. Its
 * digest is the XOR of its cells' digests: a changed cell changes it in constant time, without looking at the others.
 * The levels above are hashed when they are asked for, over the leaves that a pair of nodes shares.
 */
import type { NodeId } from '../../../harness/env.ts'
import { fold, murmur3 } from '../hash.ts'
import { TOKENS } from '../partitioner.ts'
import type { TokenRange } from '../partitioner.ts'
import type { PreferenceLists } from '../ring.ts'
import { ABSENT } from '../versions.ts'
import type { Cell } from '../versions.ts'

/** Children of a node. */
export const FANOUT = 64

/** Cuts of the ring beside its own arcs: more leaves mean fewer cells to compare where something differs. */
const GRID = 1024

/** Digests of 53 bits, so that they fit a number. */
const HIGH_BITS = 0x1fffff

/** Where the ring is cut, and who shares what. */
export interface Arcs extends Pick<PreferenceLists, 'replicas'> {
  /** Where arcs end. */
  readonly tokens: readonly number[]
}

/** For lookups whose arcs nobody knows as a whole: the grid alone, and nothing that is known to be shared. */
export const UNKNOWN_ARCS: Arcs = { tokens: [], replicas: () => [] }

/** The digest of everything that one replica holds, by range of tokens. */
export class RangeDigests {
  /** First token of each leaf, ascending. */
  readonly #starts: readonly number[]
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  readonly #ring: Arcs
  readonly #self: NodeId
  readonly #shared = new Map<NodeId, readonly number[]>()
  /** Trees as they were computed last; none of them is right any more after a change. */
  readonly #trees = new Map<readonly number[], readonly (readonly number[])[]>()

  constructor(ring: Arcs, self: NodeId) {
    const cuts = new Set<number>()
    for (let i = 0; i < GRID; i++) cuts.add((i * TOKENS) / GRID)
    // An arc ends with the token of its place: the next one begins behind it.
    for (const token of ring.tokens) if (token + 1 < TOKENS) cuts.add(token + 1)
    this.#starts = [...cuts].sort((a, b) => a - b)
    this.#low = new Uint32Array(this.#starts.length)
    this.#high = new Uint32Array(this.#starts.length)
    this.#ring = ring
    this.#self = self
  }

  get leaves(): number {
    return this.#starts.length
  }

  /** The tokens of a leaf: from <= token < to. */
  range(leaf: number): TokenRange {
    return [this.#starts[leaf]!, this.#starts[leaf + 1] ?? TOKENS]
  }

  leafOf(token: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#starts[middle]! <= token) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The first leaf from this one on that holds any cell. */
  nextHeld(leaf: number): number | undefined {
    for (let i = leaf; i < this.#starts.length; i++) if (this.#low[i] !== 0 || this.#high[i] !== 0) return i
    return undefined
  }

  /** The digest of a leaf. */
  digest(leaf: number): number {
    return (this.#high[leaf]! & HIGH_BITS) * TOKENS + this.#low[leaf]!
  }

  /** One cell took the place of another. */
  replace(token: number, before: Cell, after: Cell): void {
    const leaf = this.leafOf(token)
    this.#toggle(leaf, token, before)
    this.#toggle(leaf, token, after)
    this.#trees.clear()
  }

  /** The leaves whose keys both this node and the peer hold, in order. */
  sharedLeaves(peer: NodeId): readonly number[] {
    const known = this.#shared.get(peer)
    if (known !== undefined) return known
    const shared: number[] = []
    for (let leaf = 0; leaf < this.#starts.length; leaf++) {
      const replicas = this.#ring.replicas(this.#starts[leaf]!)
      if (replicas.includes(this.#self) && replicas.includes(peer)) shared.push(leaf)
    }
    this.#shared.set(peer, shared)
    return shared
  }

  /** The tree over these leaves as they are now: level 0 holds their digests, the last level the root alone. */
  tree(leaves: readonly number[]): readonly (readonly number[])[] {
    const known = this.#trees.get(leaves)
    if (known !== undefined) return known
    let level = leaves.map(leaf => this.digest(leaf))
    const levels = [level]
    while (level.length > 1) {
      const above: number[] = []
      for (let first = 0; first < level.length; first += FANOUT) above.push(hashOf(level, first, Math.min(first + FANOUT, level.length)))
      levels.push(above)
      level = above
    }
    this.#trees.set(leaves, levels)
    return levels
  }

  #toggle(leaf: number, token: number, cell: Cell): void {
    const [low, high] = digestOf(token, cell)
    this.#low[leaf]! ^= low
    this.#high[leaf]! ^= high
  }
}

/** The digest of a cell, in two words. A version belongs to one write, and a token nearly to one key: together they are the cell. */
function digestOf(token: number, cell: Cell): readonly [low: number, high: number] {
  if (cell.counter === ABSENT.counter) return [0, 0]
  const version = fold(fold(murmur3(cell.writer, token), cell.counter), Math.floor(cell.counter / TOKENS))
  return [version, fold(version, token)]
}

/** The digest of some cells: that of a leaf, if they are all that is in it. */
export function digestOfCells(cells: Iterable<readonly [token: number, cell: Cell]>): number {
  let low = 0
  let high = 0
  for (const [token, cell] of cells) {
    const digest = digestOf(token, cell)
    low ^= digest[0]
    high ^= digest[1]
  }
  return ((high >>> 0) & HIGH_BITS) * TOKENS + (low >>> 0)
}

function hashOf(level: readonly number[], from: number, to: number): number {
  let low = 0
  let high = 1
  for (let i = from; i < to; i++) {
    const digest = level[i]!
    low = fold(fold(low, digest), Math.floor(digest / TOKENS))
    high = fold(high, low)
  }
  return (high & HIGH_BITS) * TOKENS + low
}
