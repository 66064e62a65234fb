/**
 * Custody: repair where nobody knows the whole ring. A node goes through what it holds, arc by arc, and asks the lookup
 * whose each arc is. Of its own arcs it compares the digest with one of the other replicas and reconciles what differs,
 * so that a replica that is new to an arc fills up; what is not its own it hands over to those whose it is.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import { pick } from '../../../harness/random.ts'
import type { Location, Lookup } from '../lookup/lookup.ts'
import { DIGESTS } from '../messages.ts'
import { TOKENS, rangesOf } from '../partitioner.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import type { Cell } from '../versions.ts'
import { handOver } from './hand-over.ts'
import { digestOfCells } from './hash-tree.ts'
import type { RangeDigests } from './hash-tree.ts'
import type { Reconciler } from './reconcile.ts'

/** Ranges reconciled in one exchange. */
const RANGES_AT_ONCE = 32

/** What custody works on. */
export interface CustodyOptions {
  readonly self: NodeId
  readonly lookup: Lookup
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
  readonly storage: Storage
  readonly partitioner: Partitioner
  readonly digests: RangeDigests
  readonly reconciler: Reconciler
}

/** One node's care for what it holds. */
export class Custody {
  readonly #options: CustodyOptions
  #timer: Timer | undefined
  #stopped = false
  /** Arcs compared, cells that had to be given in either direction, and cells handed over. */
  readonly counts = { comparisons: 0, repaired: 0, handed: 0 }

  constructor(options: CustodyOptions) {
    this.#options = options
    options.rpc.serve(DIGESTS, ranges => Promise.all(ranges.map(range => this.#digest(range))))
  }

  start(): void {
    const { intervalMs, clock, random } = this.#options
    if (intervalMs === 0) return
    const next = (): void => {
      if (this.#stopped) return
      // A round that fails is tried again: the storage tells its own failures to those who write.
      void this.#round().catch(() => undefined).then(() => {
        this.#timer = clock.after(intervalMs * (0.75 + random.float() / 2), next)
      })
    }
    this.#timer = clock.after(intervalMs * random.float(), next)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Whether this node holds any cell. */
  get holdsAny(): boolean {
    return this.#options.digests.nextHeld(0) !== undefined
  }

  /** Fetches what the other replicas have of the arcs that are this node's own. Resolves to whether all of them have answered for all of it. O(N) lookups. */
  async fillUp(): Promise<boolean> {
    const { self, lookup } = this.#options
    for (let token = 0; token < TOKENS; ) {
      const location = await Promise.resolve(lookup.find(token)).catch(() => undefined)
      if (location === undefined || this.#stopped) return false
      if (location.replicas.includes(self) && !(await this.#fetch(location))) return false
      token = behind(location, token)
    }
    return true
  }

  async #fetch({ replicas, ...arc }: Location): Promise<boolean> {
    const { self, reconciler } = this.#options
    for (const peer of replicas.filter(node => node !== self)) {
      const { repaired, left } = await reconciler.reconcile(peer, rangesOf(arc), () => this.#stopped)
      this.counts.repaired += repaired
      if (left.length > 0) return false
    }
    return true
  }

  /** Hands over what others hold now. Resolves to whether this node holds nothing any more. */
  async handAllOver(): Promise<boolean> {
    await this.#round()
    return !this.holdsAny
  }

  async #round(): Promise<void> {
    const { digests, lookup } = this.#options
    for (let token = 0; token < TOKENS && !this.#stopped; ) {
      const leaf = digests.nextHeld(digests.leafOf(token))
      if (leaf === undefined) return
      const [from, to] = digests.range(leaf)
      const at = Math.max(token, from)
      const location = await Promise.resolve(lookup.find(at)).catch(() => undefined)
      if (location !== undefined) await this.#tend(location)
      // Past the end of the arc, or of the leaf when nobody could say whose it is.
      token = location === undefined ? to : behind(location, at)
    }
  }

  async #tend(location: Location): Promise<void> {
    const { self, random, rpc, storage } = this.#options
    const ranges = rangesOf(location)
    const others = location.replicas.filter(node => node !== self)
    if (!location.replicas.includes(self)) this.counts.handed += (await handOver({ rpc, storage, forget: true }, ranges, others)).given
    else if (others.length > 0) await this.#compareWith(pick(random, others), ranges)
  }

  async #compareWith(peer: NodeId, ranges: readonly TokenRange[]): Promise<void> {
    this.counts.comparisons++
    if ((await this.#differing(peer, ranges)).length === 0) return
    const differing = await this.#differing(peer, ranges.flatMap(range => this.#pieces(range)))
    for (let i = 0; i < differing.length && !this.#stopped; i += RANGES_AT_ONCE) {
      this.counts.repaired += await this.#options.reconciler.reconcile(peer, differing.slice(i, i + RANGES_AT_ONCE), () => this.#stopped).then(({ repaired }) => repaired)
    }
  }

  async #differing(peer: NodeId, ranges: readonly TokenRange[]): Promise<readonly TokenRange[]> {
    const own = await Promise.all(ranges.map(range => this.#digest(range)))
    const answer = await this.#options.rpc.gather(DIGESTS, { to: [peer], request: ranges, need: 1 })
    const theirs = answer.replies[0]
    return theirs === undefined ? [] : ranges.filter((_, i) => own[i] !== theirs[i])
  }

  /** A range, cut where leaves of the digests begin. */
  #pieces([from, to]: TokenRange): TokenRange[] {
    const { digests } = this.#options
    const pieces: TokenRange[] = []
    for (let at = from; at < to; ) {
      const end = Math.min(to, digests.range(digests.leafOf(at))[1])
      pieces.push([at, end])
      at = end
    }
    return pieces
  }

  /** The digest of a range: of whole leaves it is known, the cells of the leaves that it cuts are looked at. */
  async #digest(range: TokenRange): Promise<number> {
    const { digests, storage, partitioner } = this.#options
    let [low, high] = [0, 0]
    for (const [from, to] of this.#pieces(range)) {
      const leaf = digests.leafOf(from)
      const [leafFrom, leafTo] = digests.range(leaf)
      let digest: number
      if (from === leafFrom && to === leafTo) digest = digests.digest(leaf)
      else if (digests.nextHeld(leaf) !== leaf) continue
      else {
        const cells: (readonly [number, Cell])[] = []
        for await (const [key, cell] of storage.scan(from, to)) cells.push([partitioner.token(key), cell])
        digest = digestOfCells(cells)
      }
      low ^= digest % TOKENS
      high ^= Math.floor(digest / TOKENS)
    }
    return (high >>> 0) * TOKENS + (low >>> 0)
  }
}

/** The token after the arc that this one lies on, or the end of all. */
function behind({ after, upTo }: Location, token: number): number {
  return upTo >= token && after !== upTo ? upTo + 1 : TOKENS
}
