/**
 * Re-replication after a permanent failure: a member that has been silent for so long that it will hardly come back is
 * let go, so that others hold what it held, as GFS and HDFS do it (Ghemawat, Gobioff and Leung, SOSP 2003, section 4.3).
 * A majority of the members has to agree, so whoever is cut off with a few others dismisses nobody.
 */
import type { Clock, Log, NodeId, Timer } from '../../../harness/env.ts'
import type { Liveness } from './liveness.ts'
import { dismissing } from './view.ts'
import type { Views } from './views.ts'

/** How often it is looked who is missing: this often per `afterMs`. */
const LOOKS = 10

/** What is looked with. */
export interface AbsenteesOptions {
  readonly self: NodeId
  readonly afterMs: number
  readonly views: Views
  readonly liveness: Liveness
  readonly clock: Clock
  readonly log: Log
}

/** Lets members go that stay away. */
export class Absentees {
  readonly #options: AbsenteesOptions
  #timer: Timer | undefined
  #stopped = false

  constructor(options: AbsenteesOptions) {
    this.#options = options
  }

  start(): void {
    const { afterMs, clock } = this.#options
    if (afterMs === 0 || this.#stopped) return
    this.#timer = clock.after(afterMs / LOOKS, () => {
      // No majority now: the next look tries again.
      void this.#look().catch(() => undefined).then(() => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    const { self, afterMs, views, liveness, log } = this.#options
    const { view } = views
    const here = view.members.map(({ id }) => id).filter(id => !liveness.suspects(id))
    const gone = view.members.find(({ id }) => liveness.silentMs(id) > afterMs && liveness.suspects(id))
    if (gone === undefined || view.next !== null || here[0] !== self) return
    log.warn(`${gone.id} has been silent for ${Math.round(liveness.silentMs(gone.id))} ms: others are to hold what it held`)
    await views.agree(dismissing(view, gone.id))
  }
}
