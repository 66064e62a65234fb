/**
 * Small histories for tests: as plain operations, which the brute-force oracles read, and as columns, which the
 * judgements read; written by hand in a notation of bars, or drawn at random.
 */
import { History } from '../history/index.ts'
import type { Event, Json } from '../history/index.ts'
import type { Chance } from './chance.ts'

/** One operation. Times are distinct; `end` is Infinity where no completion was recorded. */
export interface Operation {
  readonly process: number
  readonly f: 'read' | 'write' | 'delete' | 'cas'
  readonly key: string
  /** Written, or read (null: nothing there); for a compare-and-set the pair [expected, new]. */
  readonly value: Json
  readonly start: number
  readonly end: number
  readonly outcome: 'ok' | 'info' | 'fail' | 'open'
}

/** The history of these operations. */
export function historyOf(operations: readonly Operation[]): History {
  const events: (Event & { readonly at: number })[] = []
  for (const { process, f, key, value, start, end, outcome } of operations) {
    const event = { process, f, key, node: `n${process + 1}` }
    events.push({ ...event, at: start, time: start * 1e6, type: 'invoke', value: f === 'read' ? null : value })
    if (outcome !== 'open') events.push({ ...event, at: end, time: end * 1e6, type: outcome, value: f === 'read' && outcome !== 'ok' ? null : value })
  }
  const history = new History()
  for (const { at: _, ...event } of events.sort((a, b) => a.at - b.at)) history.push(event)
  return history
}

/**
 * Reads a picture: one line a process, time runs to the right, one column a millisecond.
 *
 *     w x 1 |----|          invoked at the first bar, ok at the second
 *     0: |w x 1|   |r x 2|  the text may stand between the bars
 *     1:   |w x 2--?        unknown outcome     !  failed      ~  still open at the end
 */
export function picture(text: string): Operation[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.flatMap((line, number) => {
    const [, head, body] = /^(\s*(?:\d+:)?)(.*)$/.exec(line) as unknown as [string, string, string]
    const process = /\d+/.exec(head)
    return [...body.matchAll(/\|([^|?!~]*)([|?!~])/g)].map((match) => parsed(process ? Number(process[0]) : number, match, head.length))
  })
}

const outcomes = { '|': 'ok', '?': 'info', '!': 'fail', '~': 'open' } as const

function parsed(process: number, match: RegExpMatchArray, offset: number): Operation {
  const start = offset + match.index!
  const words = match[1]!.replaceAll('-', ' ').trim().split(/\s+/)
  const mark = match[2] as keyof typeof outcomes
  const f = ({ r: 'read', w: 'write', d: 'delete', c: 'cas' } as const)[words[0] as 'r' | 'w' | 'd' | 'c']
  const values = words.slice(2).map((word): Json => (word === 'nil' ? null : Number(word)))
  // Starts a little late and ends a little early, so that bars in one column are concurrent and bars of one process are not.
  return { process, f, key: words[1]!, value: f === 'cas' ? values : (values[0] ?? null), start: start + process / 1000, end: mark === '~' ? Infinity : start + match[0].length - 0.5 + process / 1000, outcome: outcomes[mark] }
}

/** Sessions without a clock: `sessions('w x 1, w y 2', 'r y 2, r x nil')`. Every operation of one overlaps every operation of the others. */
export function sessions(...texts: readonly string[]): Operation[] {
  return texts.flatMap((text, process) => {
    const words = text.split(',').map((one) => one.trim()).filter((one) => one !== '')
    return words.map((one, at) => ({ ...parsed(process, /\|([^|?!~]*)([|?!~])/.exec(`|${one}${/[?!~]$/.test(one) ? '' : '|'}`)!, 0), start: at + process / 100 + (process % 2) / 1000, end: at + 0.5 + process / 100 }))
  })
}

/** What to draw. */
export interface Shape {
  readonly processes: number
  readonly operations: number
  readonly keys: number
  /** Chance in a hundred that a read returns anything at all, not what a register would have held. */
  readonly noise: number
}

/** A random history of reads and writes with unique values: of a real register per key, with mistakes. */
export function randomOperations(chance: Chance, shape: Shape): Operation[] {
  const register = new Map<string, Json>()
  const written = new Map<string, Json[]>()
  const operations: { -readonly [name in keyof Operation]: Operation[name] }[] = []
  const open = new Map<number, number>()
  const lanes = Array.from({ length: shape.processes }, (_, lane) => lane)
  let clock = 0
  let value = 0
  while (operations.length < shape.operations || open.size > 0) {
    const lane = chance(shape.processes)
    const process = lanes[lane]!
    const at = open.get(process)
    if (at !== undefined) {
      finish(operations[at]!, clock++, chance, register)
      open.delete(process)
      if (operations[at]!.outcome === 'info' || operations[at]!.outcome === 'open') lanes[lane] = process + shape.processes
    } else if (operations.length < shape.operations) {
      const key = String.fromCharCode(120 + chance(shape.keys))
      const write = chance(2) === 0
      if (write) written.set(key, [...(written.get(key) ?? []), ++value])
      open.set(process, operations.push({ process, f: write ? 'write' : 'read', key, value: write ? value : null, start: clock++, end: Infinity, outcome: 'open' }) - 1)
    }
  }
  for (const operation of operations) {
    if (operation.f !== 'read' || operation.outcome !== 'ok' || chance(100) >= shape.noise) continue
    const values: readonly Json[] = [null, ...(written.get(operation.key) ?? [])]
    operation.value = values[chance(values.length)]!
  }
  return operations
}

function finish(operation: { -readonly [name in keyof Operation]: Operation[name] }, end: number, chance: Chance, register: Map<string, Json>): void {
  const luck = chance(12)
  operation.outcome = luck === 0 ? 'info' : luck === 1 ? 'fail' : 'ok'
  if (luck === 2) operation.outcome = 'open'
  else operation.end = end
  const happens = operation.outcome === 'ok' || (operation.outcome !== 'fail' && chance(2) === 0)
  if (operation.f === 'write') {
    if (happens) register.set(operation.key, operation.value)
  } else operation.value = operation.outcome === 'ok' ? (register.get(operation.key) ?? null) : null
}
