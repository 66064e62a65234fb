/**
 * Reads the histories of others: Jepsen's EDN (one vector of operations, or one operation after another; Knossos's,
 * Elle's and Porcupine's kv dialects), Jepsen's old etcd logs, and finds out by itself which one it is given.
 *
 * Independent keys: `jepsen.independent` wraps every value as `[k v]`, and nothing in the file says so. A history
 * counts as independent if the value of every client operation is a pair and at least one of them is an invocation that
 * knows no value of its own yet, `[k nil]`; say otherwise with `independent`.
 */
import { EdnError, EdnMap, EdnName, EdnParser } from './edn.ts'
import { EdnValues } from './edn-values.ts'
import { History, HistoryError } from './history.ts'
import { parseExactly, pushEvent, readJsonl } from './jsonl.ts'
import { timeReader } from './times.ts'
import { refuseChangedWrites } from './write-values.ts'
import type { TimeReader } from './times.ts'
import type { Edn } from './edn.ts'
import type { Event, EventType } from './history.ts'
import type { ReadOptions } from './jsonl.ts'

export type Format = 'jsonl' | 'json' | 'edn' | 'etcd-log'

export interface ReadHistoryOptions extends ReadOptions {
  /** Default: found out from the first bytes. */
  readonly format?: Format
  /** EDN: values are `[key value]`. Default: found out. */
  readonly independent?: boolean
}

/** The format of a file, by its first line that is no comment; a file of nothing but blanks is JSONL to which no event was written. */
export function formatOf(bytes: Uint8Array): Format {
  const head = new TextDecoder().decode(bytes.subarray(0, 65_536))
  if (head.trim() === '') return 'jsonl'
  const line = head.split('\n').find((text) => text.trim() !== '' && !text.trim().startsWith(';')) ?? ''
  if (/^(INFO|WARN|ERROR|DEBUG)\s+\S+\s+-\s/.test(line)) return 'etcd-log'
  if (/^\s*\[\s*(\{\s*"|$)/.test(line) && /^\s*\[\s*\{\s*"/.test(head)) return 'json'
  return /^\s*\{\s*"/.test(line) ? 'jsonl' : 'edn'
}

/** Reads a history in any of the formats. Throws HistoryError for mistakes, and for a write that was acknowledged with another value. */
export function readHistory(bytes: Uint8Array, options: ReadHistoryOptions = {}): History {
  const history = readAs(options.format ?? formatOf(bytes), bytes, options)
  refuseChangedWrites(history, options.lenient === true)
  return history
}

function readAs(format: Format, bytes: Uint8Array, options: ReadHistoryOptions): History {
  switch (format) {
    case 'jsonl': return readJsonl(bytes, options)
    case 'json': return readJson(bytes, options)
    case 'etcd-log': return readEtcdLog(bytes, options)
    case 'edn': return readEdn(bytes, options)
  }
}

/** An operation's fields, names as text; only the key and the value are as they stand in the file. */
type Fields = { readonly [key: string]: Edn }

interface Operation {
  readonly fields: Fields
  readonly line: number
}

/** Reads Jepsen's EDN. */
export function readEdn(bytes: Uint8Array, options: ReadHistoryOptions = {}): History {
  const history = new History()
  return fromOperations(operationsIn(new TextDecoder().decode(bytes), history, options), history, options)
}

function fromOperations(operations: readonly Operation[], history: History, options: ReadHistoryOptions): History {
  const independent = options.independent ?? looksIndependent(operations)
  const time = timeReader()
  const anonymous = anonymousProcesses()
  const values = new EdnValues()
  for (const { fields, line } of operations) {
    guarded(history, line, options, () => pushEvent(history, toEvent(completed(fields, anonymous), independent, history, time, values), options.lenient === true))
  }
  return history
}

/** Elle's examples leave out what they do not need: an operation of micro-operations is a transaction, and nobody knows who asked. */
function completed(fields: Fields, processOf: (fields: Fields) => number): Fields {
  const { f, value, process } = fields
  const named = f === undefined && Array.isArray(value) && value.every((one) => Array.isArray(one)) ? { ...fields, f: 'txn' } : fields
  return process === undefined ? { ...named, process: processOf(named) } : named
}

/** Gives each operation without a process one of its own; a completion belongs to the oldest open one of its function. */
function anonymousProcesses(): (fields: Fields) => number {
  const open: { readonly f: Edn | undefined; readonly process: number }[] = []
  let next = 0
  return ({ type, f }) => {
    if (type === 'invoke') {
      open.push({ f, process: next })
      return next++
    }
    const at = open.findIndex((one) => one.f === f)
    return at < 0 ? next : open.splice(at, 1)[0]!.process
  }
}

/** Reads one JSON array of operations, as elle-cli writes them. */
function readJson(bytes: Uint8Array, options: ReadHistoryOptions): History {
  let forms: unknown
  try {
    forms = parseExactly(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new HistoryError('NOT_JSON', 0, `not a JSON array of operations: ${(error as Error).message}`)
  }
  const history = new History()
  const operations = (forms as readonly unknown[]).flatMap((form, i) => {
    if (typeof form === 'object' && form !== null) return [{ fields: form as Fields, line: i + 1 }]
    guarded(history, i + 1, options, () => { throw new HistoryError('NOT_AN_EVENT', i, `expected an operation (an object), found ${JSON.stringify(form)}`) })
    return []
  })
  return fromOperations(operations, history, options)
}

function operationsIn(text: string, history: History, options: ReadHistoryOptions): Operation[] {
  const parser = new EdnParser(text)
  const operations: Operation[] = []
  let line = 1
  let counted = 0
  const lineAt = (offset: number): number => {
    for (; counted < offset; counted++) if (text.charCodeAt(counted) === 10) line++
    return line
  }
  try {
    let inside = false
    while (parser.more()) {
      const c = text[parser.at]!
      if (!inside && (c === '[' || c === '(')) {
        inside = true
        parser.at++
        continue
      }
      if (inside && (c === ']' || c === ')')) {
        inside = false
        parser.at++
        continue
      }
      const begun = lineAt(parser.at)
      const form = parser.form()
      if (form instanceof EdnMap) operations.push({ fields: fieldsOf(form), line: begun })
      else guarded(history, begun, options, () => { throw new HistoryError('NOT_AN_EVENT', history.length, `expected an operation (a map), found ${shown(form)}`) })
    }
    if (inside) throw new EdnError(text.length, 'the history has no end')
  } catch (error) {
    if (!(error instanceof EdnError)) throw error
    const at = lineAt(Math.min(error.at, text.length))
    if (!options.tolerateTruncation && !options.lenient) throw new HistoryError('NOT_EDN', operations.length, `line ${at}: not EDN: ${error.message}`, at)
    history.truncated = true
  }
  return operations
}

function fieldsOf({ entries }: EdnMap): Fields {
  const named = (part: Edn): Edn => (part instanceof EdnName ? part.text : part)
  return Object.fromEntries(entries.flatMap(([key, part]) => {
    const name = named(key)
    return typeof name !== 'string' ? [] : [[name, name === 'key' || name === 'value' ? part : named(part)]]
  }))
}

/** A form in a message. */
const shown = (form: Edn): string => JSON.stringify(new EdnValues().json(form, 0)).slice(0, 60)

function guarded(history: History, line: number, options: ReadOptions, act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    const message = `line ${line}: ${error.message}`
    if (!options.lenient) throw new HistoryError(error.code, error.event, message, line)
    history.warnings.push(message)
  }
}

function looksIndependent(operations: readonly Operation[]): boolean {
  let unknown = 0
  for (const { fields } of operations) {
    if (typeof fields['process'] !== 'number') continue
    const value = fields['value']
    if ('key' in fields || !Array.isArray(value) || value.length !== 2) return false
    if (fields['type'] === 'invoke' && value[1] === null && !Array.isArray(value[0])) unknown++
  }
  return unknown > 0
}

function toEvent(fields: Fields, independent: boolean, history: History, time: TimeReader, values: EdnValues): Event {
  const row = history.length
  const { process, type, f, value = null, error = null } = fields
  // Others than clients only tell what they did: whoever asks for something and is told what came of it is a client.
  const told = process === 'nemesis' || process === 'observer' || (typeof process === 'string' && type === 'info')
  if (typeof process !== 'number' && !told) throw new HistoryError('BAD_PROCESS', row, `:process is ${shown(process ?? null)}; expected an integer or :nemesis`)
  if (type !== 'invoke' && type !== 'ok' && type !== 'fail' && type !== 'info') throw new HistoryError('UNKNOWN_TYPE', row, `:type is ${shown(type ?? null)}; expected :invoke, :ok, :fail or :info`)
  if (typeof f !== 'string' && typeof process === 'number') throw new HistoryError('BAD_FUNCTION', row, `:f is ${shown(f ?? null)}; expected a keyword such as :read`)
  const pair = independent && typeof process === 'number' ? (value as readonly [Edn, Edn]) : undefined
  return {
    time: time.read(fields['time'], row),
    process: typeof process === 'number' ? process : process === 'nemesis' ? 'nemesis' : 'observer',
    type,
    f: typeof f === 'string' ? f : '',
    key: values.json(pair === undefined ? (fields['key'] ?? null) : pair[0], row),
    value: values.json(pair === undefined ? value : pair[1], row),
    ...(error === null ? {} : { error: typeof error === 'string' ? error : JSON.stringify(new EdnValues().json(error, row)) }),
  }
}

const LOG_LINE = /^\S+\s+jepsen\.util\s+-\s+(\S+)\s+:(invoke|ok|fail|info)\s+:(\S+)\s*(.*)$/

/** Reads the logs of Jepsen's first etcd test: operations between other lines, without times. */
export function readEtcdLog(bytes: Uint8Array, options: ReadOptions = {}): History {
  const history = new History()
  const lines = new TextDecoder().decode(bytes).split('\n')
  lines.forEach((text, index) => {
    const match = LOG_LINE.exec(text.trimEnd())
    if (match === null) return
    const [, process, type, f, rest] = match as unknown as readonly [string, string, EventType, string, string]
    guarded(history, index + 1, options, () => {
      const parser = new EdnParser(rest)
      const value = parser.more() ? new EdnValues().json(parser.form(), history.length) : null
      const unknown = typeof value === 'string'
      pushEvent(history, {
        time: history.length, process: /^\d+$/.test(process) ? Number(process) : 'nemesis', type, f, value: unknown ? null : value, ...(unknown ? { error: value } : {}),
      }, options.lenient === true)
    })
  })
  return history
}
