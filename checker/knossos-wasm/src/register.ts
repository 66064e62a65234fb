/**
 * The register family's view of the operations of one key: reads, writes, compare-and-sets, as integer columns.
 */
import { FAIL, HistoryError, INFO } from './history.ts'
import { NIL } from './values.ts'
import type { History } from './history.ts'
import type { KeyRows } from './order.ts'
import type { Model, RegisterRules } from './model.ts'

export const READ = 0
export const WRITE = 1
export const CAS = 2
export const FAILED_CAS = 3

/** The rank of a response that never came. */
export const NEVER = 0x7fffffff

/** The operations that prove something, by rank of their invocation. */
export interface RegisterOperations {
  readonly length: number
  /** READ, WRITE, CAS or FAILED_CAS. */
  readonly kind: Uint8Array
  /** Value read, written or expected (a code). */
  readonly a: Int32Array
  /** The new value of a compare-and-set. */
  readonly b: Int32Array
  /** Rank of the invocation. */
  readonly inv: Int32Array
  /** Rank of the response; NEVER for crashed operations. */
  readonly ret: Int32Array
  /** Row of the invocation. */
  readonly row: Int32Array
  /** How many events the ranks run over. */
  readonly events: number
  readonly failedCas: number
}

/** Reads the columns of one key. */
export function registerOperations(history: History, key: KeyRows, rank: Int32Array | null, model: Model, rules: RegisterRules): RegisterOperations {
  const n = key.rows.length
  const kind = new Uint8Array(n)
  const a = new Int32Array(n)
  const b = new Int32Array(n)
  const inv = new Int32Array(n)
  const ret = new Int32Array(n)
  const row = new Int32Array(n)
  const kinds = functionKinds(history, model)
  const dropFailed = rules.failedCas === 'drop'
  const dropNil = rules.nilReads === 'unknown'
  const { type, pair, f, value, values } = history
  let length = 0
  let failedCas = 0
  for (let i = 0; i < n; i++) {
    const at = key.rows[i]!
    const end = pair[at]!
    const outcome = end < 0 ? INFO : type[end]!
    let k = kinds[f[at]!]!
    if (k < 0) refuse(history, at, model)
    if (k === READ) {
      if (outcome === FAIL || outcome === INFO || (dropNil && value[end] === NIL)) continue
      a[length] = value[end]!
    } else if (k === WRITE) {
      if (outcome === FAIL) continue
      a[length] = value[at]!
    } else {
      if (outcome === FAIL) {
        if (dropFailed) continue
        k = FAILED_CAS
        failedCas++
      }
      const code = value[at]!
      if (!values.isPair(code)) throw new HistoryError('BAD_CAS', at, `event ${at}: cas has the value ${JSON.stringify(values.decode(code))}; expected [expected, new]`)
      a[length] = values.first(code)
      b[length] = values.second(code)
    }
    kind[length] = k
    inv[length] = rank === null ? at : rank[at]!
    ret[length] = outcome === INFO ? NEVER : rank === null ? end : rank[end]!
    row[length] = at
    length++
  }
  return { length, kind, a, b, inv, ret, row, events: rank === null ? history.length : key.events, failedCas }
}

function functionKinds(history: History, model: Model): Int8Array {
  const known = ['read', 'write', 'cas']
  return Int8Array.from(history.functions, (name) => (model.functions.includes(name) ? known.indexOf(name) : -1))
}

function refuse(history: History, row: number, model: Model): never {
  throw unknownFunction(history, row, model)
}

/** The error for a function that a model does not know. */
export function unknownFunction(history: History, row: number, model: Model): HistoryError {
  return new HistoryError('UNKNOWN_FUNCTION', row, `event ${row} invokes "${history.functions[history.f[row]!]}", which a ${model.name} does not know (it knows ${model.functions.join(', ')}); choose another model`)
}
