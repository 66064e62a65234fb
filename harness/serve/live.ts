/**
 * The run that goes on, as far as its `history.jsonl` has been written: rates, the faults that bite, and what is
 * refuted already. Whoever watches only reads files, so that watching a run changes nothing about it.
 *
 * The judgements look at the history so far, again and again, and take at most a tenth of the time: all of them are
 * prefix-closed except convergence, durability and vacuity, which are about the end and are left out.
 */
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { History, type Event } from '../../checker/history/index.ts'
import { judge } from '../../checker/judge.ts'
import type { Judgement } from '../../checker/judgement.ts'
import { faultWindows } from '../../checker/faults.ts'
import type { Model } from '../../checker/verdict.ts'
import type { LiveView } from '../../reports/browse.ts'
import { countsFor } from '../../reports/promise.ts'
import type { Clock } from '../env.ts'
import { configurationName, planSchema, type Plan } from '../plan.ts'
import { judgementsIn, promisedIn } from '../promise.ts'
import { makeWorkload } from '../registry.ts'
import { makeSystem } from '../systems.ts'

const CHUNK_BYTES = 16 * 2 ** 20
const JUDGE_LIMIT_MS = 500
const aboutTheEnd: ReadonlySet<string> = new Set(['convergence', 'durability', 'vacuity', 'staleness'])

/** Follows one run. */
class Follower {
  readonly below: string
  readonly #dir: string
  readonly #plan: Plan
  readonly #promised: Model
  readonly #judgements: readonly Judgement[]
  readonly #clock: Clock
  readonly #history = new History()
  #offset = 0
  #judging = false
  #judgeAt = 0
  #refuted: LiveView['refuted'] = []
  #judged = 0

  constructor(below: string, dir: string, plan: Plan, judged: { readonly promised: Model; readonly judgements: readonly Judgement[] }, clock: Clock) {
    this.below = below
    this.#dir = dir
    this.#plan = plan
    this.#promised = judged.promised
    this.#judgements = judged.judgements.filter((judgement) => !aboutTheEnd.has(judgement.name))
    this.#clock = clock
  }

  async view(): Promise<LiveView> {
    // The judgements read the columns: they do not grow meanwhile.
    if (!this.#judging) {
      await this.#read()
      if (this.#clock.now() / 1e6 >= this.#judgeAt) void this.#judge()
    }
    return this.#seen()
  }

  async #read(): Promise<void> {
    const file = await open(path.join(this.#dir, 'history.jsonl')).catch(() => undefined)
    if (file === undefined) return
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES), position: this.#offset })
        if (bytesRead === 0) return
        // Whole lines only: the rest, which may end within a character, is read again.
        const end = buffer.lastIndexOf(10, bytesRead - 1)
        if (end < 0) return
        this.#offset += end + 1
        for (const line of buffer.toString('utf8', 0, end).split('\n')) this.#history.push(JSON.parse(line) as Event)
      }
    } finally {
      await file.close()
    }
  }

  async #judge(): Promise<void> {
    this.#judging = true
    const begun = this.#clock.now() / 1e6
    const { length } = this.#history
    const document = await judge(this.#history, { run: null, promised: this.#promised, judgements: this.#judgements, timeLimitMs: JUDGE_LIMIT_MS, elapsedMs: () => this.#clock.now() / 1e6 })
    this.#judged = length
    this.#refuted = document.judgements.filter((judgement) => judgement.verdict === 'violated').map((judgement) => ({ judgement: judgement.judgement, promised: countsFor(document, judgement), explanation: judgement.witnesses[0]?.explanation ?? judgement.summary }))
    const now = this.#clock.now() / 1e6
    this.#judgeAt = now + Math.max(1000, 9 * (now - begun))
    this.#judging = false
  }

  #seen(): LiveView {
    const history = this.#history
    const last = history.length === 0 ? 0 : history.timeAt(history.length - 1) / 1e9
    const span = Math.min(60, Math.floor(last) + 1)
    const from = Math.floor(last) - span + 1
    const seconds = Array.from({ length: span }, () => ({ ok: 0, fail: 0, info: 0 }))
    const operations = { invoked: 0, ok: 0, fail: 0, info: 0 }
    for (let row = 0; row < history.length; row++) {
      if (history.process[row]! < 0) continue
      const name = (['invoked', 'ok', 'fail', 'info'] as const)[history.type[row]!]!
      operations[name]++
      const second = Math.floor(history.timeAt(row) / 1e9) - from
      if (name !== 'invoked' && second >= 0) seconds[second]![name]++
    }
    const whole = seconds.at(-2) ?? seconds.at(-1)!
    return {
      path: this.below,
      configuration: configurationName(this.#plan),
      time_s: last,
      of_s: this.#plan.time_ms / 1000,
      operations,
      rate: whole.ok + whole.fail + whole.info,
      seconds,
      faults: faultWindows(history).filter((fault) => fault.bit && fault.healed_ns === null).map((fault) => fault.fault),
      refuted: this.#refuted,
      judged: this.#judged,
    }
  }
}

/** The live view of whatever run goes on. */
export class Live {
  readonly #root: string
  readonly #clock: Clock
  #follower: Follower | undefined
  #queue: Promise<LiveView | null> = Promise.resolve(null)

  constructor(root: string, clock: Clock) {
    this.#root = root
    this.#clock = clock
  }

  /** As the run at this place stands; null when there is none. One look at a time. */
  look(below: string | undefined): Promise<LiveView | null> {
    this.#queue = this.#queue.catch(() => null).then(() => this.#look(below))
    return this.#queue
  }

  async #look(below: string | undefined): Promise<LiveView | null> {
    if (below === undefined) return null
    if (this.#follower?.below !== below) {
      const dir = path.join(this.#root, below)
      const plan = planSchema.parse(JSON.parse(await readFile(path.join(dir, 'plan.json'), 'utf8')))
      const system = await makeSystem(plan)
      const workload = await makeWorkload(plan.workload, system)
      this.#follower = new Follower(below, dir, plan, { promised: promisedIn(plan, system, workload), judgements: judgementsIn(plan, system, workload) }, this.#clock)
    }
    return this.#follower.view()
  }
}
