/**
 * Random small histories that are violated narrowly: those of a random object, in which some events have changed places with
 * their neighbours, some operations crash or fail instead, and some results are not quite what they were.
 */
import { randomHistory } from './random-history.ts'
import type { Event, Json } from '../history.ts'
import type { Model } from '../model.ts'

/** Collections whose algorithms do not mind elements that are added again. */
const TWICE: ReadonlySet<string> = new Set(['set', 'grow-only-set', 'priority-queue'])

/** Events of up to `operationsMax` operations, one event at a time. Each element is new; where it need not be, mostly. */
export function perturbedHistory(model: Model, operationsMax: number, next: (bound: number) => number): Event[] {
  const shape = { operations: 3 + next(operationsMax - 2), processes: 2 + next(3), crashed: [0, 0, 10, 30][next(4)]!, wrong: [0, 0, 5, 20][next(4)]!, values: TWICE.has(model.name) && next(3) === 0 ? 6 : 0, keys: 1, ties: false }
  const history = randomHistory(model, shape, next)
  let events = Array.from({ length: history.length }, (_, row) => history.event(row))
  for (let times = [0, 3, 10, 25][next(4)]!; times > 0; times--) events = perturbed(events, next)
  if (model.name.endsWith('set') && next(2) === 0) events = events.map((event) => ({ ...event, value: shuffled(event.value ?? null, next) }))
  return events.map((event, time) => ({ ...event, time }))
}

/** The elements of a set may be listed in any order. */
function shuffled(value: Json, next: (bound: number) => number): Json {
  if (!Array.isArray(value)) return value
  const list: Json[] = []
  for (const element of value as readonly Json[]) list.splice(next(list.length + 1), 0, element)
  return list
}

function perturbed(events: readonly Event[], next: (bound: number) => number): Event[] {
  const at = next(events.length)
  const event = events[at]!
  const behind = events[at + 1]
  const dice = next(20)
  if (dice < 14) return behind === undefined || behind.process === event.process ? [...events] : events.toSpliced(at, 2, behind, event)
  if (event.type !== 'ok') return [...events]
  if (dice < 16) return events.toSpliced(at, 1, { ...event, value: changed(event.value ?? null, next) })
  if (dice < 17) return events.toSpliced(at, 1, { ...event, type: 'fail' })
  // Nobody hears of a process again whose operation crashed.
  const process = 1 + Math.max(...events.map((one) => Number(one.process)))
  const renamed = (later: Event): Event => (later.process === event.process ? { ...later, process } : later)
  return [...events.slice(0, at), { ...event, type: 'info' }, ...events.slice(at + 1).map(renamed)]
}

function changed(value: Json, next: (bound: number) => number): Json {
  if (!Array.isArray(value) || value.length === 0) return typeof value === 'boolean' ? !value : [next(4), null, true][next(3)]!
  const list = value as readonly Json[]
  const at = next(list.length)
  return [list.toSpliced(at, 1), [...list.toSpliced(at, 1), list[at]!], [...list, 1 + next(5)]][next(3)]!
}
