/**
 * What the general engine is given: the events of one key, with every operation reduced to a *type* (function,
 * arguments, result, outcome). Operations of the same type are interchangeable.
 */
import { FAIL, HistoryError, INFO, INVOKE, OK } from './history.ts'
import { DenseIndex, sortedOrder } from './integers.ts'
import { CAS, FAILED_CAS, NEVER, READ, WRITE, unknownFunction } from './register.ts'
import type { History } from './history.ts'
import type { KeyRows } from './order.ts'
import type { Model, ModelOperation, Traits } from './model.ts'
import type { Json } from './values.ts'
import { canonical } from './values.ts'
import type { RegisterOperations } from './register.ts'

export const PURE = 1
const TOTAL = 2
export const CONSTANT = 4
const CRASHED = 8

const NONE = -1

/** The operations of one key, ready for the engine. */
export interface Problem {
  /** Row of each operation's invocation. */
  readonly row: Int32Array
  /** Operation * 2, + 1 for its response. */
  readonly events: Int32Array
  readonly type: Int32Array
  /** Slot in the window; -1 for crashed operations, which are counted by type instead. */
  readonly slot: Int32Array
  /** Event of the response; NEVER. */
  readonly returns: Int32Array
  readonly slots: number
  readonly flags: Int32Array
  readonly needs: Int32Array
  readonly makes: Int32Array
  /** Index of each type among the crashed ones; -1. */
  readonly crash: Int32Array
  readonly crashTypes: Int32Array
  /** States of registers are dense; other models' are interned as they appear. */
  readonly states: number
  readonly initial: number
  readonly register: boolean
  /** Successors of a state under a type (models other than registers). */
  readonly successors: (state: number, type: number) => readonly number[]
  /** Whether a type may become possible from a state that is not overwritten. */
  readonly reaches: (state: number, type: number) => boolean
  /** By event: the type of the operation that must still become possible before an overwriting one is invoked; -1. Absent: not known. */
  readonly forced?: Int32Array
  /** About how many bytes the states take outside the engine. */
  readonly hostBytes: () => number
  /** What state number i is. */
  readonly stateAt: (state: number) => Json
}

interface Draft {
  readonly row: number[]
  readonly type: number[]
  readonly inv: number[]
  readonly ret: number[]
}

/** The problem of a register: states are its values, and types say which value they need and make. */
export function registerProblem(ops: RegisterOperations, initial: number, decode: (code: number) => Json): Problem {
  const values = new DenseIndex()
  values.add(initial)
  const types = new Map<string, number>()
  const flags: number[] = []
  const needs: number[] = []
  const makes: number[] = []
  const draft: Draft = { row: [], type: [], inv: [], ret: [] }
  const used = usefulValues(ops)
  for (let i = 0; i < ops.length; i++) {
    const kind = ops.kind[i]!
    const crashed = ops.ret[i] === NEVER
    const made = kind === WRITE ? ops.a[i]! : ops.b[i]!
    // A crashed mutator whose value nobody can have seen may be left out.
    if (crashed && used !== null && !used.has(made)) continue
    const a = values.add(ops.a[i]!)
    const b = kind === CAS ? values.add(ops.b[i]!) : 0
    if (crashed && kind === CAS && a === b) continue
    const name = `${kind},${a},${b},${crashed ? 1 : 0}`
    let type = types.get(name)
    if (type === undefined) {
      type = flags.length
      types.set(name, type)
      const pure = kind === READ || kind === FAILED_CAS || (kind === CAS && a === b)
      flags.push((pure ? PURE : 0) | (kind === WRITE ? TOTAL | CONSTANT : 0) | (crashed ? CRASHED : 0))
      needs.push(kind === WRITE ? NONE : kind === FAILED_CAS ? -2 - a : a)
      makes.push(pure ? NONE : kind === WRITE ? a : b)
    }
    draft.row.push(ops.row[i]!)
    draft.type.push(type)
    draft.inv.push(ops.inv[i]!)
    draft.ret.push(ops.ret[i]!)
  }
  return assemble(draft, flags, needs, makes, {
    states: values.size, initial: 0, register: true, successors: () => [], reaches: () => true, hostBytes: () => 0, stateAt: (state) => decode(values.keys[state]!),
  })
}

/** Values that some operation needs; null when every value may matter (a failed compare-and-set needs any other). */
function usefulValues(ops: RegisterOperations): Set<number> | null {
  const used = new Set<number>()
  for (let i = 0; i < ops.length; i++) {
    if (ops.kind[i] === FAILED_CAS) return null
    if (ops.kind[i] !== WRITE) used.add(ops.a[i]!)
  }
  return used
}

/** A part of a key's history. */
export interface Part {
  /** Rows of invocations. Default: all. */
  readonly rows?: ReadonlySet<number>
  /** Only what happened before this rank: later responses have not come yet. */
  readonly until?: number
}

/** An operation in its place among the events of its key. */
export interface Placed {
  readonly operation: ModelOperation
  /** Row of the invocation. */
  readonly row: number
  /** Rank of the invocation. */
  readonly inv: number
  /** Rank of the response; NEVER for operations that crashed. */
  readonly ret: number
  /** Equal for operations that are interchangeable, within one history: function, arguments, result, outcome and, where it matters, who asked. */
  readonly type: string
}

/** The operations of one key that prove something, in order of invocation. */
export function placedOperations(history: History, key: KeyRows, rank: Int32Array | null, model: Model, { rows, until = NEVER }: Part = {}): Placed[] {
  const placed: Placed[] = []
  for (const row of key.rows) {
    if (rows !== undefined && !rows.has(row)) continue
    const inv = rank === null ? row : rank[row]!
    if (inv >= until) break
    const end = history.pair[row]!
    const ended = end < 0 || history.type[end] === INFO ? NEVER : rank === null ? end : rank[end]!
    const whole = operationAt(history, row, model)
    const operation: ModelOperation = ended < until ? whole : { ...whole, outcome: 'info', output: undefined }
    const { ignored, pure } = traitsOf(model, operation)
    if (ignored === true || (pure === true && operation.outcome === 'info')) continue
    // Equal values have equal codes.
    const type = `${history.f[row]},${history.value[row]},${operation.output === undefined ? operation.outcome : history.value[end]},${model.perProcess === true ? history.process[row] : ''}`
    placed.push({ operation, row, inv, ret: operation.outcome === 'info' ? NEVER : ended, type })
  }
  return placed
}

/** What the checker may rely on about an operation; without traits, that failures prove nothing. */
export function traitsOf(model: Model, operation: ModelOperation): Traits {
  return model.traits?.(operation) ?? { ignored: operation.outcome === 'fail' }
}

/** The problem of any other model. */
export function modelProblem(history: History, key: KeyRows, rank: Int32Array | null, model: Model, part: Part = {}): Problem {
  const types = new Map<string, number>()
  const operations: ModelOperation[] = []
  const flags: number[] = []
  const draft: Draft = { row: [], type: [], inv: [], ret: [] }
  for (const { operation, row, inv, ret, type: name } of placedOperations(history, key, rank, model, part)) {
    let type = types.get(name)
    if (type === undefined) {
      type = operations.push(operation) - 1
      types.set(name, type)
      const { pure, total, constant } = traitsOf(model, operation)
      flags.push((pure ? PURE : 0) | (total || constant ? TOTAL : 0) | (constant ? CONSTANT : 0) | (ret === NEVER ? CRASHED : 0))
    }
    draft.row.push(row)
    draft.type.push(type)
    draft.inv.push(inv)
    draft.ret.push(ret)
  }
  const object = model.specialized?.(operations) ?? model
  const states: Json[] = []
  // Texts and numbers go by themselves, everything else by its canonical text.
  const scalars = new Map<Json, number>()
  const composites = new Map<string, number>()
  let bytes = 0
  const intern = (state: Json): number => {
    const isScalar = typeof state !== 'object' || state === null
    const text = isScalar ? '' : canonical(state)
    const known = isScalar ? scalars.get(state) : composites.get(text)
    if (known !== undefined) return known
    const code = states.push(state) - 1
    if (isScalar) scalars.set(state, code)
    else composites.set(text, code)
    // The text, the value (about twice as much), and their rows in two tables.
    bytes += (typeof state === 'string' ? state.length : text.length * 3) + 128
    return code
  }
  intern(object.init)
  const none = flags.map(() => NONE)
  const problem = assemble(draft, flags, none, none, {
    states: 1, initial: 0, register: false,
    successors: (state, type) => object.step(states[state]!, operations[type]!).map(intern),
    reaches: (state, type) => object.reaches?.(states[state]!, operations[type]!) ?? true,
    hostBytes: () => bytes,
    stateAt: (state) => states[state]!,
  })
  return object.reaches === undefined ? problem : { ...problem, forced: forcedReads(problem) }
}

/** The read that returns first among those invoked after each event, if it returns before an overwriting operation is invoked. */
function forcedReads({ events, type, flags, returns }: Problem): Int32Array {
  const forced = new Int32Array(events.length).fill(NONE)
  let read = NONE
  let overwriting = NEVER
  for (let event = events.length - 1; event >= 0; event--) {
    if (read !== NONE && returns[read]! < overwriting) forced[event] = type[read]!
    const op = events[event]! >> 1
    if ((events[event]! & 1) === 1) continue
    const flag = flags[type[op]!]!
    if ((flag & CONSTANT) !== 0) overwriting = event
    else if ((flag & PURE) !== 0 && (read === NONE || returns[op]! < returns[read]!)) read = op
  }
  return forced
}

/** The operation invoked at a row. */
export function operationAt(history: History, row: number, model: Model): ModelOperation {
  const f = history.functions[history.f[row]!]!
  if (!model.functions.includes(f)) throw unknownFunction(history, row, model)
  const end = history.pair[row]!
  const outcome = end < 0 ? INFO : history.type[end]!
  if (outcome === INVOKE) throw new HistoryError('NOT_PAIRED', row, `event ${row} is paired with another invocation`)
  return {
    f,
    input: history.values.decode(history.value[row]!),
    output: outcome === OK ? history.values.decode(history.value[end]!) : undefined,
    outcome: outcome === OK ? 'ok' : outcome === FAIL ? 'fail' : 'info',
    process: model.perProcess === true ? history.processName(row) : null,
  }
}

function assemble(draft: Draft, flags: number[], needs: number[], makes: number[], rest: Pick<Problem, 'states' | 'initial' | 'register' | 'successors' | 'reaches' | 'hostBytes' | 'stateAt'>): Problem {
  const n = draft.row.length
  const crashTypes: number[] = []
  const crash = flags.map((flag) => ((flag & CRASHED) === 0 ? NONE : crashTypes.push(0) - 1))
  crash.forEach((index, type) => {
    if (index >= 0) crashTypes[index] = type
  })
  const { events, returns } = merge(draft, n)
  const slot = new Int32Array(n).fill(NONE)
  const free: number[] = []
  let slots = 0
  for (const event of events) {
    const op = event >> 1
    if ((event & 1) === 1) free.push(slot[op]!)
    else if (draft.ret[op] !== NEVER) slot[op] = free.pop() ?? slots++
  }
  return {
    row: Int32Array.from(draft.row), events, type: Int32Array.from(draft.type), slot, returns, slots,
    flags: Int32Array.from(flags), needs: Int32Array.from(needs), makes: Int32Array.from(makes), crash: Int32Array.from(crash), crashTypes: Int32Array.from(crashTypes), ...rest,
  }
}

/** Invocations and responses in order of rank; operations come in order of their invocation. */
function merge(draft: Draft, n: number): { events: Int32Array; returns: Int32Array } {
  const order = sortedOrder(Int32Array.from(draft.ret), n)
  const events = new Int32Array(n * 2)
  const returns = new Int32Array(n).fill(NEVER)
  let length = 0
  let next = 0
  for (let op = 0; op <= n; op++) {
    const inv = op < n ? draft.inv[op]! : NEVER
    for (; next < n && draft.ret[order[next]!]! < inv; next++) {
      returns[order[next]!] = length
      events[length++] = order[next]! * 2 + 1
    }
    if (op < n) events[length++] = op * 2
  }
  return { events: events.subarray(0, length), returns }
}
