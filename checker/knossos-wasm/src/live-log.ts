/**
 * For algorithms that know one way in which all operations can have taken effect, and nothing is violated as long as they do: what happened
 * since the last *cut*, a moment at which the state of the object was certain. When the one way is lost, which proves
 * nothing, the log is told to the window (live-any.ts), which decides, and judges from then on, until the next cut.
 */
import { POSSIBLE } from './live-algorithm.ts'
import { LiveAny } from './live-any.ts'
import type { LiveAnswer, Outcome } from './live-algorithm.ts'
import type { LiveOperation } from './live-window.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** An operation as the window wants it. */
export interface LoggedOperation {
  readonly f: string
  readonly value: Json
  readonly row: number
  readonly process: number
}

interface Entry<Operation> {
  readonly operation: Operation
  readonly ended: { readonly outcome: Outcome; readonly value: Json } | undefined
}

/** The log of one key, and the window that follows. */
export class LiveLog<Operation extends LoggedOperation> {
  readonly #model: Model
  #window: LiveAny | undefined
  #open = new Map<Operation, LiveOperation>()
  /** What the window said when it could not tell; nothing can be asked of it until the next cut. */
  #gaveUp: LiveAnswer | undefined
  /** What the window has not been told. */
  #entries: Entry<Operation>[] = []

  constructor(model: Model) {
    this.#model = model
  }

  /** How many events the window has not been told. */
  get length(): number {
    return this.#entries.length
  }

  get size(): number {
    return this.#entries.length + (this.#window?.size ?? 0)
  }

  begin(operation: Operation): void {
    this.#entries.push({ operation, ended: undefined })
  }

  end(operation: Operation, outcome: Outcome, value: Json): void {
    this.#entries.push({ operation, ended: { outcome, value } })
  }

  /** Tells the window what it has not been told; `initial` is the state at the cut, asked for if need be. */
  tell(initial: () => Json): LiveAnswer {
    this.#window ??= new LiveAny({ ...this.#model, init: initial() })
    const entries = this.#entries
    this.#entries = []
    if (this.#gaveUp !== undefined) return this.#gaveUp
    for (const { operation, ended } of entries) {
      if (ended === undefined) {
        this.#open.set(operation, this.#window.invoke(operation.f, operation.value, operation.row, operation.process))
        continue
      }
      const open = this.#open.get(operation)
      // It took effect before the cut.
      if (open === undefined) continue
      this.#open.delete(operation)
      const answer = this.#window.complete(open, ended.outcome, ended.value)
      if (answer.type === 'unclear') this.#gaveUp = answer
      if (answer.type !== 'possible') return answer
    }
    return POSSIBLE
  }

  /** The state is certain: all is forgotten that lies before. */
  cut(): void {
    this.#window = undefined
    this.#gaveUp = undefined
    this.#open = new Map()
    this.#entries = []
  }
}
