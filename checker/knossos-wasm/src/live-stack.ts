/**
 * Stacks whose elements are unique while they are in, judged while the history is being made: as long as one way is known in which all operations can have
 * taken effect (live-stack-placement.ts), nothing is violated. When it is lost, which proves nothing, another algorithm must judge.
 *
 * What it costs: O(1) an event where few operations overlap each other, memory of what is in the stack and of the open window.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import { StackPlacement } from './live-stack-placement.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { Pop, Pushed } from './live-stack-placement.ts'
import type { Json, Values } from './values.ts'

/** A push is remembered as what it pushes. */
interface StackOperation {
  readonly row: number
  /** Of a push: the code of its element. */
  readonly code: number
  readonly pushed: Pushed | undefined
  readonly pop: Pop | undefined
}

const ABSENT = 'cannot be placed: what was popped had not been pushed, or had been popped already.'
const FAILED = 'cannot have failed: its element was popped.'
const LOST: LiveAnswer = { type: 'unclear', why: 'too many orders are possible' }

/** One stack. */
export class LiveStack implements LiveAlgorithm<StackOperation> {
  readonly #values: Values
  #events = 0
  readonly #placement = new StackPlacement()
  /** By code: what is in the stack, or being pushed. */
  readonly #elements = new Map<number, Pushed>()

  constructor(values: Values) {
    this.#values = values
  }

  /** How many elements are remembered. */
  get size(): number {
    return this.#elements.size
  }

  invoke(f: string, value: Json, row: number): StackOperation | undefined {
    const event = this.#events++
    if (f === 'pop') return { row, code: -1, pushed: undefined, pop: this.#placement.pop(event) }
    const code = this.#values.encode(value)
    // Who pops null may have found nothing.
    if (value === null || this.#elements.has(code)) return undefined
    const pushed = this.#placement.push(row, event)
    this.#elements.set(code, pushed)
    return { row, code, pushed, pop: undefined }
  }

  complete(operation: StackOperation, outcome: Outcome, value: Json): LiveAnswer {
    const event = this.#events++
    const { row, code, pushed, pop } = operation
    if (pushed !== undefined) return this.#pushEnds(row, code, pushed, outcome, event)
    if (outcome === 'info') pop!.hasCrashed = true
    if (outcome === 'info') return POSSIBLE
    if (outcome === 'fail') return this.#placement.fails(pop!) ? POSSIBLE : LOST
    if (value === null) return this.#placement.takes(pop!, undefined, event) ? POSSIBLE : LOST
    const taken = this.#values.encode(value)
    const element = this.#elements.get(taken)
    if (element === undefined || element.isPopped) return violatedBy([row, element?.row ?? -1], ABSENT)
    if (element.ended < Infinity) this.#elements.delete(taken)
    return this.#placement.takes(pop!, element, event) ? POSSIBLE : LOST
  }

  #pushEnds(row: number, code: number, pushed: Pushed, outcome: Outcome, event: number): LiveAnswer {
    if (outcome === 'ok') this.#placement.pushEnds(pushed, event)
    else this.#placement.pushCrashes(pushed)
    if (outcome === 'fail' || pushed.isPopped) this.#elements.delete(code)
    return outcome === 'fail' && pushed.isPopped ? violatedBy([row], FAILED) : POSSIBLE
  }
}
