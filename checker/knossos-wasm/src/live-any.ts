/** Any model, by just-in-time linearization of the open window (live-window.ts). */
import { POSSIBLE } from './live-algorithm.ts'
import { LiveWindow } from './live-window.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { LiveOperation } from './live-window.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** One key of any model. */
export class LiveAny implements LiveAlgorithm<LiveOperation> {
  readonly #model: Model
  readonly #window: LiveWindow

  constructor(model: Model) {
    this.#model = model
    this.#window = new LiveWindow(model)
  }

  get size(): number {
    return this.#window.size
  }

  invoke(f: string, value: Json, row: number, process: number): LiveOperation {
    return this.#window.invoke(f, value, this.#model.perProcess === true ? process : null, row)
  }

  complete(operation: LiveOperation, outcome: Outcome, value: Json): LiveAnswer {
    const answer = this.#window.complete(operation, outcome, value)
    if (answer.type === 'possible') return POSSIBLE
    if (answer.type === 'too hard') return { type: 'unclear', why: 'too many orders are possible' }
    const could = answer.states.slice(0, 4).map((state) => (state === undefined ? 'what nobody could see any more' : JSON.stringify(state))).join(' or ')
    return { type: 'violated', rows: [operation.row], why: `cannot be placed: before its response the ${this.#model.name} could only be ${could}${answer.states.length > 4 ? ' or ...' : ''}.` }
  }
}
