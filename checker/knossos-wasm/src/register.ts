/**
 * The register family's view of the operations of one key: reads, writes, compare-and-sets, as integer columns. A delete is
 * a write of null: keys that are deleted more than once, or begin without a value, have values that are not unique.
 */
import { withArticle } from './article.ts'
import { FAIL, HistoryError, INFO, INVOKE } from './history.ts'
import { KeyIndex } from './integers.ts'
import { rowsInTimeOrder } from './order.ts'
import { NIL } from './values.ts'
import type { History } from './history.ts'
import type { Model, RegisterRules } from './model.ts'

export const READ = 0
export const WRITE = 1
export const CAS = 2
export const FAILED_CAS = 3
/** Only of functions: as an operation it is a WRITE of null. */
export const DELETE = 4

const kindOf: Readonly<Record<string, number>> = { read: READ, write: WRITE, cas: CAS, delete: DELETE }

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

/** One key's part of a history of registers. */
export interface RegisterKey {
  /** Code of the key in `history.values`. */
  readonly key: number
  /** How many operations clients invoked on it, including those that prove nothing. */
  readonly operations: number
  readonly ops: RegisterOperations
}

/**
 * Reads the columns of all keys in two passes over the events: one counts, one fills. Keys are interleaved in the
 * history, so going key by key would touch every line of memory once per key.
 */
export function registerKeys(history: History, model: Model, rules: RegisterRules): RegisterKey[] {
  const order = rowsInTimeOrder(history)
  const { keyOf, counts, keys } = countByKey(history)
  const starts = new Int32Array(counts.length + 1)
  for (let k = 0; k < counts.length; k++) starts[k + 1] = starts[k]! + counts[k]!
  const columns = emptyColumns(starts[counts.length]!)
  const filled = fill(history, model, rules, order, keyOf, starts, columns)
  return keys.map((key, k) => {
    const from = starts[k]!
    const to = from + filled.lengths[k]!
    const part = (column: Int32Array): Int32Array => column.subarray(from, to)
    const ops: RegisterOperations = {
      length: to - from, kind: columns.kind.subarray(from, to), a: part(columns.a), b: part(columns.b), inv: part(columns.inv), ret: part(columns.ret), row: part(columns.row),
      events: filled.events[k]!, failedCas: filled.failedCas[k]!,
    }
    return { key, operations: counts[k]!, ops }
  })
}

function emptyColumns(n: number) {
  return { kind: new Uint8Array(n), a: new Int32Array(n), b: new Int32Array(n), inv: new Int32Array(n), ret: new Int32Array(n), row: new Int32Array(n) }
}

/** The dense index of each invocation's key (null when there is only one key), and how many operations it has. */
function countByKey(history: History): { readonly keyOf: Int32Array | null; readonly counts: readonly number[]; readonly keys: readonly number[] } {
  const { type, process, key, length } = history
  let row = 0
  while (row < length && (type[row] !== INVOKE || process[row]! < 0)) row++
  if (row === length) return { keyOf: null, counts: [], keys: [] }
  const only = key[row]!
  let count = 0
  for (; row < length; row++) {
    if (type[row] !== INVOKE || process[row]! < 0) continue
    if (key[row] !== only) break
    count++
  }
  if (row === length) return { keyOf: null, counts: [count], keys: [only] }
  const index = new KeyIndex()
  const keyOf = new Int32Array(length)
  const counts: number[] = []
  for (row = 0; row < length; row++) {
    if (type[row] !== INVOKE || process[row]! < 0) continue
    const k = index.add(key[row]!)
    if (k === counts.length) counts.push(0)
    counts[k]!++
    keyOf[row] = k
  }
  return { keyOf, counts, keys: counts.map((_, k) => index.codeOf(k)) }
}

function fill(history: History, model: Model, rules: RegisterRules, order: Int32Array | null, keyOf: Int32Array | null, starts: Int32Array, columns: ReturnType<typeof emptyColumns>) {
  const kinds = functionKinds(history, model)
  const dropFailed = rules.failedCas === 'drop'
  const dropNil = rules.nilReads === 'unknown'
  const { type, process, pair, f, value, values, length } = history
  const { kind, a, b, inv, ret, row } = columns
  const next = starts.slice()
  const events = new Int32Array(starts.length)
  const failedCas = new Int32Array(starts.length)
  /** By row of an invocation: its operation + 1; 0 for those that prove nothing. */
  const place = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    const at = order === null ? i : order[i]!
    if (type[at] !== INVOKE) {
      const operation = pair[at]! < 0 ? 0 : place[pair[at]!]!
      if (operation > 0 && type[at] !== INFO) ret[operation - 1] = events[keyOf === null ? 0 : keyOf[pair[at]!]!]!++
      continue
    }
    if (process[at]! < 0) continue
    const end = pair[at]!
    const outcome = end < 0 ? INFO : type[end]!
    let k = kinds[f[at]!]!
    if (k < 0) throw unknownFunction(history, at, model)
    const key = keyOf === null ? 0 : keyOf[at]!
    const to = next[key]!
    if (k === READ) {
      if (outcome === FAIL || outcome === INFO || (dropNil && value[end] === NIL)) continue
      a[to] = value[end]!
    } else if (k === WRITE || k === DELETE) {
      if (outcome === FAIL) continue
      a[to] = k === WRITE ? value[at]! : NIL
      k = WRITE
    } else {
      if (outcome === FAIL) {
        if (dropFailed) continue
        k = FAILED_CAS
        failedCas[key]!++
      }
      const code = value[at]!
      if (!values.isPair(code)) throw new HistoryError('BAD_CAS', at, `event ${at}: cas has the value ${JSON.stringify(values.decode(code))}; expected [expected, new]`)
      a[to] = values.first(code)
      b[to] = values.second(code)
    }
    next[key] = to + 1
    place[at] = to + 1
    kind[to] = k
    inv[to] = events[key]!++
    ret[to] = NEVER
    row[to] = at
  }
  return { lengths: next.map((end, k) => end - starts[k]!), events, failedCas }
}

/** What each function of the history is: READ, WRITE, CAS, DELETE; -1 when the model does not know it. */
export function functionKinds(history: History, model: Model): Int8Array {
  return Int8Array.from(history.functions, (name) => (model.functions.includes(name) ? kindOf[name]! : -1))
}

/** The error for a function that a model does not know. */
export function unknownFunction(history: History, row: number, model: Model): HistoryError {
  return new HistoryError('UNKNOWN_FUNCTION', row, `event ${row} invokes "${history.functions[history.f[row]!]}", which ${withArticle(model.name)} does not know (it knows ${model.functions.join(', ')}); choose another model`)
}
