/**
 * Random small histories of queues, for what random objects seldom do: takes that find nothing beside slow, crashed and
 * failed ones, elements that overtake each other or come out twice, puts that fail although somebody took what they put.
 */
import type { Event } from '../history.ts'

interface Open {
  readonly f: 'enqueue' | 'dequeue'
  readonly value: number | null
}

/** Events of `operations` operations; most are decided by who was open when. */
export function queueHistory(operations: number, next: (bound: number) => number): Event[] {
  const chances = { crash: [0, 10, 35][next(3)]!, nothing: [10, 30, 60][next(3)]!, overtakes: [0, 10, 40][next(3)]!, wrong: [0, 0, 4][next(3)]!, slow: next(2) * 12 }
  const happens = (percent: number): boolean => next(100) < percent
  const names = Array.from({ length: 3 + next(4) }, (_, process) => process)
  const open: (Open | undefined)[] = names.map(() => undefined)
  const events: Event[] = []
  const inside: number[] = []
  let begun = 0
  let put = 0
  const result = ({ f, value }: Open): number | null => {
    if (f === 'enqueue') return value
    if (happens(chances.wrong)) return 1 + next(put + 1)
    if (inside.length === 0 || happens(chances.nothing)) return null
    return inside.splice(happens(chances.overtakes) ? next(inside.length) : 0, 1)[0]!
  }
  while (begun < operations || open.some((one) => one !== undefined)) {
    const p = next(names.length)
    const asked = open[p]
    const event = { time: events.length, process: names[p]! }
    if (asked === undefined) {
      if (begun >= operations || (next(3) === 0 && open.some((one) => one !== undefined))) continue
      begun++
      const f = next(5) < 2 ? 'enqueue' : 'dequeue'
      open[p] = { f, value: f === 'enqueue' ? ++put : null }
      if (f === 'enqueue') inside.push(put)
      events.push({ ...event, type: 'invoke', f, value: open[p].value })
    } else if (next(3) > 0 && (p > 0 || next(20) >= chances.slow)) {
      open[p] = undefined
      const { f } = asked
      if (happens(chances.crash)) {
        events.push({ ...event, type: 'info', f, value: null })
        if (f === 'dequeue' && next(2) === 0) inside.shift()
        names[p] = names[p]! + names.length
      } else if (happens(f === 'dequeue' ? 5 : chances.wrong)) events.push({ ...event, type: 'fail', f, value: null })
      else events.push({ ...event, type: 'ok', f, value: result(asked) })
    }
  }
  return events
}
