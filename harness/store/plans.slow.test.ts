/** The queries behind a campaign's report, on a store that holds a hundred thousand runs: none reads all of them. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { realClock } from '../clock.ts'
import { openDatabase, type Database } from './database.ts'
import { fillStore } from './testing/fill.ts'
import { openQueue } from './queue.ts'
import { summarize, summaryQueries } from './summary.ts'

const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-plans-'))
process.chdir(dir)
let database: Database

test.before(async () => {
  database = await openDatabase({ url: undefined, clock: realClock(), tell: () => undefined, migrates: true })
  await openQueue(database, true)
  await fillStore(database)
})

test.after(async () => {
  await database.close()
  process.chdir(os.tmpdir())
  await rm(dir, { recursive: true, force: true })
})

/** Tables that a plan reads from end to end. */
function scanned(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(scanned)
  if (typeof plan !== 'object' || plan === null) return []
  const node = plan as Readonly<Record<string, unknown>>
  return [...(node['Node Type'] === 'Seq Scan' ? [String(node['Relation Name'])] : []), ...Object.values(node).flatMap(scanned)]
}

for (const [name, query] of Object.entries(summaryQueries)) {
  test(`the query of a report's ${name} walks indexes`, async () => {
    const plan = await database.run(async (sql) => {
      const text = query(sql, 5) as unknown as { describe(): Promise<{ string: string }> }
      const { string } = await text.describe()
      // The campaign's number is the last of every query's values; the others are limits.
      const values = [...string.matchAll(/\$(\d+)/g)].map((one) => Number(one[1]))
      return (await sql.unsafe(`explain (format json) ${string}`, Array.from({ length: Math.max(...values) }, () => 5)))[0]!['QUERY PLAN'] as unknown
    })
    const large = scanned(plan).filter((table) => ['runs', 'findings', 'judgements', 'windows', 'artifacts'].includes(table))
    assert.equal(large, [], JSON.stringify(plan))
  })
}

test('the summary of a campaign of ten thousand among a hundred thousand runs is right', async () => {
  const { runs, violated, unknown, findings, unknowns, slowest, cells } = await summarize(database, 5)
  assert.equal([runs, violated, unknown, cells.length, findings.length, slowest.length], [10_000, 1_000, 200, 10, 30, 5])
  assert.is(findings.reduce((sum, one) => sum + one.runs, 0), 1_000)
  assert.ok(findings.every(({ smallest }) => smallest.findings.length === 1) && unknowns.length === 3)
  assert.ok(slowest.every(({ elapsed_ms }) => elapsed_ms === 1_099))
})

test.run()
