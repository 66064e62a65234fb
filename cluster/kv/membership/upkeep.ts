/**
 * Repair under views: anti-entropy over the ring of the present members, begun anew whenever these are others, and the
 * care for what this node still holds of ranges that are not its own any more, cells as well as promises.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import type { Partitioner } from '../partitioner.ts'
import { TOKENS } from '../partitioner.ts'
import { AntiEntropy } from '../repair/anti-entropy.ts'
import { handOver } from '../repair/hand-over.ts'
import { RangeDigests } from '../repair/hash-tree.ts'
import type { Reconciler } from '../repair/reconcile.ts'
import type { Replication } from '../replication/replication.ts'
import type { Ring } from '../ring.ts'
import type { Rpc } from '../rpc.ts'
import type { CellObserver, Storage } from '../storage.ts'
import { ABSENT } from '../versions.ts'
import type { Cell } from '../versions.ts'
import type { Load } from './places.ts'
import type { Views } from './views.ts'

/** How often this node looks for cells that are not its own any more. */
const STRAYS_INTERVAL_MS = 500

/** A cell's version and its key, more or less. */
const CELL_OVERHEAD_BYTES = 48

/** What upkeep works on. */
export interface UpkeepOptions {
  readonly self: NodeId
  readonly views: Views
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
  readonly storage: Storage
  readonly reconciler: Reconciler
  readonly partitioner: Partitioner
  /** Lets go of what the replication protocol keeps of a range beside its cells. */
  readonly letGo: Replication['letGo']
  /** Told of every cell that is there or comes. */
  readonly witness: (cell: Cell) => void
}

/** One node's repair while members come and go. */
export class Upkeep {
  readonly #options: UpkeepOptions
  /** The ring of the digests; `open` sets them all before anyone sees this. */
  #ring!: Ring
  #digests!: RangeDigests
  /** Bytes of keys and values by leaf of the digests. */
  #bytes!: Float64Array
  #observe: CellObserver = () => undefined
  #antiEntropy: AntiEntropy | undefined
  #building = 0
  #started = false
  #stopped = false
  #timer: Timer | undefined
  /** The view in which promises were let go of last. In the first one there are none that are not this node's own. */
  #letGoIn = 0
  readonly #before = { comparisons: 0, repaired: 0 }
  /** Cells that were not this node's own any more and have been given to those whose they are, since this start. */
  handed = 0

  private constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** Looks through what the disk holds, and hears of every change from then on. */
  static async open(options: UpkeepOptions): Promise<Upkeep> {
    const upkeep = new Upkeep(options)
    options.storage.observe((token, before, after, key) => {
      upkeep.#observe(token, before, after, key)
      options.witness(after)
    })
    await upkeep.#build(options.views.serving)
    return upkeep
  }

  /** Comparisons begun, and cells that had to be given in either direction. */
  get counts(): { readonly comparisons: number; readonly repaired: number } {
    const { comparisons = 0, repaired = 0 } = this.#antiEntropy?.counts ?? {}
    return { comparisons: this.#before.comparisons + comparisons, repaired: this.#before.repaired + repaired }
  }

  start(): void {
    this.#started = true
    this.#antiEntropy?.start()
    this.#watch()
  }

  stop(): void {
    this.#stopped = true
    this.#antiEntropy?.stop()
    this.#timer?.cancel()
  }

  /** Goes on with the present view's ring. */
  enter(): void {
    const { views } = this.#options
    // A disk that fails says so to those who write.
    if (views.serving !== this.#ring) void this.#build(views.serving).catch(() => undefined)
  }

  /** The bytes on each stretch of the ring that this node is the first replica of. */
  loads(): Load[] {
    const loads: Load[] = []
    for (let leaf = 0; leaf < this.#bytes.length; leaf++) {
      const [from, to] = this.#digests.range(leaf)
      if (this.#bytes[leaf]! > 0 && this.#ring.replicas(from)[0] === this.#options.self) loads.push([from, to, this.#bytes[leaf]!])
    }
    return loads
  }

  /** Whether this node holds cells of ranges that are not its own. */
  get hasStrays(): boolean {
    return this.#strays().next().done !== true
  }

  /**
   * Computes the digests over another ring while cells go on changing: those that change meanwhile count as they were
   * when it began, and their changes are added as they happen.
   */
  async #build(ring: Ring): Promise<void> {
    const { self, storage, partitioner, witness } = this.#options
    const turn = ++this.#building
    this.#end()
    this.#ring = ring
    const digests = new RangeDigests(ring, self)
    const bytes = new Float64Array(digests.leaves)
    this.#digests = digests
    this.#bytes = bytes
    const replace = (token: number, before: Cell, after: Cell): void => {
      const leaf = digests.replace(token, before, after)
      bytes[leaf]! += sizeOf(after) - sizeOf(before)
    }
    const changed = new Map<string, Cell>()
    /** How far the scan is; what changes behind it was counted as it was. */
    let at: readonly [token: number, key: string] = [-1, '']
    this.#observe = (token, before, after, key) => {
      replace(token, before, after)
      if ((token > at[0] || (token === at[0] && key > at[1])) && !changed.has(key)) changed.set(key, before)
    }
    await storage.flushed()
    for await (const [key, cell] of storage.scan(0, TOKENS)) {
      if (turn !== this.#building) return
      at = [partitioner.token(key), key]
      replace(at[0], ABSENT, changed.get(key) ?? cell)
      changed.delete(key)
      witness(cell)
    }
    for (const [key, before] of changed) replace(partitioner.token(key), ABSENT, before)
    at = [TOKENS, '']
    if (turn === this.#building && !this.#stopped) this.#begin(digests)
  }

  #begin(digests: RangeDigests): void {
    const { self, views, intervalMs, clock, random, rpc, reconciler } = this.#options
    const { epoch, members } = views.view
    this.#antiEntropy = new AntiEntropy({ self, nodes: members.map(({ id }) => id), intervalMs, clock, random: epoch === 0 ? random : random.fork(`view ${epoch}`), rpc, reconciler, digests })
    if (this.#started) this.#antiEntropy.start()
  }

  #end(): void {
    const { comparisons, repaired } = this.counts
    Object.assign(this.#before, { comparisons, repaired })
    this.#antiEntropy?.stop()
    this.#antiEntropy = undefined
  }

  /** The ranges in which this node holds cells that are not its own. */
  *#strays(): Generator<readonly [from: number, to: number]> {
    if (!this.#isSettled) return
    for (let leaf = this.#digests.nextHeld(0); leaf !== undefined; leaf = this.#digests.nextHeld(leaf + 1)) {
      if (!this.#isOwn(leaf)) yield this.#digests.range(leaf)
    }
  }

  /** Whether members have changed, and no change is under way. */
  get #isSettled(): boolean {
    const { views } = this.#options
    return views.view.epoch > 0 && views.view.next === null && views.serving === this.#ring
  }

  #isOwn(leaf: number): boolean {
    return this.#ring.replicas(this.#digests.range(leaf)[0]).includes(this.#options.self)
  }

  /** Once in every view, and all in one turn, so that it is the same view throughout. What a request of the view before leaves behind even later goes with the next change. */
  #letGoOfPromises(): void {
    const { views, letGo } = this.#options
    if (letGo === undefined || !this.#isSettled || this.#letGoIn === views.view.epoch) return
    this.#letGoIn = views.view.epoch
    for (let leaf = 0; leaf < this.#digests.leaves; leaf++) if (!this.#isOwn(leaf)) letGo(this.#digests.range(leaf))
  }

  #watch(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(STRAYS_INTERVAL_MS, () => {
      this.#letGoOfPromises()
      void this.#handStraysOver().catch(() => undefined).then(() => this.#watch())
    })
  }

  async #handStraysOver(): Promise<void> {
    const { views, rpc, storage } = this.#options
    const { epoch } = views.view
    const still = (): boolean => !this.#stopped && views.view.epoch === epoch
    for (const range of this.#strays()) {
      if (!still()) return
      const { given } = await handOver({ rpc, storage, forget: true, still }, [range], this.#ring.replicas(range[0]))
      this.handed += given
    }
  }
}

/** About how many bytes a cell takes. */
function sizeOf(cell: Cell): number {
  return cell === ABSENT ? 0 : CELL_OVERHEAD_BYTES + (cell.value?.length ?? 0)
}
