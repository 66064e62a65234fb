/**
 * A history read as operations on registers: which write did each read return?
 *
 * Every judgement of this folder that speaks of reads and writes starts here. When the values written to a key
 * differ from each other, the value that a read returned names the write that it read from, and nothing need be
 * guessed (Gibbons and Korach, Testing Shared Memories, 1997; Bouajjani et al., On Verifying Causal Consistency,
 * 2017). Where a value was written more than once, or stood there at first and was written too, the read is
 * *ambiguous*: no judgement uses it, so that none can refute a model wrongly, and none says "holds" while there is one.
 *
 * An operation whose outcome is unknown took place if its effect was seen, and otherwise counts as not having
 * taken place. For every model judged here that is exact: its process never invokes again, so that leaving an
 * unseen write out can only remove constraints. A successful compare-and-set is a read of what it expected and a
 * write of what it set; a delete writes null; an operation that failed certainly did not happen.
 *
 * Real time: operation a precedes operation b when a was completed at an earlier instant than that of b's invocation.
 * Intervals are closed, so operations that only touch are concurrent (nobody can tell which came first). Events are
 * therefore ranked by time, at equal times invocations before completions; almost always the rank is the row.
 */
import { INVOKE, OK, FAIL, rowsInTimeOrder } from './history/index.ts'
import type { History, Json } from './history/index.ts'
import type { JudgeContext } from './judgement.ts'

/** Completion of an operation that never (or never certainly) completed. */
export const NEVER = 0x7fffffff

/** What a read returned, where it is not the number of a write. */
export const INITIAL = -1
/** A value that no write can have written (or only one that certainly failed). */
export const THIN_AIR = -2
/** A value that several writes may have written. */
const AMBIGUOUS = -3
/** Not a read. */
const NO_SOURCE = -4

/** The operations, numbered in order of invocation; a compare-and-set is two, its read first. */
export interface Registers {
  readonly count: number
  /** The row of the invocation. */
  readonly row: Int32Array
  /** The rank of the invocation. */
  readonly start: Int32Array
  /** The rank of the completion, or NEVER. */
  readonly end: Int32Array
  /** The row that has a rank; null: the rank itself. */
  readonly rowAt: Int32Array | null
  /** 1: a write. 0: a read. */
  readonly write: Uint8Array
  /** Index into `keys`. */
  readonly key: Int32Array
  /** Codes in the history's values. */
  readonly keys: readonly number[]
  /** Index into `processes`. */
  readonly session: Int32Array
  readonly processes: readonly number[]
  /** The operation before this one in its session, among those that took place; -1 for the first. */
  readonly previous: Int32Array
  /** For a read: the write it returned, INITIAL, THIN_AIR or AMBIGUOUS. */
  readonly source: Int32Array
  /** Code of the value written or read. */
  readonly value: Int32Array
  /** 1: it took place. 0: a write of unknown outcome that nobody saw. */
  readonly happened: Uint8Array
  readonly reads: number
  readonly writes: number
  /** Reads that no judgement could use. */
  readonly ambiguous: number
  /** Those among them that returned the initial value, which was also written. */
  readonly ambiguousInitial: number
  /** A key with an ambiguous read (an index into `keys`), for the reason. */
  readonly ambiguousKey: number
  /** Client functions that are not operations on registers; when there are any, nothing can be judged. */
  readonly foreign: readonly string[]
  /** The write of a value to a key: its number, or THIN_AIR (none), or AMBIGUOUS (several). */
  writer(key: number, value: number): number
}

const functions = new Set(['read', 'write', 'cas', 'delete'])
const cache = new WeakMap<History, { readonly length: number; readonly initial: string; readonly registers: Registers }>()

/** The register operations of a history. Kept as long as the history is, because every judgement asks. */
export function registersOf(history: History, context: Pick<JudgeContext, 'initial' | 'nilReads'> = {}): Registers {
  const initial = `${JSON.stringify(context.initial ?? null)} ${context.nilReads ?? 'initial'}`
  const known = cache.get(history)
  if (known && known.length === history.length && known.initial === initial) return known.registers
  const registers = extract(history, context.initial ?? null, context.nilReads === 'unknown')
  cache.set(history, { length: history.length, initial, registers })
  return registers
}

/** Why no verdict "holds" can be given, or undefined. */
export function whyIncomplete(history: History, registers: Registers): string | undefined {
  if (registers.foreign.length > 0) return `not a register history: ${registers.foreign.join(', ')}`
  if (registers.ambiguous > 0) {
    const many = registers.ambiguous - registers.ambiguousInitial
    const values = [...(many > 0 ? ['a value that was written more than once'] : []), ...(registers.ambiguousInitial > 0 ? ['the initial value, which was also written'] : [])]
    return `${registers.ambiguous} reads returned ${values.join(', or ')} (the first on key ${JSON.stringify(history.values.decode(registers.keys[registers.ambiguousKey]!))})`
  }
  return undefined
}

/** Whether there is nothing to judge, and why. */
export function whyVacuous(registers: Registers): string | undefined {
  if (registers.reads === 0) return 'vacuous: no read succeeded'
  if (registers.writes === 0) return 'vacuous: no write took place'
  return undefined
}

/** Columns under construction. */
class Columns {
  count = 0
  readonly row: Int32Array
  readonly start: Int32Array
  readonly end: Int32Array
  readonly write: Uint8Array
  readonly key: Int32Array
  readonly session: Int32Array
  readonly value: Int32Array
  readonly happened: Uint8Array
  readonly #rank: Int32Array | null

  constructor(capacity: number, rank: Int32Array | null) {
    this.#rank = rank
    this.row = new Int32Array(capacity)
    this.start = new Int32Array(capacity)
    this.end = new Int32Array(capacity)
    this.write = new Uint8Array(capacity)
    this.key = new Int32Array(capacity)
    this.session = new Int32Array(capacity)
    this.value = new Int32Array(capacity)
    this.happened = new Uint8Array(capacity)
  }

  /** `done`: the row of the completion, -1 when the outcome is unknown. */
  push(row: number, done: number, write: 0 | 1, key: number, session: number, value: number, happened: boolean): void {
    const at = this.count++
    this.row[at] = row
    this.start[at] = this.#rank === null ? row : this.#rank[row]!
    this.end[at] = done < 0 ? NEVER : this.#rank === null ? done : this.#rank[done]!
    this.write[at] = write
    this.key[at] = key
    this.session[at] = session
    this.value[at] = value
    this.happened[at] = happened ? 1 : 0
  }
}

function extract(history: History, initial: Json, nilUnknown: boolean): Registers {
  const rowAt = rowsInTimeOrder(history)
  const collected = collect(history, nilUnknown, rowAt)
  const { columns } = collected
  const initialCode = history.values.encode(initial)
  const index = new WriteIndex(columns)
  const source = new Int32Array(columns.count).fill(NO_SOURCE)
  for (let op = 0; op < columns.count; op++) {
    if (columns.write[op] !== 0) continue
    const writer = index.writer(columns.key[op]!, columns.value[op]!)
    source[op] = columns.value[op] !== initialCode ? writer : writer === THIN_AIR ? INITIAL : AMBIGUOUS
  }
  spread(columns, source)
  const { row, start, end, write, key, session, value, happened } = columns
  const { keys, processes, foreign } = collected
  return { row, start, end, write, key, session, value, happened, ...count(columns, source, initialCode), rowAt, source, previous: chain(columns), keys, processes, foreign, writer: (ofKey, ofValue) => index.writer(ofKey, ofValue) }
}

function count(columns: Columns, source: Int32Array, initial: number): Pick<Registers, 'count' | 'reads' | 'writes' | 'ambiguous' | 'ambiguousInitial' | 'ambiguousKey'> {
  let reads = 0
  let writes = 0
  let ambiguous = 0
  let ambiguousInitial = 0
  let ambiguousKey = -1
  for (let op = 0; op < columns.count; op++) {
    if (columns.happened[op] === 0) continue
    if (columns.write[op] === 1) writes++
    else reads++
    if (source[op] !== AMBIGUOUS) continue
    if (ambiguous++ === 0) ambiguousKey = columns.key[op]!
    if (columns.value[op] === initial) ambiguousInitial++
  }
  return { count: columns.count, reads, writes, ambiguous, ambiguousInitial, ambiguousKey }
}

/** The operation before each in its session. */
function chain(columns: Columns): Int32Array {
  const previous = new Int32Array(columns.count).fill(-1)
  const last: number[] = []
  for (let op = 0; op < columns.count; op++) {
    if (columns.happened[op] === 0) continue
    const session = columns.session[op]!
    previous[op] = last[session] ?? -1
    last[session] = op
  }
  return previous
}

/** What was seen took place: the write, and the read of a compare-and-set whose write was seen, and so on. */
function spread(columns: Columns, source: Int32Array): void {
  const pending: number[] = []
  for (let op = 0; op < columns.count; op++) {
    if (columns.write[op] === 0 && columns.happened[op] === 1) pending.push(op)
  }
  for (let read = pending.pop(); read !== undefined; read = pending.pop()) {
    const write = source[read]!
    if (write < 0 || columns.happened[write] === 1) continue
    columns.happened[write] = 1
    const half = write - 1
    if (half >= 0 && columns.row[half] === columns.row[write]) {
      columns.happened[half] = 1
      pending.push(half)
    }
  }
}

function inverse(permutation: Int32Array): Int32Array {
  const result = new Int32Array(permutation.length)
  for (let at = 0; at < permutation.length; at++) result[permutation[at]!] = at
  return result
}

/** A compare-and-set takes two places. */
function capacityFor(history: History): number {
  const comparing = history.functions.indexOf('cas')
  let capacity = 0
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] === INVOKE && history.process[row]! >= 0) capacity += history.f[row] === comparing ? 2 : 1
  }
  return capacity
}

function collect(history: History, nilUnknown: boolean, rowAt: Int32Array | null): { columns: Columns; keys: number[]; processes: number[]; foreign: string[] } {
  const columns = new Columns(capacityFor(history), rowAt === null ? null : inverse(rowAt))
  const keys = new Dense()
  const processes = new Dense()
  const [reading, writing, comparing, deleting] = [...functions].map((name) => history.functions.indexOf(name))
  const foreign = new Set<number>()
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    const f = history.f[row]!
    const done = history.pair[row]!
    const outcome = done < 0 ? -1 : history.type[done]!
    if (outcome === FAIL) continue
    const ok = outcome === OK
    const end = ok ? done : -1
    if (f === reading) {
      if (!ok || (nilUnknown && history.value[done] === -1)) continue
      columns.push(row, end, 0, keys.index(history.key[row]!), processes.index(history.process[row]!), history.value[done]!, true)
    } else if (f === writing || f === deleting) {
      columns.push(row, end, 1, keys.index(history.key[row]!), processes.index(history.process[row]!), f === deleting ? -1 : history.value[row]!, ok)
    } else if (f === comparing) {
      const pair = history.values.decode(history.value[row]!)
      if (!Array.isArray(pair) || pair.length !== 2) {
        foreign.add(f)
        continue
      }
      const key = keys.index(history.key[row]!)
      const session = processes.index(history.process[row]!)
      columns.push(row, end, 0, key, session, history.values.encode(pair[0] as Json), ok)
      columns.push(row, end, 1, key, session, history.values.encode(pair[1] as Json), ok)
    } else {
      foreign.add(f)
    }
  }
  return { columns, keys: keys.codes, processes: processes.codes, foreign: [...foreign].map((f) => history.functions[f]!) }
}

/** Numbers codes 0, 1, 2, ... in order of appearance. */
class Dense {
  readonly codes: number[] = []
  readonly #index = new Map<number, number>()

  index(code: number): number {
    let at = this.#index.get(code)
    if (at === undefined) {
      at = this.codes.push(code) - 1
      this.#index.set(code, at)
    }
    return at
  }
}

/** Finds the write of a value to a key: open addressing, because a Map of a million pairs is five times as slow. */
class WriteIndex {
  readonly #columns: Columns
  readonly #slots: Int32Array
  readonly #doubled: Uint8Array

  constructor(columns: Columns) {
    this.#columns = columns
    this.#slots = new Int32Array(2 ** Math.max(4, Math.ceil(Math.log2(columns.count * 2 + 1)))).fill(-1)
    this.#doubled = new Uint8Array(columns.count)
    for (let op = 0; op < columns.count; op++) {
      if (columns.write[op] === 0) continue
      const slot = this.#slot(columns.key[op]!, columns.value[op]!)
      const found = this.#slots[slot]!
      if (found < 0) this.#slots[slot] = op
      else this.#doubled[found] = 1
    }
  }

  writer(key: number, value: number): number {
    const found = this.#slots[this.#slot(key, value)]!
    return found < 0 ? THIN_AIR : this.#doubled[found] === 1 ? AMBIGUOUS : found
  }

  #slot(key: number, value: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(key, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const op = this.#slots[slot]!
      if (op < 0 || (this.#columns.key[op] === key && this.#columns.value[op] === value)) return slot
      slot = (slot + 1) & mask
    }
  }
}
