import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RunRecord } from '../../reports/campaign/results.ts'
import type { VerdictWord } from '../../checker/verdict.ts'
import { parseCampaign, type CampaignDefinition } from '../campaign/definition.ts'
import { prepareCells } from '../campaign/prepare.ts'
import { realClock } from '../clock.ts'
import { seededRandom, shuffle } from '../random.ts'
import { startPostgres } from '../testing/postgres.ts'
import { UsageError } from '../usage-error.ts'
import { createCampaign, endCampaign, findCampaign, listCampaigns, openCampaign, sweepQueues } from './campaigns.ts'
import { contentOf, databaseContents, folderContents, readContent } from './contents.ts'
import { openDatabase, type Database } from './database.ts'
import { exportRuns } from './export.ts'
import { fillQueue } from './planner.ts'
import { openQueue, queueOf, type Queue, type TakenJob } from './queue.ts'
import { dropJob, isWanted, recordRun } from './runs.ts'
import { summarize } from './summary.ts'
import { buryWorkers, machineId, presentWorkers, sign, signIn } from './workers.ts'

/** The embedded server has its data in the working directory. */
const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-store-'))
process.chdir(dir)
const server = await startPostgres()
if (server === undefined) console.log('skip: PostgreSQL is not installed here (postgresql): the store is tested with the embedded one alone')

const databases = [{ kind: 'embedded', url: undefined }, ...(server === undefined ? [] : [{ kind: 'PostgreSQL', url: server.url }])]

for (const { kind, url } of databases) {
  const test = suite(`the store (${kind})`)
  let database: Database
  let queue: Queue
  const workerId = randomUUID()
  let environmentId = 0
  const open = (migrates: boolean): Promise<Database> => openDatabase({ url, clock: realClock(), tell: () => undefined, migrates })

  const make = async (definition: Partial<CampaignDefinition>, budgetMs: number | null = null): Promise<{ id: number; name: string }> => {
    const campaign = parseCampaign({ name: `c-${randomUUID()}`, options: { driver: 'sim' }, configurations: [{ preset: 'abd' }, { preset: 'one' }], nemeses: ['none', 'partition'], ...definition }, 'the test')
    return { id: await createCampaign(database, queue, { definition: campaign, words: ['campaign', 'run'], version: '1', commit: null, budgetMs, cells: await prepareCells(campaign, false) }), name: campaign.name }
  }
  /** Everything that is handed out now. */
  const take = async (id: number): Promise<TakenJob[]> => {
    await fillQueue(database, queue, id)
    const classes = await database.run((sql) => sql<{ id: number }[]>`select id from splitbrain.classes where campaign_id = ${id}`)
    return (await Promise.all(classes.map((one) => queue.take(queueOf(one.id), 1_000)))).flat()
  }
  const recordOf = (job: TakenJob, verdict: VerdictWord, text = 'x'): RunRecord => ({
    configuration: '', nemesis: '', seed: job.seed, verdict, reason: verdict === 'unknown' ? text : null, sentence: text, strongest: null, operations: 7, majority: null, minority: null, p50_ms: 1, p99_ms: 2, elapsed_ms: 100, repeat: text, failed: false, vacuous: false,
    findings: verdict === 'violated' ? [{ judgement: 'linearizable', fingerprint: text, size: 3, explanation: text, witness: { operations: [1, 2], explanation: text } }] : [],
    judgements: [{ judgement: 'linearizable', model: 'linearizable', verdict, counts: true, reason: null, operations: 7, witnesses: 0 }],
    windows: [{ fault: text, targets: [text], from_ms: 1, to_ms: 2, healed_ms: null, bit: true, evidence: text, attempted: 3, ok: 2, p50_ms: null, p99_ms: null }],
  })
  const record = (job: TakenJob, verdict: VerdictWord, text?: string): Promise<boolean> => recordRun(database, queue, { job, record: recordOf(job, verdict, text), plan: null, artifacts: [], workerId, environmentId, version: '1', commit: null, startedAt: new Date() })

  test.before(async () => {
    const opened = await Promise.all([open(true), open(true), open(true)])
    database = opened[0]!
    await Promise.all(opened.slice(1).map((one) => one.close()))
    queue = await openQueue(database, true)
    environmentId = await machineId(database)
    await signIn(database, { id: workerId, environmentId, pid: process.pid, concurrency: 2 })
  })
  test.after(() => database.close())

  test('every seed of every cell is handed out once, cells in turn, and the campaign then ends', async () => {
    const { id } = await make({ seeds: 5, first_seed: 10 })
    const seen: string[] = []
    const first = await take(id)
    for (let jobs = first; jobs.length > 0; jobs = await take(id)) {
      for (const job of jobs) {
        seen.push(`${job.cell} ${job.seed}`)
        assert.ok(await record(job, 'holds'))
      }
    }
    assert.is(new Set(seen).size, 20)
    assert.is(seen.length, 20)
    const turns = [...new Set(first.map(({ cell }) => cell))].map((cell) => first.filter((one) => one.cell === cell).length)
    assert.ok(turns.length === 4 && Math.max(...turns) - Math.min(...turns) <= 1, turns.join())
    const { state, cut } = await findCampaign(database, String(id))
    assert.equal([state, cut], ['finished', null])
    const summary = await summarize(database, id)
    assert.equal([summary.runs, summary.violated, summary.cells.map(({ decided }) => decided)], [20, 0, [5, 5, 5, 5]])
    await sweepQueues(database, queue)
    assert.equal(await database.run((sql) => sql`select from splitbrain_jobs.queue q join splitbrain.classes k on q.name = 'class-' || k.id where k.campaign_id = ${id}`).then((rows) => rows.length), 0)
  })

  test('a run is recorded once, whoever says so twice; a job that is given back or dropped comes again', async () => {
    const { id } = await make({ configurations: [{ preset: 'abd' }], nemeses: ['none'], seeds: 2 })
    const jobs = await take(id)
    assert.is(jobs.length, 2)
    assert.ok(await record(jobs[0]!, 'violated'))
    assert.not(await record(jobs[0]!, 'holds'))
    assert.not(await isWanted(database, jobs[0]!))
    await queue.release(jobs[1]!, 'a test')
    const [again] = await take(id)
    assert.equal([again!.seed, again!.retries], [jobs[1]!.seed, 1])
    await dropJob(database, queue, again!)
    const [anew] = await take(id)
    assert.equal([anew!.seed, anew!.retries], [jobs[1]!.seed, 0])
    assert.ok(await record(anew!, 'holds'))
    assert.equal(await take(id), [])
    const { runs, violated } = await summarize(database, id)
    assert.equal([runs, violated], [2, 1])
  })

  test('a lease that ran out gives the job back', async () => {
    const { id } = await make({ configurations: [{ preset: 'abd' }], nemeses: ['none'], seeds: 1 })
    const [job] = await take(id)
    await database.run((sql) => sql`update splitbrain_jobs.job set started_on = now() - interval '1 day' where id = ${job!.id}`)
    await queue.maintain()
    const [again] = await take(id)
    assert.is(again!.seed, job!.seed)
    assert.ok(await record(job!, 'holds'))
    assert.not(await record(again!, 'holds'))
  })

  test('what a worker was doing that was silent for half a minute is given back; what others do is not', async () => {
    const { id } = await make({ configurations: [{ preset: 'abd' }], nemeses: ['none'], seeds: 3 })
    const [lost, others, unsaid] = await take(id)
    const nameOf = ({ campaign, cell, seed }: TakenJob): string => `${campaign}/${cell}/${seed}`
    const dead = randomUUID()
    await signIn(database, { id: dead, environmentId, pid: 1, concurrency: 1 })
    await sign(database, dead, [nameOf(lost!)])
    await sign(database, workerId, [nameOf(others!)])
    await buryWorkers(database, queue)
    assert.equal(await take(id), [])
    await database.run((sql) => sql`update splitbrain.workers set seen_at = now() - interval '31 seconds' where id = ${dead}`)
    assert.is((await presentWorkers(database)).some(({ pid }) => pid === 1), false)
    await buryWorkers(database, queue)
    assert.equal((await take(id)).map(({ seed, retries }) => [seed, retries]), [[lost!.seed, 1]])
    // It was only cut off: it is there again, and nothing is given back a second time.
    await sign(database, dead, [])
    assert.is((await presentWorkers(database)).some(({ pid }) => pid === 1), true)
    await buryWorkers(database, queue)
    assert.equal(await take(id), [])
    for (const job of [lost!, others!, unsaid!]) assert.ok(await record(job, 'holds'))
  })

  test('a cell that fails now and then gets more of the seeds than one that never does', async () => {
    const { id } = await make({ configurations: [{ preset: 'abd' }, { preset: 'one' }], nemeses: ['none'] }, 1e9)
    const counts = new Map<number, number>()
    for (let round = 0; round < 8; round++) {
      for (const job of await take(id)) {
        const one = (counts.get(job.cell) ?? 0) + 1
        counts.set(job.cell, one)
        await record(job, job.cell === Math.min(...counts.keys()) && one % 2 === 0 ? 'violated' : 'holds')
      }
    }
    const [failing, steady] = [...counts.entries()].sort(([a], [b]) => a - b).map(([, count]) => count)
    assert.ok(failing! > 1.5 * steady!, `${failing} and ${steady}`)
  })

  test('where a cell ends does not depend on the order in which its runs end', async () => {
    const exports: string[] = []
    for (const seed of [1, 2]) {
      const { id } = await make({ name: 'until', configurations: [{ preset: 'abd' }], nemeses: ['none'], until: { confidence: 0.95, width: 0.5 } })
      for (let jobs = await take(id); jobs.length > 0; jobs = await take(id)) for (const job of shuffle(seededRandom(seed), jobs)) await record(job, job.seed % 3 === 0 ? 'violated' : 'holds')
      const lines: string[] = []
      for await (const line of exportRuns(database, id)) lines.push(line)
      exports.push(lines.join('\n'))
      const [cell] = (await summarize(database, id)).cells
      assert.ok(cell!.stopped)
      assert.is(cell!.decided, lines.length)
      assert.ok(cell!.interval.high - cell!.interval.low <= 0.5)
    }
    assert.ok(exports[0] !== '')
    assert.is(exports[0], exports[1])
  })

  test('a paused campaign hands out nothing and goes on where it was; a cancelled one does not', async () => {
    const { id, name } = await make({ configurations: [{ preset: 'abd' }], nemeses: ['none'], seeds: 3 })
    const [first, ...rest] = await take(id)
    await record(first!, 'holds')
    await endCampaign(database, id, 'paused')
    for (const job of rest) {
      assert.not(await isWanted(database, job))
      await dropJob(database, queue, job)
    }
    assert.equal(await take(id), [])
    await openCampaign(database, queue, id, null)
    assert.equal(new Set((await take(id)).map(({ seed }) => seed)), new Set(rest.map(({ seed }) => seed)))
    await endCampaign(database, id, 'cancelled')
    assert.is((await findCampaign(database, name)).state, 'cancelled')
    assert.ok((await listCampaigns(database, 5)).some((one) => one.id === id && one.runs === 1))
  })

  test('fail-fast ends the campaign at the first violation', async () => {
    const { id } = await make({ configurations: [{ preset: 'abd' }], nemeses: ['none'], seeds: 5, fail_fast: true })
    const [job] = await take(id)
    await record(job!, 'violated')
    const { state, cut } = await findCampaign(database, String(id))
    assert.equal([state, cut], ['finished', 'fail-fast'])
  })

  test('a budget that nothing fits into begins nothing', async () => {
    const { id } = await make({ seeds: 3 }, 10)
    assert.equal(await take(id), [])
    assert.equal((await findCampaign(database, String(id))).cut, 'budget')
  })

  test('hostile words come back as they went in, but for what no text can hold', async () => {
    const hostile = `'; drop table splitbrain.runs; -- \\ " $1 %s \u001b[2J <script>\n{"a":1} ☃ \u0000 \ud800`
    const { id } = await make({ configurations: [{ preset: 'abd', expect: 'linearizable' }], nemeses: ['none'], seeds: 2 })
    const [one, two] = await take(id)
    await record(one!, 'violated', hostile)
    await record(two!, 'unknown', hostile)
    const { findings, unknowns } = await summarize(database, id)
    const kept = hostile.replace('\u0000', '\uFFFD').replace('\ud800', '\uFFFD')
    assert.equal([findings[0]!.fingerprint, findings[0]!.explanation, unknowns[0]!.reason, findings[0]!.smallest.repeat], [kept, kept, kept, kept])
    let error: unknown
    await findCampaign(database, hostile).catch((reason: unknown) => (error = reason))
    assert.match(String(error), 'There is no campaign')
  })

  test('files are kept once, in a folder or in the database, and come back whole or with a sentence', async () => {
    const bytes = Buffer.alloc(9 << 20, 'splitbrain ')
    const content = contentOf(bytes)
    // Larger than a part, as random bytes are.
    const large = { ...content, compressed: gzipSync(bytes, { level: 0 }) }
    const folder = folderContents(path.join(dir, `contents of ${kind}`))
    for (const { place, put } of [folder, databaseContents(database)]) {
      await put(large)
      await put(large)
      assert.ok(bytes.equals(await readContent(database, { sha256: content.sha256, place })))
    }
    await writeFile(path.join(folder.place, content.sha256.slice(0, 2), `${content.sha256}.gz`), gzipSync('something else'))
    const refused = await readContent(database, { sha256: content.sha256, place: folder.place }).then(() => '', (error: Error) => error.message)
    assert.match(refused, 'its hash differs')
  })

  test('who only reads is told in a sentence, as a mistake of his own, that there are no campaigns yet', async () => {
    await database.run((sql) => sql`alter schema splitbrain rename to elsewhere`)
    const refused = await open(false).then((one) => one.close(), (error: unknown) => error)
    await database.run((sql) => sql`alter schema elsewhere rename to splitbrain`)
    assert.instance(refused, UsageError)
    assert.match((refused as UsageError).message, 'There are no campaigns in this database yet')
  })

  test('tables of a newer splitbrain are refused', async () => {
    await database.run((sql) => sql`insert into splitbrain.migrations (version, name) values (999, 'of the future')`)
    const refused = await open(true).then(() => '', (error: Error) => error.message)
    assert.match(refused, 'newer splitbrain')
    await database.run((sql) => sql`delete from splitbrain.migrations where version = 999`)
  })

  test.run()
}

const cleanUp = suite('afterwards')
cleanUp('the servers are gone', async () => {
  await server?.dispose()
  process.chdir(os.tmpdir())
  await rm(dir, { recursive: true, force: true })
})
cleanUp.run()
