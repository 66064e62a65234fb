/**
 * Schedules: which fault strikes when, and for how long; and how `--nemesis` becomes one.
 *
 * A nemesis is a list of faults that take turns, `partition,kill,slow(minority)`, evenly spread over the run with healthy
 * stretches before, between and after, so that every fault has a before and an after. One with a rhythm of its own keeps
 * that: `partition(one),every=10s,for=5s`; `for=healed` lasts until everything is healed at the end. Combinators stand
 * wherever a fault may:
 *
 * - `parallel(a,b)`: both at the same time;
 * - `sequence(a,b)`: one right after the other, within the time of one;
 * - `alternate(a,b)`: a at the first turn, b at the second, a at the third, ...;
 * - `mix(a,b)`: at every turn one of them, by chance.
 */
import { z } from 'zod'
import type { Random } from '../harness/env.ts'
import { pick, seededRandom } from '../harness/random.ts'
import { faultText, parseCall, resolveFault, ScheduleError, splitList } from './notation.ts'

/** One planned fault. Times count from the moment the clients start. */
export const scheduledFaultSchema = z.strictObject({
  fault: z.string().describe('name(variant,setting=value), as `splitbrain run --help` lists them'),
  at_ms: z.number().nonnegative().describe('when it is injected'),
  for_ms: z.number().positive().describe('how long it lasts'),
})
export type ScheduledFault = z.infer<typeof scheduledFaultSchema>
export const scheduleSchema = z.array(scheduledFaultSchema)
export type Schedule = z.infer<typeof scheduleSchema>

const combinators = ['parallel', 'sequence', 'alternate', 'mix'] as const

/** A fault, or several of them put together. */
export type Unit = { readonly type: 'fault'; readonly fault: string } | { readonly type: (typeof combinators)[number]; readonly units: readonly Unit[] }

/** What is asked for, with its rhythm where one was given. */
export interface FaultRequest {
  readonly unit: Unit
  readonly everyMs?: number
  /** Infinity: until everything is healed. */
  readonly forMs?: number
}

/** Milliseconds of `250ms`, `20s`, `1.5m`, `2h`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  if (!match) throw new ScheduleError(`"${text}" is not a duration; write for example 500ms, 20s or 2m.`)
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h']
}

/** The duration of `every=` or `for=`: a rhythm without length would strike without end, or not at all. */
function parseRhythm(part: string, name: string, text: string): number {
  if (name === 'for' && text === 'healed') return Infinity
  const ms = parseDuration(text)
  if (ms < 1) throw new ScheduleError(`"${part}" must be at least 1ms.`)
  return ms
}

function parseUnit(text: string): Unit {
  const call = parseCall(text)
  const type = combinators.find((name) => name === call?.name)
  if (type === undefined) return { type: 'fault', fault: faultText(resolveFault(text)) }
  const units = splitList(call!.inside ?? '').map(parseUnit)
  if (units.length === 0) throw new ScheduleError(`"${text}" puts nothing together; write for example ${type}(partition,kill).`)
  return { type, units }
}

/** Reads a nemesis from the command line: `none`, or faults and combinators with optional `every=` and `for=`. */
export function parseNemesis(text: string): FaultRequest[] {
  if (text === 'none') return []
  if (text.trim() === '') throw new ScheduleError('No fault is named; write none for a run without faults.')
  const requests: { unit: Unit; everyMs?: number; forMs?: number }[] = []
  for (const part of splitList(text)) {
    const rhythm = /^(every|for)=(.*)$/.exec(part)
    const last = requests.at(-1)
    if (rhythm) {
      if (!last) throw new ScheduleError(`"${part}" has no fault before it; write for example partition,every=10s,for=5s.`)
      last[rhythm[1] === 'every' ? 'everyMs' : 'forMs'] = parseRhythm(part, rhythm[1]!, rhythm[2]!)
    } else {
      requests.push({ unit: parseUnit(part) })
    }
  }
  return requests
}

/** The shortest slot in which a fault can be injected, seen, healed and seen healed with some health around it. */
export const SLOT_MIN_MS = 3_000
const SLOT_MAX_MS = 10_000
/** Of the time of a sequence's member, what stays healthy before the next one. */
const GAP = 0.25

interface Turn {
  readonly atMs: number
  readonly forMs: number
  /** How often this unit has struck before. */
  readonly round: number
}

function layOut(unit: Unit, turn: Turn, random: Random): ScheduledFault[] {
  const { atMs, forMs, round } = turn
  switch (unit.type) {
    case 'fault':
      return [{ fault: unit.fault, at_ms: Math.round(atMs), for_ms: Math.round(forMs) }]
    case 'parallel':
      return unit.units.flatMap((one) => layOut(one, turn, random))
    case 'sequence': {
      const partMs = forMs / unit.units.length
      return unit.units.flatMap((one, i) => layOut(one, { atMs: atMs + i * partMs, forMs: i === unit.units.length - 1 ? partMs : partMs * (1 - GAP), round }, random))
    }
    case 'alternate':
      return layOut(unit.units[round % unit.units.length]!, { ...turn, round: Math.floor(round / unit.units.length) }, random)
    case 'mix':
      return layOut(pick(random, unit.units), turn, random)
  }
}

/** Lays requests out over a run of `timeMs`. Chance decides only what `mix` draws; whom a fault strikes is decided later. Throws ScheduleError for a rhythm that never comes to strike. */
export function planSchedule(requests: readonly FaultRequest[], timeMs: number, random: Random = seededRandom(0)): Schedule {
  const schedule: ScheduledFault[] = []
  const turns = requests.filter((r) => r.everyMs === undefined)
  if (turns.length > 0) {
    const slots = Math.max(turns.length, Math.floor(timeMs / Math.min(SLOT_MAX_MS, Math.max(SLOT_MIN_MS, timeMs / turns.length))))
    const slotMs = timeMs / slots
    for (let i = 0; i < slots; i++) {
      const { unit, forMs } = turns[i % turns.length]!
      const atMs = slotMs * (i + 0.25)
      schedule.push(...layOut(unit, { atMs, forMs: Math.min(forMs ?? slotMs * 0.5, timeMs - atMs), round: Math.floor(i / turns.length) }, random))
      if (forMs === Infinity) break
    }
  }
  for (const { unit, everyMs, forMs } of requests) {
    if (everyMs === undefined) continue
    // A run in which nothing goes wrong would pass for one that withstood it.
    if (everyMs / 2 >= timeMs) throw new ScheduleError(`every=${everyMs / 1_000}s strikes first after ${everyMs / 2_000} s, and clients work for ${timeMs / 1_000} s: nothing would go wrong. Strike more often, or give them more time.`)
    let round = 0
    for (let atMs = everyMs / 2; atMs < timeMs; atMs += everyMs) schedule.push(...layOut(unit, { atMs, forMs: Math.min(forMs ?? everyMs / 2, timeMs - atMs), round: round++ }, random))
  }
  const ordered = schedule.filter((s) => s.at_ms < timeMs).sort((a, b) => a.at_ms - b.at_ms)
  return ordered.map((s) => ({ ...s, for_ms: Math.max(1, Math.min(s.for_ms, timeMs - s.at_ms)) }))
}
