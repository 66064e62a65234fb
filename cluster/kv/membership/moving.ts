/**
 * What a change of members makes nodes do. While it is under way, whoever will hold a range that it does not hold yet
 * fetches that from those who do; it answers for the range only when the change is done. The change is done when everyone
 * who fetches has all, and then the members agree on the next view (`views.ts`). Afterwards whoever still has cells of
 * ranges that are not its own any more gives them to those whose they are, and lets go of them.
 *
 * Nothing is lost meanwhile: writes go to the old and to the new holders, and what was written before is asked of so
 * many old holders that every quorum of a write has one of them. These are in the new view when they answer, so no write
 * of the view before is completed behind their backs (`rpc.ts`). Where holders also promise, they take that over as well
 * (`replication/take-over.ts`).
 */
import type { Clock, Log, NodeId, Random, Timer } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import type { NodeConfig } from '../config.ts'
import { count, flag, list, plain } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { TokenRange } from '../partitioner.ts'
import type { Reconciler } from '../repair/reconcile.ts'
import type { Replication } from '../replication/replication.ts'
import { enoughToKnow } from '../replication/targets.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import { changesBetween, everyone, settled } from './view.ts'
import type { Segment, View } from './view.ts'
import type { Views } from './views.ts'

/** How is the change of this epoch at your side? Replies with your epoch, and whether you have all that will be yours. */
const PROGRESS: Kind<number, readonly [epoch: number, fetched: boolean]> = {
  code: 54,
  request: plain(count),
  reply: plain(input => {
    const [epoch, fetched] = list(input, 2)
    return [count(epoch), flag(fetched)] as const
  }),
}

/** Ranges fetched in one exchange. */
const RANGES_AT_ONCE = 32
/** A source that does not answer is asked again after so long, and this often before others must do. */
const RETRY_MS = 100
const TRIES = 3
/** How often a change is looked after, and each time up to twice as long. */
const LOOK_MS = 100

/** What is moved with. */
export interface MovingOptions {
  readonly self: NodeId
  readonly views: Views
  readonly rpc: Rpc
  readonly storage: Storage
  readonly reconciler: Reconciler
  /** N, R and W; where there are fewer replicas, all of them. */
  readonly config: Pick<NodeConfig, 'replicas' | 'read_quorum' | 'write_quorum'>
  /** Whether quorums must meet: then a range is whole only when enough old holders have given what they have. */
  readonly strict: boolean
  /** What there is to do beyond fetching cells, if anything. */
  readonly takeOver: Replication['takeOver']
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** One node's part in changes of members. */
export class Moving {
  readonly #options: MovingOptions
  /** The epoch whose change this node has fetched everything for. */
  #fetched = 0
  #timer: Timer | undefined
  #stopped = false
  /** Cells fetched since this start. */
  readonly counts = { fetched: 0 }

  constructor(options: MovingOptions) {
    this.#options = options
    options.rpc.serve(PROGRESS, epoch => [options.views.view.epoch, this.#fetched === epoch] as const)
  }

  /** Takes part in the change that this view begins, if it does. */
  enter(view: View): void {
    this.#timer?.cancel()
    if (view.next === null || this.#stopped) return
    const changes = changesBetween(this.#options.views.serving, this.#options.views.next!)
    void this.#fetch(view, changes)
    this.#look(view, changes)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Whether the view is over, or this life is. */
  #over(view: View): boolean {
    return this.#stopped || this.#options.views.view.epoch !== view.epoch
  }

  /** Never rejects: a disk that fails says so to those who write, and the change waits for another life of this node. */
  async #fetch(view: View, changes: readonly Segment[]): Promise<void> {
    const { self, storage, log } = this.#options
    const own = changes.filter(segment => this.#fetchersOf(segment).includes(self))
    try {
      // What this node has let go of lately must not look as if it were still there.
      await storage.flushed()
      for (let missing: readonly Segment[] = own; missing.length > 0; ) {
        missing = await this.#fetchFrom(view, missing)
        if (this.#over(view)) return
        if (missing.length > 0) await sleep(this.#options.clock, RETRY_MS)
      }
      this.#fetched = view.epoch
      if (own.length > 0) log.info(`${self} has all that will be its own: ${own.length} ranges, ${this.counts.fetched} cells fetched so far`)
    } catch (error) {
      log.warn(`fetching what will be its own failed: ${String(error)}`)
    }
  }

  /** Who has to fetch a segment: its new holders; where quorums must meet and so few are left that each of them has to answer every read, all of these. */
  #fetchersOf({ before, after }: Segment): readonly NodeId[] {
    const { strict, config } = this.#options
    return strict && after.length < before.length && after.length <= config.read_quorum ? after : after.filter(node => !before.includes(node))
  }

  /** Asks everyone who holds any of these segments; resolves to those of which too few have given what they have. */
  async #fetchFrom(view: View, segments: readonly Segment[]): Promise<readonly Segment[]> {
    const { self, takeOver } = this.#options
    const sources = [...new Set(segments.flatMap(({ before }) => before))].filter(node => node !== self)
    const gave = new Set<NodeId>([self])
    for (const source of sources) if (await this.#fetchAll(view, source, segments.filter(({ before }) => before.includes(source)).map(({ range }) => range))) gave.add(source)
    const whole = segments.filter(({ before }) => this.#enough(before, before.filter(node => gave.has(node)).length))
    const open = takeOver === undefined || this.#over(view) ? [] : await takeOver(whole, () => this.#over(view))
    return segments.filter(segment => !whole.includes(segment) || open.includes(segment))
  }

  /** Whether so many of the old holders are enough. Where quorums need not meet, what a silent one has comes later, if ever. */
  #enough(before: readonly NodeId[], gave: number): boolean {
    const { strict, config, views } = this.#options
    if (strict) return gave >= enoughToKnow(before.length, config.write_quorum, config)
    const staying = views.view.next!.map(({ id }) => id)
    return gave > 0 || before.every(node => !staying.includes(node))
  }

  async #fetchAll(view: View, source: NodeId, ranges: readonly TokenRange[]): Promise<boolean> {
    const { reconciler, clock } = this.#options
    let tries = 0
    for (let i = 0; i < ranges.length; ) {
      const { repaired, complete } = await reconciler.reconcile(source, ranges.slice(i, i + RANGES_AT_ONCE), () => this.#over(view))
      this.counts.fetched += repaired
      if (this.#over(view)) return false
      if (complete) {
        i += RANGES_AT_ONCE
        tries = 0
      } else if (++tries === TRIES) return false
      else await sleep(clock, RETRY_MS)
    }
    return true
  }

  /** Again and again, until the change is done or given up. */
  #look(view: View, changes: readonly Segment[]): void {
    const { clock, random } = this.#options
    this.#timer = clock.after(LOOK_MS * (1 + random.float()), () => {
      if (this.#over(view)) return
      void this.#finish(view, changes).catch(() => undefined).then(() => {
        if (!this.#over(view)) this.#look(view, changes)
      })
    })
  }

  /** Has the members agree on the next view when everyone is ready for it. All propose the same, so it does not matter who. */
  async #finish(view: View, changes: readonly Segment[]): Promise<void> {
    const { self, views } = this.#options
    if (view.members.some(({ id }) => id === self) && (await this.#ready(view, changes))) await views.agree(settled(view))
  }

  async #ready(view: View, changes: readonly Segment[]): Promise<boolean> {
    const { rpc, config, strict } = this.#options
    const fetching = new Set(changes.flatMap(segment => this.#fetchersOf(segment)))
    const answers = new Map<NodeId, readonly [epoch: number, fetched: boolean]>()
    await Promise.all(everyone(view).map(async node => {
      const { replies } = await rpc.gather(PROGRESS, { to: [node], request: view.epoch, need: 1 })
      if (replies[0] !== undefined) answers.set(node, replies[0])
    }))
    if (![...fetching].every(node => answers.get(node)?.[1] === true)) return false
    if (!strict) return true
    // No quorum of the view before may be left that does not know of this one.
    const unaware = view.members.filter(({ id }) => (answers.get(id)?.[0] ?? 0) < view.epoch).length
    return unaware < Math.min(config.read_quorum, config.write_quorum, view.members.length)
  }
}
