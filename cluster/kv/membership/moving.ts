/**
 * What a change of members makes nodes do. While it is under way, whoever will hold a range that it does not hold yet
 * fetches that from those who do; it answers for the range only when the change is done. The change is done when everyone
 * who fetches has all, and then the members agree on the next view (`views.ts`). Afterwards whoever still has cells of
 * ranges that are not its own any more gives them to those whose they are, and lets go of them.
 *
 * Nothing is lost meanwhile: writes go to the old and to the new holders, and what was written before is asked of so
 * many old holders that every quorum of a write has one of them. These are in the new view when they answer, so no write
 * of the view before is completed behind their backs (`rpc.ts`). Where holders also promise, they take that over as well
 * (`replication/take-over.ts`), and where holders are bound to transactions these are ended first (`transactions/holding.ts`).
 * What an old holder has given in this view it has given for good, so where something goes
 * wrong only what is missing is asked for again, and only of those who have not given it.
 */
import type { Clock, Log, NodeId, Random, Timer } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import { count, flag, list, plain } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { TokenRange } from '../partitioner.ts'
import type { Reconciler } from '../repair/reconcile.ts'
import type { Replication } from '../replication/replication.ts'
import type { Succession } from '../replication/targets.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import { changesBetween, everyone, partsOf, settled } from './view.ts'
import type { Segment, View } from './view.ts'
import type { Views } from './views.ts'

/** How far a node is with a change: its epoch, whether it has all that will be its own, and whether it has ended what began before. */
type Progress = readonly [epoch: number, fetched: boolean, ended: boolean]

/** How is the change of this epoch at your side? */
const PROGRESS: Kind<number, Progress> = {
  code: 54,
  request: plain(count),
  reply: plain(input => {
    const [epoch, fetched, ended] = list(input, 3)
    return [count(epoch), flag(fetched), flag(ended)] as const
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
  /** Where quorums must meet: then a range is whole only when enough old holders have given what they have. */
  readonly succession: Succession | undefined
  /** What there is to do beyond fetching cells, if anything. */
  readonly takeOver: Replication['takeOver']
  /** What has to end before holders give anything, and before the change is done, if anything. */
  readonly ended: Replication['ended']
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A segment, or a part of one, that this node has not all of, and the old holders who have given all that they had of it. */
interface Missing {
  readonly segment: Segment
  readonly gave: ReadonlySet<NodeId>
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
    options.rpc.serve(PROGRESS, epoch => this.#progress(epoch))
  }

  async #progress(epoch: number): Promise<Progress> {
    const { views, ended } = this.#options
    const hasEnded = views.view.epoch === epoch && (ended === undefined || (await ended(epoch)))
    return [views.view.epoch, this.#fetched === epoch, hasEnded]
  }

  async #progressOf(node: NodeId, epoch: number): Promise<Progress | undefined> {
    const { replies } = await this.#options.rpc.gather(PROGRESS, { to: [node], request: epoch, need: 1 })
    return replies[0]
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
      for (let missing = this.#nothingOf(own); missing.length > 0; ) {
        missing = await this.#fetchMissing(view, missing)
        if (this.#over(view)) return
        if (missing.length > 0) await sleep(this.#options.clock, RETRY_MS)
      }
      this.#fetched = view.epoch
      if (own.length > 0) log.info(`${self} has all that will be its own: ${own.length} ranges, ${this.counts.fetched} cells fetched so far`)
    } catch (error) {
      log.warn(`fetching what will be its own failed: ${String(error)}`)
    }
  }

  /** Who fetches a segment: its new holders, and those who stay where some of them have to have all of it. */
  #fetchersOf({ before, after }: Segment): readonly NodeId[] {
    return this.#heirs({ before, after }) > 0 ? after : after.filter(node => !before.includes(node))
  }

  /** How many of those who stay have to have all of a segment. */
  #heirs({ before, after }: Pick<Segment, 'before' | 'after'>): number {
    return this.#options.succession?.heirs(before.length, after.length) ?? 0
  }

  /** What this node itself held of these segments is all that it has. */
  #nothingOf(segments: readonly Segment[]): readonly Missing[] {
    return segments.map(segment => ({ segment, gave: new Set([this.#options.self]) }))
  }

  /** Asks everyone who held any of this and has not given it; resolves to what is still missing. */
  async #fetchMissing(view: View, missing: readonly Missing[]): Promise<readonly Missing[]> {
    const { takeOver } = this.#options
    let now = missing
    for (const source of new Set(missing.flatMap(({ segment }) => segment.before))) now = await this.#fetchFrom(view, source, now)
    const [enough, tooLittle] = [now.filter(one => this.#isEnough(one)), now.filter(one => !this.#isEnough(one))]
    if (takeOver === undefined || this.#over(view)) return tooLittle
    return [...tooLittle, ...this.#nothingOf(await takeOver(enough.map(({ segment }) => segment), () => this.#over(view)))]
  }

  /** Asks one old holder for what it has not given; resolves to the same, noted down who has given what. */
  async #fetchFrom(view: View, source: NodeId, missing: readonly Missing[]): Promise<readonly Missing[]> {
    const owes = ({ segment, gave }: Missing): boolean => segment.before.includes(source) && !gave.has(source)
    const asked = missing.filter(owes)
    if (asked.length === 0 || !(await this.#maySay(source, view))) return missing
    const left = await this.#fetchAll(view, source, asked.map(({ segment }) => segment.range))
    // What is left is the end of what was asked for, perhaps from the middle of a segment on.
    const given = asked.slice(0, asked.length - left.length).map(({ segment, gave }): Missing => ({ segment, gave: new Set([...gave, source]) }))
    const [begun, ...untouched] = asked.slice(given.length)
    const parts = begun === undefined ? [] : this.#split(begun, left[0]![0], source)
    return [...missing.filter(one => !owes(one)), ...given, ...parts, ...untouched]
  }

  /** Whether what a source says of its cells is the last word on them. */
  async #maySay(source: NodeId, { epoch }: View): Promise<boolean> {
    return this.#options.ended === undefined || (await this.#progressOf(source, epoch))?.[2] === true
  }

  /** A segment of which a source has given what lies before this token. */
  #split({ segment, gave }: Missing, token: number, source: NodeId): readonly Missing[] {
    const [from, to] = segment.range
    if (token === from) return [{ segment, gave }]
    const [given, rest] = partsOf([segment], [[from, token], [token, to]])
    return [{ segment: given!, gave: new Set([...gave, source]) }, { segment: rest!, gave }]
  }

  /** Whether as many of the old holders have given this as must have. Where quorums need not meet, what a silent one has comes later, if ever. */
  #isEnough({ segment: { before }, gave }: Missing): boolean {
    const { succession, views } = this.#options
    const given = before.filter(node => gave.has(node)).length
    if (succession !== undefined) return given >= succession.givers(before.length)
    const staying = views.view.next!.map(({ id }) => id)
    return given > 0 || before.every(node => !staying.includes(node))
  }

  /** Fetches what a source has in these ranges; resolves to what is left of them. */
  async #fetchAll(view: View, source: NodeId, ranges: readonly TokenRange[]): Promise<readonly TokenRange[]> {
    const { reconciler, clock } = this.#options
    let left = ranges
    for (let tries = 0; left.length > 0 && tries < TRIES; ) {
      if (tries > 0) await sleep(clock, RETRY_MS)
      const some = left.slice(0, RANGES_AT_ONCE)
      const { repaired, left: leftOfSome } = await reconciler.reconcile(source, some, () => this.#over(view))
      this.counts.fetched += repaired
      if (this.#over(view)) return left
      tries = isLess(leftOfSome, some) ? 0 : tries + 1
      left = [...leftOfSome, ...left.slice(RANGES_AT_ONCE)]
    }
    return left
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
    const { succession, ended } = this.#options
    const answers = new Map<NodeId, Progress>()
    await Promise.all(everyone(view).map(async node => {
      const progress = await this.#progressOf(node, view.epoch)
      if (progress !== undefined) answers.set(node, progress)
    }))
    if (!changes.every(segment => this.#isFetched(segment, answers))) return false
    if (ended !== undefined && !view.members.every(({ id }) => answers.get(id)?.[2] === true)) return false
    if (succession === undefined) return true
    // No quorum of the view before may be left that does not know of this one.
    const unaware = view.members.filter(({ id }) => (answers.get(id)?.[0] ?? 0) < view.epoch).length
    return unaware < succession.quorum(view.members.length)
  }

  /** Whether all new holders have a segment, and of those who stay as many as have to; whoever of them answers is waited for. */
  #isFetched(segment: Segment, answers: ReadonlyMap<NodeId, Progress>): boolean {
    const fetchers = this.#fetchersOf(segment)
    const have = fetchers.filter(node => answers.get(node)?.[1] === true)
    const silent = fetchers.filter(node => !answers.has(node) && segment.before.includes(node))
    return have.length + silent.length === fetchers.length && have.length >= this.#heirs(segment)
  }
}

/** Whether something has been done of these ranges. */
function isLess(left: readonly TokenRange[], of: readonly TokenRange[]): boolean {
  return left.length < of.length || left[0]![0] > of[0]![0]
}
