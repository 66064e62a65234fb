/**
 * A hash tree over the ring: Merkle's idea (CRYPTO 1987) as Dynamo uses it (SOSP 2007, section 4.7). Two replicas that
 * agree learn it from one number; two that do not find the ranges of keys that differ in as many rounds as the tree is
 * deep.
 *
 * A leaf is a range of tokens that lies within one arc of the ring, so that all its keys have the same replicas. A
 * digest, of a leaf as of a node above, is the XOR of the digests of the cells under it: a changed cell changes its
 * path in as many steps as the tree is deep, without looking at the others. Every pair of nodes has a tree of its own,
 * over the leaves that it shares.
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
/** Tokens between two of these cuts. */
const STEP = TOKENS / GRID

/** Digests of 53 bits, so that they fit a number. */
const HIGH_BITS = 0x1fffff

/** Where the ring is cut, and who shares what. */
export interface Arcs extends Pick<PreferenceLists, 'replicas'> {
  /** Where arcs end. */
  readonly tokens: readonly number[]
}

/** For lookups whose arcs nobody knows as a whole: the grid alone, and nothing that is known to be shared. */
export const UNKNOWN_ARCS: Arcs = { tokens: [], replicas: () => [] }

/** How a ring is cut into leaves; the nodes of one process share that of a ring as they share the ring. */
class Leaves {
  /** First token of each leaf, ascending. */
  readonly starts: readonly number[]
  /** The first leaf behind each cut of the grid, and how many leaves there are. */
  readonly #firsts: Uint32Array
  readonly #holders: readonly (readonly NodeId[])[]
  readonly #between = new Map<string, SharedLeaves>()

  private constructor(ring: Arcs) {
    const cuts = new Set<number>()
    for (let i = 0; i < GRID; i++) cuts.add(i * STEP)
    // An arc ends with the token of its place: the next one begins behind it.
    for (const token of ring.tokens) if (token + 1 < TOKENS) cuts.add(token + 1)
    this.starts = [...cuts].sort((a, b) => a - b)
    this.#firsts = new Uint32Array(GRID + 1).fill(this.starts.length)
    for (let leaf = this.starts.length - 1; leaf >= 0; leaf--) this.#firsts[Math.floor(this.starts[leaf]! / STEP)] = leaf
    this.#holders = this.starts.map(token => ring.replicas(token))
  }

  static readonly #known = new WeakMap<Arcs, Leaves>()

  static of(ring: Arcs): Leaves {
    const leaves = Leaves.#known.get(ring) ?? new Leaves(ring)
    Leaves.#known.set(ring, leaves)
    return leaves
  }

  /** The leaf that a token lies in. */
  leafOf(token: number): number {
    const square = Math.floor(token / STEP)
    let low = this.#firsts[square]!
    let high = this.#firsts[square + 1]! - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.starts[middle]! <= token) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The leaves whose keys both hold. */
  between(one: NodeId, other: NodeId): SharedLeaves {
    const pair = [one, other].sort().join(' ')
    let shared = this.#between.get(pair)
    if (shared === undefined) {
      const leaves = this.#holders.flatMap((holders, leaf) => (holders.includes(one) && holders.includes(other) ? [leaf] : []))
      const places = new Int32Array(this.starts.length).fill(-1)
      leaves.forEach((leaf, place) => (places[leaf] = place))
      this.#between.set(pair, (shared = { leaves, places }))
    }
    return shared
  }
}

/** Leaves that two nodes share, ascending, and for every leaf of the ring its place among them, or -1. */
interface SharedLeaves {
  readonly leaves: readonly number[]
  readonly places: Int32Array
}

/** The digest of everything that one replica holds, by range of tokens. */
export class RangeDigests {
  readonly #leaves: Leaves
  readonly #starts: readonly number[]
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  readonly #self: NodeId
  readonly #shared = new Map<NodeId, SharedTree>()

  constructor(ring: Arcs, self: NodeId) {
    this.#leaves = Leaves.of(ring)
    this.#starts = this.#leaves.starts
    this.#low = new Uint32Array(this.#starts.length)
    this.#high = new Uint32Array(this.#starts.length)
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
    return this.#leaves.leafOf(token)
  }

  /** The first leaf from this one on that holds any cell. */
  nextHeld(leaf: number): number | undefined {
    for (let i = leaf; i < this.#starts.length; i++) if (this.#low[i] !== 0 || this.#high[i] !== 0) return i
    return undefined
  }

  /** The digest of a leaf. */
  digest(leaf: number): number {
    return join(this.#low[leaf]!, this.#high[leaf]!)
  }

  /** One cell took the place of another, in the leaf that is returned. */
  replace(token: number, before: Cell, after: Cell): number {
    const [old, young] = [digestOf(token, before), digestOf(token, after)]
    const low = old[0] ^ young[0]
    const high = old[1] ^ young[1]
    const leaf = this.leafOf(token)
    this.#low[leaf]! ^= low
    this.#high[leaf]! ^= high
    for (const tree of this.#shared.values()) tree.change(leaf, low, high)
    return leaf
  }

  /** The tree over the leaves whose keys both this node and the peer hold. */
  shared(peer: NodeId): SharedTree {
    let tree = this.#shared.get(peer)
    if (tree === undefined) {
      tree = new SharedTree(this.#leaves.between(this.#self, peer), this.#low, this.#high)
      this.#shared.set(peer, tree)
    }
    return tree
  }
}

/** A hash tree over some leaves. Level 0 holds their digests, the last level the root alone. */
export class SharedTree {
  /** The leaves, ascending. */
  readonly leaves: readonly number[]
  readonly #places: Int32Array
  readonly #levels: { readonly low: Uint32Array; readonly high: Uint32Array }[]

  /** `low` and `high` are the two words of every leaf's digest. */
  constructor({ leaves, places }: SharedLeaves, low: Uint32Array, high: Uint32Array) {
    this.leaves = leaves
    this.#places = places
    this.#levels = widths(leaves.length).map(width => ({ low: new Uint32Array(width), high: new Uint32Array(width) }))
    for (const leaf of leaves) if (low[leaf] !== 0 || high[leaf] !== 0) this.change(leaf, low[leaf]!, high[leaf]!)
  }

  /** How many levels there are. */
  get depth(): number {
    return this.#levels.length
  }

  /** How many nodes a level has. */
  width(level: number): number {
    return this.#levels[level]?.low.length ?? 0
  }

  /** The digest of a node; undefined where there is none. */
  digest(level: number, index: number): number | undefined {
    if (!(index < this.width(level))) return undefined
    const { low, high } = this.#levels[level]!
    return join(low[index]!, high[index]!)
  }

  /** A leaf's digest changed by these two words. */
  change(leaf: number, low: number, high: number): void {
    let index = this.#places[leaf]!
    if (index < 0) return
    for (const level of this.#levels) {
      level.low[index]! ^= low
      level.high[index]! ^= high
      index = (index / FANOUT) | 0
    }
  }
}

/** How many nodes each level has above so many leaves. */
function widths(leaves: number): number[] {
  return leaves <= 1 ? [leaves] : [leaves, ...widths(Math.ceil(leaves / FANOUT))]
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
  return join(low, high)
}

function join(low: number, high: number): number {
  return ((high >>> 0) & HIGH_BITS) * TOKENS + (low >>> 0)
}
