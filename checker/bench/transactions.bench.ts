/** Isolation levels of list-append transactions: `npm run bench -- transactions [transactions]`, 100,000 and 1,000,000 when absent. */
import { chance, type Chance } from '../testing/chance.ts'
import { History, type Json } from '../history/index.ts'
import { isolationOf } from '../transactions/isolation.ts'

const PROCESSES = 20
const KEYS = 10
const WRITES_PER_KEY = 32

/** A serial store with overlapping clients: up to three micro-operations a transaction, half of them reads, 1 in `staleEvery` (0: none) without the last element. */
function workload(count: number, staleEvery: number, random: Chance): History {
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
      if (code % 2 === 0) return ['r', key, staleEvery > 0 && random(staleEvery) === 0 ? lists[at]!.slice(0, -1) : [...lists[at]!]]
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
  describes: 'isolation levels of list-append transactions, without and with stale reads: [transactions]',
  run: (args: readonly string[], print: (line: string) => void): Promise<void> => {
    for (const count of args.length > 0 ? args.map(Number) : [100_000, 1_000_000]) {
      for (const staleEvery of [0, 10_000]) {
        const history = workload(count, staleEvery, chance(1))
        const before = memory()
        const begun = performance.now()
        const busy = process.cpuUsage()
        const { levels, anomalies } = isolationOf(history)
        const elapsedMs = performance.now() - begun
        const { user, system } = process.cpuUsage(busy)
        const grown = memory() - before
        print(
          `${count} transactions${staleEvery === 0 ? '' : `, 1 read in ${staleEvery} stale`}: ${elapsedMs.toFixed(0)} ms (${((user + system) / 1000).toFixed(0)} ms of processor time), ` +
            `${(grown / 1e6).toFixed(0)} MB more than the history, ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident, strict-serializable ${levels['strict-serializable']}, ${anomalies.length} anomalies`,
        )
      }
    }
    return Promise.resolve()
  },
}

const memory = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
