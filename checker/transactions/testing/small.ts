/** Small transactions as plain values: how tests and the oracle write histories, and how these become real ones. */
import { History, type Json } from '../../history/index.ts'
import type { Chance } from '../../testing/chance.ts'

/** A micro-operation with its result. */
export type Micro = readonly [f: 'r' | 'w' | 'append', key: string, value: Json]

/** A transaction; `start` and `end` order all events of a history. */
export interface Small {
  readonly process: number
  readonly outcome: 'ok' | 'fail' | 'info'
  readonly start: number
  /** Of the completion; of no meaning for `info`. */
  readonly end: number
  readonly micros: readonly Micro[]
}

/** The history of some transactions. */
export function historyOfTransactions(transactions: readonly Small[]): History {
  const events = transactions.flatMap((one) => [
    { at: one.start, one, invoke: true },
    ...(one.outcome === 'info' ? [] : [{ at: one.end, one, invoke: false }]),
  ]).sort((a, b) => a.at - b.at)
  const history = new History()
  for (const { at, one, invoke } of events) {
    const asked = one.micros.map(([f, key, value]): Json => [f, key, f === 'r' ? null : value])
    const value: Json = invoke || one.outcome !== 'ok' ? asked : one.micros.map((micro): Json => [...micro])
    history.push({ time: at, process: one.process, type: invoke ? 'invoke' : one.outcome === 'ok' ? 'ok' : 'fail', f: 'txn', value })
  }
  return history
}

/** One transaction after the other, each complete before the next, each by the process that `by` names (its own when absent). */
export function inOrder(transactions: readonly (readonly Micro[])[], by: readonly number[] = []): Small[] {
  return transactions.map((micros, at) => ({ process: by[at] ?? at, outcome: 'ok', start: at * 2, end: at * 2 + 1, micros }))
}

/** All at the same time, each by a process of its own. */
export function atOnce(transactions: readonly (readonly Micro[])[]): Small[] {
  return transactions.map((micros, at) => ({ process: at, outcome: 'ok', start: at, end: 1000 + at, micros }))
}

/** How a random history is made. */
export interface RandomOptions {
  readonly model: 'list-append' | 'rw-register'
  readonly transactions: number
  readonly keys: number
  readonly processes: number
  /** Percent of reads that are answered from an old version, and of other mischief. */
  readonly noise: number
}

/** A random history of a store that mostly behaves. */
export function randomTransactions(random: Chance, { model, transactions, keys, processes, noise }: RandomOptions): Small[] {
  const held = Array.from({ length: keys }, (): { versions: Json[]; list: Json[] } => ({ versions: [null], list: [] }))
  let value = 0
  let time = 0
  const open: { process: number; start: number }[] = []
  const dead = new Set<number>()
  const made: Small[] = []
  let next = processes
  const running = Array.from({ length: processes }, (_, process) => process)
  while (made.length < transactions) {
    const idle = running.filter((process) => !dead.has(process) && !open.some((one) => one.process === process))
    if (idle.length > 0 && (open.length === 0 || random(2) === 0)) {
      open.push({ process: idle[random(idle.length)]!, start: time++ })
      continue
    }
    const { process, start } = open.splice(random(open.length), 1)[0]!
    const outcome = random(100) < 12 ? 'info' : random(100) < 10 ? 'fail' : 'ok'
    const micros = Array.from({ length: 1 + random(3) }, (): Micro => {
      const at = random(keys)
      const key = `k${at}`
      const { versions, list } = held[at]!
      if (random(2) === 0) return ['r', key, model === 'rw-register' ? versions[random(100) < noise ? random(versions.length) : versions.length - 1]! : list.slice(0, random(100) < noise ? random(list.length + 1) : list.length)]
      value++
      // What failed must not be seen; noise lets it be. What is unknown may have happened or not.
      if ((outcome === 'ok' && random(100) >= noise / 8) || (outcome === 'info' && random(2) === 0) || (outcome === 'fail' && random(100) < noise / 4)) {
        versions.push(value)
        if (random(100) < noise / 8) list.splice(random(list.length + 1), 0, value)
        else list.push(value)
      }
      return [model === 'list-append' ? 'append' : 'w', key, value]
    })
    made.push({ process, outcome, start, end: time++, micros: outcome === 'ok' ? micros : micros })
    if (outcome === 'info') {
      dead.add(process)
      running.push(next++)
    }
  }
  return made
}
