/** Registers and CAS registers by zones that grow (live-zones.ts): what a register's operations mean for zones. */
import { HistoryError } from './history.ts'
import { POSSIBLE } from './live-algorithm.ts'
import { LiveZones } from './live-zones.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { LiveConflict } from './live-zones.ts'
import type { RegisterRules } from './model.ts'
import type { Json, Values } from './values.ts'

interface RegisterOperation {
  readonly f: string
  /** The code of the value that it makes, unless it is a read. */
  readonly made: number
  readonly invoked: number
  readonly row: number
  isOpen: boolean
}

/** One register. */
export class LiveRegister implements LiveAlgorithm<RegisterOperation> {
  readonly #rules: RegisterRules
  readonly #values: Values
  readonly #zones: LiveZones
  /** By the time of their invocation; those that ended are skipped. */
  readonly #begun: RegisterOperation[] = []
  #begunAt = 0
  #events = 0
  /** How many operations ended. Every few of them it is forgotten what can be. */
  #completed = 0

  constructor(rules: RegisterRules, values: Values) {
    this.#rules = rules
    this.#values = values
    this.#zones = new LiveZones(values.encode(rules.initial))
  }

  get size(): number {
    return this.#zones.size
  }

  invoke(f: string, value: Json, row: number): RegisterOperation | undefined {
    const [expected, made] = f === 'cas' ? pairOf(value, row) : [undefined, f === 'delete' ? null : value]
    const operation: RegisterOperation = { f, made: f === 'read' ? 0 : this.#values.encode(made), invoked: ++this.#events, row, isOpen: true }
    this.#begun.push(operation)
    if (f === 'read') return operation
    const expects = f === 'cas' ? this.#values.encode(expected) : undefined
    return this.#zones.invokeWrite(operation.made, operation.invoked, row, expects) ? operation : undefined
  }

  complete(operation: RegisterOperation, outcome: Outcome, value: Json): LiveAnswer {
    this.#events++
    operation.isOpen = false
    const { f, made, row } = operation
    if (outcome === 'fail' && f === 'cas' && this.#rules.failedCas === 'strict') return { type: 'unclear', why: 'a compare-and-set failed' }
    const conflict = outcome === 'ok' ? this.#ended(operation, value) : outcome === 'fail' && f !== 'read' ? this.#zones.withdraw(made, row) : undefined
    if ((++this.#completed & 15) === 0) this.#zones.forget(this.#earliestOpen())
    return conflict === undefined ? POSSIBLE : { type: 'violated', rows: conflict.rows, why: whyOf(conflict) }
  }

  #ended({ f, made, invoked, row }: RegisterOperation, value: Json): LiveConflict | undefined {
    if (f !== 'read') return this.#zones.complete(made, invoked, row, this.#events)
    if (value === null && this.#rules.nilReads === 'unknown') return undefined
    return this.#zones.complete(this.#values.encode(value), invoked, row, this.#events)
  }

  /** When the earliest open operation was invoked; where none is open, of the next event. */
  #earliestOpen(): number {
    while (this.#begunAt < this.#begun.length && !this.#begun[this.#begunAt]!.isOpen) this.#begunAt++
    if (this.#begunAt > 1024 && this.#begunAt * 2 > this.#begun.length) {
      this.#begun.splice(0, this.#begunAt)
      this.#begunAt = 0
    }
    return this.#begun[this.#begunAt]?.invoked ?? this.#events + 1
  }
}

function pairOf(value: Json, row: number): readonly [Json, Json] {
  if (Array.isArray(value) && value.length === 2) return value as unknown as readonly [Json, Json]
  throw new HistoryError('BAD_CAS', row, `event ${row}: cas has the value ${JSON.stringify(value)}; expected [expected, new]`)
}

function whyOf({ reason }: LiveConflict): string {
  switch (reason) {
    case 'unwritten': return 'needs a value that nothing had written, or that had certainly been overwritten before it began.'
    case 'consumed': return 'shows that two compare-and-sets took effect on one value, which was there only once.'
    case 'overwritten': return 'cannot be placed: another value must have stood both before and after it.'
  }
}
