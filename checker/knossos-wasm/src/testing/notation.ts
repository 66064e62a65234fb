/**
 * A tiny notation for histories, one line per process, time running to the right:
 *
 *     a  w1--  r1---
 *     b    r2----
 *
 * `w1` writes 1, `r1` reads 1, `r_` reads nothing (null), `c12` compares-and-sets 1 to 2, `d_` deletes; `e1` enqueues, `t1` dequeues,
 * `i1` inserts and `p1` polls. The dashes are the time that the operation takes; `!` after them: it crashed (`info`), `x`: it failed.
 * Two operations overlap if their columns do.
 */
import { History } from '../history.ts'
import type { Event, EventType, Json } from '../history.ts'

/** The history drawn. */
export function drawn(text: string): History {
  const events: (Event & { readonly order: number })[] = []
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  lines.forEach((line, thread) => {
    let process = thread
    const body = line.replace(/^(\s*)[a-z](?=\s)/, '$1 ')
    for (const match of body.matchAll(/([rwcdetip])(\d+|_)-*([!x]?)/g)) {
      const [all, letter, digits, end] = match as unknown as readonly [string, string, string, string]
      const f = { r: 'read', w: 'write', c: 'cas', d: 'delete', e: 'enqueue', t: 'dequeue', i: 'insert', p: 'poll' }[letter]!
      const argument: Json = digits === '_' ? null : letter === 'c' ? [Number(digits[0]), Number(digits[1])] : Number(digits)
      const from = match.index * 2
      const type: EventType = end === '!' ? 'info' : end === 'x' ? 'fail' : 'ok'
      events.push({ time: from, order: 0, process, type: 'invoke', f, value: 'rtp'.includes(letter) ? null : argument })
      events.push({ time: from + all.length * 2 - 1, order: 1, process, type, f, value: argument })
      if (end === '!') process += lines.length
    }
  })
  const history = new History()
  for (const { order: _, ...event } of events.sort((x, y) => x.time - y.time || x.order - y.order)) history.push(event)
  return history
}

/** Events from words: `0?insert=3` process 0 begins, `0.3` it got 3, `0.` nothing, `0!` it crashed, `0x` it failed. `valueOf` reads what stands behind a word, which may be nothing. */
export function worded(text: string, valueOf: (text: string, begins: boolean) => Json = (argument) => (argument === '' ? null : (JSON.parse(argument) as Json))): Event[] {
  const asked = new Map<number, string>()
  return text.trim().split(/\s+/).map((word, time) => {
    const [, name, ending, begins, f, argument] = /^(\d+)(?:([.!x])|(\?)([a-z]+)=?)(.*)$/.exec(word)!
    const process = Number(name)
    if (begins !== undefined) asked.set(process, f!)
    return { time, process, type: ({ '.': 'ok', '!': 'info', x: 'fail', '?': 'invoke' } as const)[(ending ?? '?') as '.' | '!' | 'x' | '?'], f: asked.get(process)!, value: valueOf(argument!, begins !== undefined) }
  })
}

/** The part of a history that consists of these operations (rows of invocations), as a history of its own. */
export function only(history: History, operations: readonly number[]): History {
  const rows = operations.flatMap((row) => (history.pair[row]! < 0 ? [row] : [row, history.pair[row]!])).sort((a, b) => a - b)
  const part = new History()
  for (const row of rows) {
    const { index: _, ...event } = history.event(row)
    part.push(event)
  }
  return part
}
