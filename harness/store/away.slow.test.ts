import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { realClock } from '../clock.ts'
import { startPostgres } from '../testing/postgres.ts'
import { openDatabase } from './database.ts'

const TIMES = 12
const server = await startPostgres()
if (server === undefined) console.log('skip: PostgreSQL is not installed here (postgresql): the embedded one does not go away')
test.after(() => server?.dispose())

;(server === undefined ? test.skip : test)('a server may go away in the middle of anything, again and again: every piece of work is done in the end', async () => {
  const clock = realClock()
  const told: string[] = []
  const database = await openDatabase({ url: server!.url, clock, tell: (line) => void told.push(line), migrates: true })
  await database.run((sql) => sql`create table done (writer int, step int, half int, primary key (writer, step, half))`)
  const over = new AbortController()
  const steps = [0, 0, 0, 0, 0]
  const writers = steps.map(async (_, writer) => {
    while (!over.signal.aborted) {
      const step = steps[writer]! + 1
      // The last one without a transaction; a second time says the same.
      if (writer === 4) await database.run((sql) => sql`insert into done values (${writer}, ${step}, 0), (${writer}, ${step}, 1) on conflict do nothing`)
      else
        await database.transaction(async (tx) => {
          for (const half of [0, 1]) await tx`insert into done ${tx({ writer, step, half })} on conflict do nothing`
        })
      steps[writer] = step
    }
  })
  const everyoneWrote = async (): Promise<void> => {
    const before = [...steps]
    while (steps.some((step, writer) => step < before[writer]! + 3)) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  for (let time = 0; time < TIMES; time++) {
    await everyoneWrote()
    await server!.stop(time % 2 === 0 ? 'immediate' : 'fast')
    await server!.start()
  }
  await everyoneWrote()
  over.abort()
  await Promise.all(writers)
  const rows = await database.run((sql) => sql<{ writer: number; steps: number; halves: number }[]>`select writer, max(step) as steps, count(*)::int as halves from done group by writer order by writer`)
  assert.equal([...rows], steps.map((count, writer) => ({ writer, steps: count, halves: 2 * count })))
  assert.is(told.filter((line) => line.includes('answers again')).length, told.filter((line) => line.includes('does not answer')).length)
  await database.close()
})

test.run()
