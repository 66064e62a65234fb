/**
 * Fault windows, read from the nemesis's events.
 *
 * The nemesis invokes `inject` with {id, fault}; it completes `ok` when the effect was observed from inside, `info`
 * when it was not, with {id, fault, targets, sides, evidence}. Then it invokes `heal`, which completes `ok` when the
 * cluster was observed to be free of the fault. A window lasts from the completion of the injection to the beginning
 * of the heal; windows may overlap. An injection that never completed did not bite; a heal that is missing lasts to
 * the end of the history.
 */
import { INFO, INVOKE, NEMESIS, OK } from './history/index.ts'
import type { History, Json } from './history/index.ts'
import type { FaultWindow } from './verdict.ts'

interface Draft {
  readonly window: FaultWindow
  /** Its heal has begun. */
  closed: boolean
}

/** All fault windows of a history, in order of injection. */
export function faultWindows(history: History): FaultWindow[] {
  const end = history.length === 0 ? 0 : history.timeAt(history.length - 1)
  const drafts = new Map<number, Draft>()
  for (let row = 0; row < history.length; row++) {
    if (history.process[row] !== NEMESIS) continue
    const event = eventOf(history, row)
    if (typeof event?.['id'] === 'number') note(drafts, event['id'], event, history, row, end)
  }
  return [...drafts.values()].map(({ window }) => window)
}

function eventOf(history: History, row: number): { readonly [name: string]: Json } | undefined {
  const value = history.values.decode(history.value[row]!)
  return value === null || typeof value !== 'object' || Array.isArray(value) ? undefined : (value as { readonly [name: string]: Json })
}

/**
 * The faults, as they were asked for ("kill(one)"), in none of whose windows a client was at work between the beginning
 * of the injection and the observed heal. Of a fault that comes again and again the last may miss the clients. O(n).
 */
export function untried(history: History, windows: readonly FaultWindow[]): string[] {
  const missed = new Map(windows.map(({ id, fault }) => [id, fault]))
  const lasting = new Set<number>()
  let working = 0
  const meet = (id: number): void => {
    const met = missed.get(id)
    if (met !== undefined) for (const [other, fault] of missed) if (fault === met) missed.delete(other)
  }
  for (let row = 0; row < history.length && missed.size > 0; row++) {
    const type = history.type[row]
    if (history.process[row]! >= 0) {
      working += type === INVOKE ? 1 : -1
      lasting.forEach(meet)
    } else if (history.process[row] === NEMESIS) {
      const id = eventOf(history, row)?.['id']
      if (typeof id !== 'number') continue
      const f = history.functions[history.f[row]!]
      if (f === 'inject' && type === INVOKE) lasting.add(id)
      if (f === 'heal' && type === OK) lasting.delete(id)
      if (lasting.has(id) && working > 0) meet(id)
    }
  }
  return [...new Set(missed.values())]
}

function note(drafts: Map<number, Draft>, id: number, event: { readonly [name: string]: Json }, history: History, row: number, end: number): void {
  const f = history.functions[history.f[row]!]
  const type = history.type[row]!
  const time = history.timeAt(row)
  const draft = drafts.get(id) ?? {
    window: { id, fault: text(event['fault']), from_ns: time, to_ns: end, healed_ns: null, bit: false, evidence: 'the injection never completed', targets: [], sides: {} },
    closed: false,
  }
  drafts.set(id, draft)
  const { window } = draft
  if (f === 'inject' && (type === OK || type === INFO)) {
    window.from_ns = time
    window.bit = type === OK
    window.evidence = text(event['evidence'])
    window.targets = names(event['targets'])
    window.sides = sidesOf(event['sides'])
  } else if (f === 'heal' && type === INVOKE && !draft.closed) {
    window.to_ns = time
    draft.closed = true
  } else if (f === 'heal' && type === OK) window.healed_ns = time
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)
}

function names(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : []
}

function sidesOf(value: Json | undefined): Record<string, string[]> {
  if (value === null || value === undefined || typeof value !== 'object' || Array.isArray(value)) return {}
  return Object.fromEntries(Object.entries(value as { readonly [side: string]: Json }).map(([side, nodes]) => [side, names(nodes)]))
}
