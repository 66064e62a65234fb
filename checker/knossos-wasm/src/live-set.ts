/**
 * Sets, judged while the history is being made.
 *
 * One way is kept up in which all operations can have taken effect (live-set-chain.ts). Where it has to be decided on something of
 * which nobody can know yet how it was, the likelier is tried, and when that leads into a contradiction the other: what has happened since
 * decisions were last without consequence is gone through again, with another decision each time. A contradiction that no decision
 * avoids is a violation.
 *
 * What it costs: see live-set-chain.ts; decisions are rare where operations are short, and wrong ones rarer. Where decisions have consequences for
 * so long that LOG_MAX events have happened, they stand, and a contradiction proves nothing.
 */
import { POSSIBLE } from './live-algorithm.ts'
import { SetChain } from './live-set-chain.ts'
import { NIL } from './values.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { SetOperation } from './live-set-changes.ts'
import type { Json, Values } from './values.ts'

/** What has happened is forgotten when it is so much, and so much for each element, if decisions have no consequences; and in any case. */
const LOG_MIN = 64
const LOG_MAX = 4096
const LOG_PER_ELEMENT = 4
/** How often what happened is gone through again before this gives up. */
const ATTEMPTS_MAX = 256

const TOO_HARD: LiveAnswer = { type: 'unclear', why: 'too many orders are possible' }

/** Of so many ways, which was taken. */
interface Decision {
  taken: number
  readonly ways: number
}

/** One set. `isGrowing`: nothing is ever removed from it, so that there is nothing to decide. */
export class LiveSet implements LiveAlgorithm<SetOperation> {
  readonly #values: Values
  readonly #isGrowing: boolean
  #chain: SetChain
  /** The chain before what is in the log; undefined: that is forgotten. */
  #base: SetChain | undefined
  /** Operations, once where they begin and once where they end. */
  #log: SetOperation[] = []
  #decisions: Decision[] = []
  /** How many of them have been followed. */
  #followed = 0
  /** There were other ways, which nobody was asked for. */
  #isLoose = false

  constructor(values: Values, isGrowing: boolean) {
    this.#values = values
    this.#isGrowing = isGrowing
    this.#chain = new SetChain(values, (ways) => this.#taken(ways), false)
    this.#base = isGrowing ? undefined : this.#chain.copy(false)
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#chain.size + this.#log.length
  }

  invoke(f: string, value: Json, row: number): SetOperation | undefined {
    const operation: SetOperation = { f, value, code: f === 'read' ? NIL : this.#values.encode(value), row, invoked: 0, outcome: undefined, output: null }
    if (!this.#isGrowing) this.#log.push(operation)
    return this.#chain.invoke(operation) ? operation : undefined
  }

  complete(operation: SetOperation, outcome: Outcome, output: Json): LiveAnswer {
    operation.outcome = outcome
    operation.output = output
    if (!this.#isGrowing) this.#log.push(operation)
    const wrong = this.#chain.complete(operation)
    if (wrong !== undefined) return this.#reconsider(wrong)
    if (this.#log.length > LOG_MIN + LOG_PER_ELEMENT * this.#chain.size) this.#forget()
    return POSSIBLE
  }

  #taken(ways: number): number {
    this.#isLoose ||= ways === 1
    if (this.#followed === this.#decisions.length) this.#decisions.push({ taken: 0, ways })
    return this.#decisions[this.#followed++]!.taken
  }

  /** What was decided is wrong: decides otherwise, the last decision first. */
  #reconsider(contradiction: LiveAnswer): LiveAnswer {
    let answer = contradiction
    let isThorough = false
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const decisions = this.#decisions
      while (decisions.length > 0 && decisions.at(-1)!.taken + 1 === decisions.at(-1)!.ways) decisions.pop()
      if (decisions.length === 0 && !this.#isLoose) return answer
      if (this.#base === undefined) return TOO_HARD
      if (decisions.length === 0) isThorough = true
      else decisions.at(-1)!.taken++
      answer = this.#again(this.#base, isThorough)
      if (answer.type !== 'violated') return answer
    }
    return TOO_HARD
  }

  /** Goes through what happened again. */
  #again(base: SetChain, isThorough: boolean): LiveAnswer {
    if (isThorough) this.#isLoose = false
    this.#followed = 0
    const chain = base.copy(isThorough)
    this.#chain = chain
    const begun = new Set<SetOperation>()
    for (const operation of this.#log) {
      if (operation.invoked >= base.events && !begun.has(operation)) {
        begun.add(operation)
        if (!chain.invoke(operation)) return TOO_HARD
        continue
      }
      const wrong = chain.complete(operation)
      if (wrong !== undefined) return wrong
    }
    return POSSIBLE
  }

  /** Forgets what has happened, if decisions have no consequences any more or it is too much. */
  #forget(): void {
    const isSettled = this.#chain.isSettled
    if (!isSettled && this.#log.length < LOG_MAX + 2 * LOG_PER_ELEMENT * this.#chain.size) return
    this.#base = isSettled ? this.#chain.copy(false) : undefined
    this.#isLoose = !isSettled
    this.#chain.settles()
    this.#log = []
    this.#decisions = []
    this.#followed = 0
  }
}
