/**
 * Schedules: which fault strikes when, and for how long. A schedule is plain data, written into every run's
 * `plan.json`, so that any run's faults can be read, edited and played again.
 *
 * On the command line a nemesis is a list of faults, `partition,kill,slow(minority)`, each optionally followed by
 * its own rhythm: `partition(one),every=10s,for=5s`. Without a rhythm the faults take turns, evenly spread over the run,
 * with healthy stretches before, between and after, so that every fault has a before and an after.
 */
import { z } from 'zod'
import { faults } from './index.ts'

/** One planned fault. Times count from the moment the clients start. */
export const scheduledFaultSchema = z.strictObject({
  fault: z.string().describe('name(variant), as `splitbrain run --help` lists them'),
  at_ms: z.number().nonnegative().describe('when it is injected'),
  for_ms: z.number().positive().describe('how long it lasts'),
})
export type ScheduledFault = z.infer<typeof scheduledFaultSchema>
export const scheduleSchema = z.array(scheduledFaultSchema)
export type Schedule = z.infer<typeof scheduleSchema>

/** A nemesis that cannot be understood; the sentence says what is wrong and what there is instead. */
export class ScheduleError extends Error {
  readonly code = 'BAD_NEMESIS'
}

/** A fault as it is asked for, with its rhythm where one was given. */
export interface FaultRequest {
  readonly fault: string
  readonly everyMs?: number
  readonly forMs?: number
}

/** Milliseconds of `250ms`, `20s`, `1.5m`, `2h`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  if (!match) throw new ScheduleError(`"${text}" is not a duration; write for example 500ms, 20s or 2m.`)
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h']
}

/** The duration of `every=` or `for=`: a rhythm without length would strike without end, or not at all. */
function parseRhythm(part: string, text: string): number {
  const ms = parseDuration(text)
  if (ms < 1) throw new ScheduleError(`"${part}" must be at least 1ms.`)
  return ms
}

/** Splits `a(b,c),d` at the commas that stand outside parentheses. */
function splitList(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim()).filter((part) => part !== '')
}

/** The fault `name(variant)`, with the first variant filled in when none is named. Throws ScheduleError. */
export function resolveFault(text: string): { name: string; variant: string } {
  const match = /^([a-z-]+)(?:\(([^)]*)\))?$/.exec(text)
  const fault = match ? faults.get(match[1]!) : undefined
  if (!match || !fault) throw new ScheduleError(`There is no fault "${text}"; choose from ${[...faults.keys()].join(', ')}.`)
  const variant = match[2] ?? fault.variants[0]!
  if (!fault.variants.includes(variant)) throw new ScheduleError(`"${fault.name}" has no variant "${variant}"; choose from ${fault.variants.join(', ')}.`)
  return { name: fault.name, variant }
}

/** Reads a nemesis from the command line: `none`, or faults with optional `every=` and `for=`. */
export function parseNemesis(text: string): FaultRequest[] {
  if (text === 'none') return []
  if (text.trim() === '') throw new ScheduleError('No fault is named; write none for a run without faults.')
  const requests: { fault: string; everyMs?: number; forMs?: number }[] = []
  for (const part of splitList(text)) {
    const rhythm = /^(every|for)=(.*)$/.exec(part)
    const last = requests.at(-1)
    if (rhythm) {
      if (!last) throw new ScheduleError(`"${part}" has no fault before it; write for example partition,every=10s,for=5s.`)
      last[rhythm[1] === 'every' ? 'everyMs' : 'forMs'] = parseRhythm(part, rhythm[2]!)
    } else {
      const { name, variant } = resolveFault(part)
      requests.push({ fault: `${name}(${variant})` })
    }
  }
  return requests
}

/** The shortest slot in which a fault can be injected, seen, healed and seen healed with some health around it. */
const SLOT_MIN_MS = 3_000
const SLOT_MAX_MS = 10_000

/** Lays the faults out over a run of `timeMs`. Deterministic: chance only decides whom a fault strikes, later. */
export function planSchedule(requests: readonly FaultRequest[], timeMs: number): Schedule {
  const schedule: ScheduledFault[] = []
  const turns = requests.filter((r) => r.everyMs === undefined)
  if (turns.length > 0) {
    const slots = Math.max(turns.length, Math.floor(timeMs / Math.min(SLOT_MAX_MS, Math.max(SLOT_MIN_MS, timeMs / turns.length))))
    const slotMs = timeMs / slots
    for (let i = 0; i < slots; i++) {
      const request = turns[i % turns.length]!
      schedule.push({ fault: request.fault, at_ms: Math.round(slotMs * (i + 0.25)), for_ms: request.forMs ?? Math.round(slotMs * 0.5) })
    }
  }
  for (const { fault, everyMs, forMs } of requests) {
    if (everyMs === undefined) continue
    for (let at = everyMs / 2; at < timeMs; at += everyMs) schedule.push({ fault, at_ms: Math.round(at), for_ms: forMs ?? Math.round(everyMs / 2) })
  }
  const ordered = schedule.filter((s) => s.at_ms < timeMs).sort((a, b) => a.at_ms - b.at_ms)
  return ordered.map((s) => ({ ...s, for_ms: Math.min(s.for_ms, timeMs - s.at_ms) }))
}

/** What a fault disturbs: links, or nodes. */
function disturbs(fault: string): 'links' | 'nodes' {
  return faults.get(resolveFault(fault).name)!.needs.some((need) => need === 'cut' || need === 'delay') ? 'links' : 'nodes'
}

/**
 * Throws ScheduleError when two faults would disturb the same kind of thing at the same time: the heal of one would
 * take the other's effect away, and its window in the history would be a lie.
 */
export function refuseOverlaps(schedule: Schedule): void {
  const until = new Map<'links' | 'nodes', ScheduledFault>()
  for (const next of [...schedule].sort((a, b) => a.at_ms - b.at_ms)) {
    const kind = disturbs(next.fault)
    const before = until.get(kind)
    if (before && before.at_ms + before.for_ms > next.at_ms) {
      throw new ScheduleError(`${before.fault} (from ${before.at_ms} to ${before.at_ms + before.for_ms} ms) and ${next.fault} (from ${next.at_ms} ms) both disturb ${kind} at the same time, and the heal of one would heal the other; let them take turns.`)
    }
    until.set(kind, next)
  }
}
