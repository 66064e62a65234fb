/** How much processor time does each judgement take on a long history? Usage: bench judgements [operations] [processes] [keys]. */
import { performance } from 'node:perf_hooks'
import { availabilityOf } from '../availability.ts'
import { context } from '../testing/context.ts'
import { latencyOf } from '../latency.ts'
import { loadHistory } from '../testing/load.ts'
import { registerJudgements } from '../judge.ts'
import { registersOf } from '../registers.ts'

export const bench = {
  name: 'judgements',
  describes: 'all judgements of a register history, each by itself: [operations] [processes] [keys]',
  async run(args: string[], print: (line: string) => void): Promise<void> {
    const [operations = 1_000_000, processes = 100, keys = 100] = args.map(Number)
    for (const staleEvery of [0, 1000]) {
      const history = loadHistory({ operations, processes, keys, crashEvery: 10_000, staleEvery, seed: 1 })
      print(`${operations} operations, ${processes} clients, ${keys} keys, 1 in 10,000 crashed${staleEvery > 0 ? `, 1 read in ${staleEvery} stale` : ''}`)
      const begun = performance.now()
      const busy = process.cpuUsage()
      const timed = async (name: string, work: () => unknown): Promise<void> => {
        const start = process.cpuUsage().user
        const result = (await work()) as { verdict?: string; summary?: string } | undefined
        print(`${name.padEnd(20)} ${((process.cpuUsage().user - start) / 1e6).toFixed(2).padStart(6)} s  ${result?.verdict ?? ''} ${(result?.summary ?? '').slice(0, 120)}`)
      }
      await timed('(reads-from)', () => void registersOf(history))
      for (const judgement of registerJudgements()) await timed(judgement.name, () => judgement.judge(history, context))
      await timed('availability', () => void availabilityOf(history, []))
      await timed('latency', () => void latencyOf(history, []))
      print(`${'all together'.padEnd(20)} ${((performance.now() - begun) / 1000).toFixed(2).padStart(6)} s (${((process.cpuUsage(busy).user + process.cpuUsage(busy).system) / 1e6).toFixed(2)} s of processor time), ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`)
    }
  },
}
