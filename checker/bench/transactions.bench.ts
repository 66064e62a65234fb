/** Isolation levels of list-append transactions: `npm run bench -- transactions [transactions]`, 100,000 and 1,000,000 when absent. */
import { chance, type Chance } from '../testing/chance.ts'
import { History, type Json } from '../history/index.ts'
import { isolationOf } from '../transactions/isolation.ts'

const PROCESSES = 20
const KEYS = 10
const WRITES_PER_KEY = 32

/** A serial store with overlapping clients: three micro-operations a transaction, half of them reads. */
function workload(count: number, random: Chance): History {
  const history = new History()
  const written = new Int32Array(KEYS)
  const lists = Array.from({ length: KEYS }, (): number[] => [])
  const open: (readonly Json[] | undefined)[] = Array.from({ length: PROCESSES }, () => undefined)
  let time = 0
  for (let made = 0; made < count; ) {
    const process = random(PROCESSES)
    const asked = open[process]
    if (asked === undefined) {
      const micros = Array.from({ length: 1 + random(3) }, () => random(KEYS) * 2 + random(2))
      open[process] = micros
      history.push({ time: time++, process, type: 'invoke', f: 'txn', value: [] })
      continue
    }
    const value = (asked as readonly number[]).map((code): Json => {
      const at = code >> 1
      const generation = Math.floor(written[at]! / WRITES_PER_KEY)
      const key = at + generation * KEYS
      if (lists[at]!.length > 0 && written[at]! % WRITES_PER_KEY === 0 && lists[at]!.length === WRITES_PER_KEY) lists[at] = []
      if (code % 2 === 0) return ['r', key, [...lists[at]!]]
      lists[at]!.push(++written[at]!)
      return ['append', key, written[at]!]
    })
    history.push({ time: time++, process, type: 'ok', f: 'txn', value })
    open[process] = undefined
    made++
  }
  return history
}

export const bench = {
  name: 'transactions',
  describes: 'isolation levels of list-append transactions',
  run: (args: readonly string[], print: (line: string) => void): Promise<void> => {
    for (const count of args.length > 0 ? args.map(Number) : [100_000, 1_000_000]) {
      const history = workload(count, chance(1))
      const before = process.memoryUsage()
      const begun = performance.now()
      const { levels, anomalies } = isolationOf(history)
      const elapsedMs = performance.now() - begun
      const after = process.memoryUsage()
      const grown = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6
      print(`${count} transactions: ${elapsedMs.toFixed(0)} ms, ${grown.toFixed(0)} MB more than the history, strict-serializable ${levels['strict-serializable']}, ${anomalies.length} anomalies`)
    }
    return Promise.resolve()
  },
}
