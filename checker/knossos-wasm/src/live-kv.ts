/**
 * Texts that are put, appended to, read and deleted, judged while the history is being made, as long as a text says by which
 * puts and appends it was made.
 *
 * What is certain is judged by eras (live-eras.ts). Which delete it was that a read has seen is not: where nobody finds out in a simple way, the
 * operations since the last *cut* are told to the window (live-any.ts), which decides, and judges until the next cut.
 *
 * A cut is a moment at which no read was open and the text was certain: within an era; or where a read that was alone found nothing. A change that was open then, and that
 * nobody is known to have seen, may have taken effect unseen before the era, or later. So the operations since the cut are
 * these changes, a put of that text, and whatever happened then.
 *
 * Cost: O(1) an event, and a comparison of what is read with what is known. Memory: the texts, the open window, and at most
 * a few thousand events.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import { LiveAny } from './live-any.ts'
import { LiveEras } from './live-eras.ts'
import { isResponsible, newChange } from './live-line.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { KvMemory } from './live-eras.ts'
import type { Change, Get } from './live-line.ts'
import type { Model } from './model.ts'
import type { LiveOperation } from './live-window.ts'
import type { Json } from './values.ts'

type KvOperation = Change | Get

const UNWRITTEN = 'cannot be placed: nothing that can still be seen makes this text.'
const MEMORY: KvMemory = { events: 128, eventsMax: 4096, reads: 64, eras: 32, states: 64 }

/** One text. */
export class LiveKv implements LiveAlgorithm<KvOperation | LiveOperation> {
  readonly #model: Model
  readonly #empty: Json
  #events = 0
  readonly #eras: LiveEras
  /** Operations since the last cut, where they begin and where they end. */
  #log: KvOperation[] = []
  readonly #memory: KvMemory
  #room: number
  /** The log does not reach back to the last cut. */
  #isTorn = false
  /** Where it is not known which delete it was; and where texts do not say what made them, for ever. */
  #window: LiveAny | undefined
  #isBlurred: boolean
  /** Reads by the time of their invocation; those that ended are skipped. */
  #gets: Get[] = []
  #getsAt = 0
  /** Operations that are open. */
  #open = 0

  constructor(model: Model, memory = MEMORY) {
    this.#model = model
    this.#memory = memory
    this.#room = memory.events
    this.#empty = model.init
    this.#isBlurred = model.init !== '' && model.init !== null
    const initial = newChange('delete', null, -1, -1, -1)
    initial.ended = -1
    this.#eras = new LiveEras(initial, memory)
  }

  /** How many operations and texts are remembered. */
  get size(): number {
    return this.#eras.size + this.#gets.length + this.#log.length + (this.#window?.size ?? 0)
  }

  invoke(f: string, value: Json, row: number, process: number): KvOperation | LiveOperation {
    if (this.#isBlurred && this.#window !== undefined) return this.#window.invoke(f, value, row, process)
    const invoked = this.#events++
    this.#open++
    if (f === 'get') {
      const get: Get = { f, value, row, process, invoked, ended: Infinity, outcome: undefined, output: null, isSettled: false, asked: undefined, era: undefined }
      this.#gets.push(get)
      this.#begin(get)
      return get
    }
    const change = newChange(f as Change['f'], value, row, process, invoked)
    this.#begin(change)
    if (!this.#isBlurred && !this.#eras.begin(change)) {
      // What is in its way may be one that nobody can see any more.
      this.#eras.forget(this.#earliestOpen())
      this.#isBlurred = !this.#eras.begin(change)
    }
    return change
  }

  #begin(operation: KvOperation): void {
    this.#log.push(operation)
    if (this.#window !== undefined) operation.asked = this.#window.invoke(operation.f, operation.value, operation.row, operation.process)
  }

  complete(operation: KvOperation | LiveOperation, outcome: Outcome, value: Json): LiveAnswer {
    if ('fate' in operation) return this.#window!.complete(operation, outcome, value)
    const event = this.#events++
    this.#open--
    operation.outcome = outcome
    operation.output = value
    if (outcome !== 'info') operation.ended = event
    if (!operation.isSettled) this.#log.push(operation)
    const wrong = this.#isBlurred ? undefined : operation.f === 'get' ? this.#read(operation) : this.#changed(operation)
    if (wrong !== undefined) return wrong
    const answer = this.#isBlurred || this.#eras.isLost ? this.#ask(operation) : POSSIBLE
    if (this.#isBlurred) {
      this.#log = []
      this.#gets = []
    }
    if (this.#log.length > this.#room && answer.type === 'possible' && operation.f === 'get' && outcome === 'ok') this.#tryCut(operation)
    if (this.#log.length > this.#memory.eventsMax) this.#tear()
    return answer
  }

  #changed(change: Change): LiveAnswer | undefined {
    if (change.outcome === 'fail') return this.#eras.fail(change)
    if (change.outcome === 'ok') this.#eras.end(change)
    if (this.#eras.isFull) this.#eras.forget(this.#earliestOpen())
    return undefined
  }

  #read(get: Get): LiveAnswer | undefined {
    const { output } = get
    const open = this.#earliestOpen()
    if (get.outcome !== 'ok') return undefined
    if (output === this.#empty) return this.#eras.foundNothing(get)
    const reading = typeof output === 'string' ? this.#eras.read(output) : 'none'
    if (reading === 'none') return violatedBy([get.row], UNWRITTEN)
    if (reading !== undefined) return this.#eras.show(get, reading, open)
    this.#isBlurred = true
    return undefined
  }

  /** When the earliest open read was invoked; where none is open, the next event. */
  #earliestOpen(): number {
    while (this.#getsAt < this.#gets.length && this.#gets[this.#getsAt]!.outcome !== undefined) this.#getsAt++
    if (this.#getsAt > 64 && this.#getsAt * 2 > this.#gets.length) {
      this.#gets = this.#gets.slice(this.#getsAt)
      this.#getsAt = 0
    }
    return this.#gets[this.#getsAt]?.invoked ?? this.#events
  }

  /** What the window says when this has ended. */
  #ask(ended: KvOperation): LiveAnswer {
    if (this.#window !== undefined) return answerOf(this.#window, ended)
    if (this.#isTorn) return UNCLEAR
    const window = new LiveAny(this.#model)
    const begun = new Set<KvOperation>()
    let answer = POSSIBLE
    for (const operation of this.#log) {
      if (begun.has(operation)) answer = answerOf(window, operation)
      else operation.asked = window.invoke(operation.f, operation.value, operation.row, operation.process)
      if (answer !== POSSIBLE) return answer
      begun.add(operation)
    }
    this.#window = window
    return POSSIBLE
  }

  /** Forgets the earlier half of the log, but for operations that have not ended in it. */
  #tear(): void {
    const half = this.#log.length >> 1
    const unended = new Set<KvOperation>()
    for (const operation of this.#log.slice(0, half)) if (!unended.delete(operation)) unended.add(operation)
    this.#log = [...unended, ...this.#log.slice(half)]
    this.#room = this.#log.length
    this.#isTorn = true
  }

  /** A read has ended: whether the text was certain when it began. */
  #tryCut(get: Get): void {
    const { era } = get
    const isAlone = this.#open === 0 && this.#log.at(-2) === get
    if (era === undefined ? !isAlone || get.output !== this.#empty : era.last !== get.invoked || era.first > era.last) return
    this.#room = this.#cut(get, era) ? 2 * this.#log.length + this.#memory.events : this.#log.length + this.#memory.events
  }

  /** Begins the log anew at a moment within an era, or when nothing was there and a read was alone. False: some read may have looked behind that, or a change is not known to be still to come. */
  #cut(get: Get, era: Change | undefined): boolean {
    const at = this.#momentBefore(this.#log.lastIndexOf(get, this.#log.length - 2))
    const moment = this.#log[at]!.invoked
    const first = era?.first ?? moment
    const state = era === undefined ? 0 : stateAt(era, moment)
    if (moment < first || state < 0) return false
    const certain = era === undefined || era.f === 'put' || era.isSettled ? first : (era.partner?.first ?? -1)
    const text = era === undefined ? this.#empty : textAt(era, state)
    const [before, within, settled]: [KvOperation[], KvOperation[], KvOperation[]] = [[], [], []]
    const crashed = new Set<KvOperation>()
    for (let i = 0; i < at; i++) {
      const operation = this.#log[i]!
      if (operation.ended < moment || crashed.has(operation)) continue
      if (operation.outcome === 'info') crashed.add(operation)
      if (operation.f === 'get' || this.#eras.isSettled(operation, moment, era, state)) settled.push(operation)
      else if (operation.invoked > first) within.push(operation)
      else if (operation.invoked > certain || (operation.f === 'delete' && (this.#eras.isLost || isResponsible(operation)))) return false
      else before.push(operation)
    }
    for (const operation of settled) operation.isSettled = true
    const put = newChange('put', text, -1, -1, moment)
    put.ended = moment
    put.outcome = 'ok'
    const since = this.#log.slice(at).filter(({ invoked, outcome, isSettled }) => invoked >= moment || (outcome !== 'info' && !isSettled))
    this.#log = [...before.flatMap(carried), put, put, ...within.flatMap(carried), ...since]
    this.#window = undefined
    this.#isTorn = false
    this.#eras.settle(moment, era, since)
    return true
  }

  /** The last place in the log, up to this one, at which a read begins and no other is open. */
  #momentBefore(place: number): number {
    let at = place
    for (let i = place - 1; i >= 0; i--) {
      const operation = this.#log[i]!
      if (operation.f === 'get' && operation.outcome !== 'info' && operation.ended > this.#log[at]!.invoked) at = i
    }
    return at
  }
}

/** What a window says when an operation has ended, if it was told of it. */
function answerOf(window: LiveAny, { isSettled, asked, outcome, output }: KvOperation): LiveAnswer {
  return isSettled ? POSSIBLE : window.complete(asked!, outcome!, output)
}

const UNCLEAR: LiveAnswer = { type: 'unclear', why: 'it is not certain what was deleted when' }

/** An operation in the log that has not ended there. */
function carried(operation: KvOperation): KvOperation[] {
  return operation.outcome === 'info' ? [operation, operation] : [operation]
}

/** The state of an era that was certainly reached by a moment, counted from its first; -1 where it was forgotten. */
function stateAt({ chain }: Change, moment: number): number {
  if (chain === undefined) return 0
  const at = chain.since.findLastIndex((since) => since < moment)
  return at < 0 ? -1 : chain.base + at
}

function textAt({ text, chain }: Change, state: number): string {
  return chain === undefined ? text : chain.text.slice(0, chain.lengths[state - chain.base])
}
