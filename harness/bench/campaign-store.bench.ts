/** How long the queries behind a campaign's report take on a store with a hundred thousand runs, with the embedded database. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { realClock } from '../clock.ts'
import { openDatabase } from '../store/database.ts'
import { openQueue } from '../store/queue.ts'
import { summarize, summaryQueries } from '../store/summary.ts'
import { fillStore } from '../store/testing/fill.ts'

const ROUNDS = 11
/** One of the campaigns: ten thousand runs. */
const CAMPAIGN = 5

async function run(_args: readonly string[], print: (line: string) => void): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-bench-'))
  const home = process.cwd()
  process.chdir(dir)
  const clock = realClock()
  const database = await openDatabase({ url: undefined, clock, tell: print, migrates: true })
  try {
    await openQueue(database, true)
    await fillStore(database)
    const time = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const times: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const begun = clock.now()
        await work()
        times.push((clock.now() - begun) / 1e6)
      }
      times.sort((a, b) => a - b)
      print(`${what.padEnd(12)} median ${times[Math.floor(ROUNDS / 2)]!.toFixed(1)} ms, slowest ${times.at(-1)!.toFixed(1)} ms`)
    }
    for (const [name, query] of Object.entries(summaryQueries)) await time(name, () => database.run((sql) => query(sql, CAMPAIGN) as Promise<unknown>))
    await time('all of it', () => summarize(database, CAMPAIGN))
  } finally {
    await database.close()
    process.chdir(home)
    await rm(dir, { recursive: true, force: true })
  }
}

export const bench = { name: 'campaign-store', describes: "the queries behind a campaign's report with 100,000 runs in the store", run }
