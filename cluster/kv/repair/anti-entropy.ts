/**
 * Anti-entropy: replicas compare what they hold and give each other what is missing, so that they agree in the end
 * whatever was lost on the way (Demers et al., "Epidemic algorithms for replicated database maintenance", PODC 1987).
 *
 * Within one interval a node compares itself with every other node, one after the other: down the hash tree to the
 * leaves that differ, then cell by cell in these, pulling what is newer there and pushing what is newer here.
 * Tombstones are cells like others, so deletions spread as well.
 *
 * Under load some leaves always differ, because writes are on their way. Leaves are therefore reconciled a few at a
 * time in random order, and the rest is left for the next round as soon as a few show nothing to repair.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import { COMPARE } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import { FANOUT } from './hash-tree.ts'
import type { RangeDigests } from './hash-tree.ts'
import type { Reconciler } from './reconcile.ts'

/** Leaves reconciled in one exchange. */
const LEAVES_AT_ONCE = 32

/** What anti-entropy works on. */
export interface AntiEntropyOptions {
  readonly self: NodeId
  readonly nodes: readonly NodeId[]
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
  readonly reconciler: Reconciler
  readonly digests: RangeDigests
}

/** One node's anti-entropy: it answers others from the start, and begins comparisons once started. */
export class AntiEntropy {
  readonly #options: AntiEntropyOptions
  readonly #peers: readonly NodeId[]
  readonly #busy = new Set<NodeId>()
  #turn: number
  #timer: Timer | undefined
  #stopped = false
  /** Comparisons begun, and cells that had to be given in either direction. */
  readonly counts = { comparisons: 0, repaired: 0 }

  constructor(options: AntiEntropyOptions) {
    this.#options = options
    this.#peers = options.nodes.filter(node => node !== options.self && options.digests.shared(node).leaves.length > 0)
    this.#turn = this.#peers.length === 0 ? 0 : options.random.int(this.#peers.length)
    options.rpc.serve(COMPARE, ([level, indices, digests], from) => this.#compare(from, level, indices, digests))
  }

  start(): void {
    const { intervalMs, clock, random } = this.#options
    if (intervalMs === 0 || this.#peers.length === 0) return
    const pauseMs = intervalMs / this.#peers.length
    const next = (): void => {
      if (this.#stopped) return
      this.#turn = (this.#turn + 1) % this.#peers.length
      void this.#exchangeWith(this.#peers[this.#turn]!)
      this.#timer = clock.after(pauseMs, next)
    }
    this.#timer = clock.after(pauseMs * random.float(), next)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Never rejects: a peer that does not answer, or a disk that fails, is left for another time. */
  async #exchangeWith(peer: NodeId): Promise<void> {
    if (this.#busy.has(peer)) return
    this.#busy.add(peer)
    this.counts.comparisons++
    try {
      const leaves = await this.#differingLeaves(peer)
      while (leaves.length > 0 && !this.#stopped) {
        const ranges = leaves.splice(0, LEAVES_AT_ONCE).map(leaf => this.#options.digests.range(leaf))
        const { repaired } = await this.#options.reconciler.reconcile(peer, ranges, () => this.#stopped)
        this.counts.repaired += repaired
        if (repaired === 0) break
      }
    } catch {
      // The storage reports its own failures to those who write; comparing again later is all that is left to do here.
    } finally {
      this.#busy.delete(peer)
    }
  }

  /** The leaves at which this node and the peer differ, shuffled. */
  async #differingLeaves(peer: NodeId): Promise<number[]> {
    const { digests, rpc, random } = this.#options
    const tree = digests.shared(peer)
    let indices: readonly number[] = [0]
    for (let level = tree.depth - 1; level >= 0; level--) {
      const request = [level, indices, indices.map(index => tree.digest(level, index)!)] as const
      const answer = await rpc.gather(COMPARE, { to: [peer], request, need: 1 })
      const differing = answer.replies[0] ?? []
      if (differing.length === 0) return []
      indices = level === 0 ? differing : differing.flatMap(index => childrenOf(index, tree.width(level - 1)))
    }
    return shuffled(indices.flatMap(index => tree.leaves[index] ?? []), random)
  }

  /** The peer's question: which of these nodes of our common tree differ here? */
  #compare(peer: NodeId, level: number, indices: readonly number[], theirs: readonly number[]): number[] {
    const ours = this.#options.digests.shared(peer)
    return indices.filter((index, i) => ours.digest(level, index) !== theirs[i])
  }
}

function childrenOf(index: number, count: number): number[] {
  const children: number[] = []
  for (let child = index * FANOUT; child < Math.min((index + 1) * FANOUT, count); child++) children.push(child)
  return children
}

/** Fisher and Yates. */
function shuffled(items: number[], random: Random): number[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const item = items[i]!
    items[i] = items[j]!
    items[j] = item
  }
  return items
}
