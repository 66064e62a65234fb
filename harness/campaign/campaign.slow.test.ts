/** Campaigns as people and machines carry them out: whole processes, killed, cut off and without rights. */
import { execa } from 'execa'
import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startPostgres } from '../testing/postgres.ts'

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const MATRIX = ['--presets', 'abd,one', '--nemesis', 'none,partition', '--driver', 'sim', '--time', '2s', '--rate', '50', '--nodes', '3', '--clients', '3']

const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-campaign-'))
const server = await startPostgres()
if (server === undefined) console.log('skip: PostgreSQL is not installed here (postgresql): campaigns are tested with the embedded one alone')
const onServer = server === undefined ? test.skip : test

test.after(async () => {
  await server?.dispose()
  await rm(cwd, { recursive: true, force: true })
})

const splitbrain = (...args: string[]) => execa(process.execPath, [bin, ...args], { cwd, reject: false, all: true, env: { SPLITBRAIN_DATABASE: '' } })
/** A process that goes on, and everything that it has said. */
interface Talker {
  readonly child: ReturnType<typeof splitbrain>
  text: string
}

function begin(...args: string[]): Talker {
  const talker: Talker = { child: splitbrain(...args), text: '' }
  talker.child.all.on('data', (chunk: Buffer) => (talker.text += chunk.toString()))
  return talker
}

const exported = async (name: string, ...more: string[]): Promise<string> => (await splitbrain('campaign', 'export', name, ...more)).stdout

/** Waits until a process has said something. */
function said(talker: Talker, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => void (pattern.test(talker.text) && resolve())
    talker.child.all.on('data', look)
    void talker.child.then(() => reject(new Error(`it ended without saying ${String(pattern)}: ${talker.text}`)))
    look()
  })
}

const seedsOf = (text: string): number => text.split('\n').filter((line) => line !== '').length

test('a campaign that was killed and one that was interrupted go on, and equal one that was not', async () => {
  const whole = await splitbrain('campaign', 'run', ...MATRIX, '--seeds', '4', '--name', 'whole', '--reporter', 'json')
  assert.ok([0, 1].includes(whole.exitCode ?? -1), whole.all)
  const killed = begin('campaign', 'run', ...MATRIX, '--seeds', '4', '--name', 'cut', '--reporter', 'json')
  await said(killed, /"type":"result"/)
  killed.child.kill('SIGKILL')
  await killed.child
  const interrupted = begin('campaign', 'resume', 'cut', '--reporter', 'json')
  await said(interrupted, /"type":"result"/)
  interrupted.child.kill('SIGINT')
  const { exitCode, all } = await interrupted.child
  assert.match(all, 'campaign resume')
  assert.ok(exitCode === 2 || exitCode === 1, all)
  const resumed = await splitbrain('campaign', 'resume', 'cut', '--reporter', 'plain')
  assert.ok([0, 1].includes(resumed.exitCode ?? -1), resumed.all)
  const [one, two] = [await exported('whole'), await exported('cut')]
  assert.is(seedsOf(one), 16)
  assert.is(two, one)
  const again = await splitbrain('campaign', 'resume', 'cut')
  assert.is(again.exitCode, 254)
  assert.match(again.all, 'every cell has its seeds')
})

test('status, show, report and query tell of it; nothing is left running', async () => {
  const status = await splitbrain('campaign', 'status', 'whole')
  assert.match(status.all, /one register · partition +\d\/\d violated/)
  assert.match((await splitbrain('campaign', 'show', 'whole', '--json')).stdout, '"summary"')
  const report = (await splitbrain('campaign', 'report', 'whole')).stdout.trim()
  assert.match(report, /^runs\/whole\/[\dTZ.]+\/report\.html$/)
  const { stdout } = await splitbrain('query', '--json', "select configuration, decided from cell_results where campaign = 'whole' order by 1, nemesis")
  assert.equal(stdout.split('\n').map((line) => JSON.parse(line) as unknown).slice(0, 1), [{ configuration: 'abd register', decided: 4 }])
  for (const [sql, says] of [["delete from runs", 'read-only'], ["select nothing from nowhere", 'does not exist'], ["select 1; drop table runs", 'refused']] as const) {
    const refused = await splitbrain('query', sql)
    assert.is(refused.exitCode, 254, refused.all)
    assert.match(refused.all, says)
  }
  assert.is(seedsOf(await exported('whole')), 16)
  assert.equal((await readdir(path.join(cwd, 'runs', '.work'))).length, 0)
  assert.match((await splitbrain('clean')).all, 'Nothing was left behind')
})

test('a file in TypeScript, options that the seed draws, an end when enough is known', async () => {
  await writeFile(path.join(cwd, 'campaign.ts'), `export default { name: 'drawn', options: { driver: 'sim', time: '1s', rate: 50, clients: 3 }, configurations: [{ preset: 'abd' }], nemeses: ['none'], draw: { nodes: [3, 5] }, until: { confidence: 0.9, width: 0.4 } }\n`)
  const { exitCode, all } = await splitbrain('campaign', 'run', 'campaign.ts', '--reporter', 'plain')
  assert.is(exitCode, 0, all)
  const runs = (await exported('drawn')).split('\n').map((line) => JSON.parse(line) as { repeat: string })
  assert.is(runs.length, 5)
  assert.ok(runs.some(({ repeat }) => repeat.includes('--nodes 3')) && runs.some(({ repeat }) => repeat.includes('--nodes 5')))
})

test('what cannot be run is refused in one sentence', async () => {
  for (const [args, says] of [
    [['--presets', 'none-such'], 'There is no preset'],
    [['--until', '12'], '--until takes'],
    [['--name', '../x'], 'letters, digits'],
    [['--nemesis', 'none,none'], 'twice'],
    [['--database', 'mysql://x/y'], '--database takes a PostgreSQL server'],
    [['--database', 'nonsense'], '--database takes an address'],
    [['--database', 'postgres://127.0.0.1:1/x'], 'does not answer'],
  ] as const) {
    const { exitCode, all } = await splitbrain('campaign', 'run', ...MATRIX, '--seeds', '1', ...args)
    assert.ok((exitCode ?? 0) >= 254, `${args.join(' ')}: ${exitCode} ${all}`)
    assert.match(all, says)
    assert.ok(all.trim().split('\n').length <= 3, all)
  }
})

onServer('a role with a worker\'s rights and no more carries out runs; without them it says which it lacks', async () => {
  await server!.sql('create role helper login; create role stranger login;')
  const detached = await splitbrain('campaign', 'run', ...MATRIX, '--seeds', '2', '--name', 'rights', '--detach', '--database', server!.url)
  assert.is(detached.exitCode, 0, detached.all)
  const refused = await splitbrain('worker', '--once', '--database', server!.urlFor('helper'))
  assert.is(refused.exitCode, 255)
  assert.match(refused.all, /lacks a right.*campaign grant/)
  assert.is((await splitbrain('campaign', 'grant', 'helper', '--database', server!.url)).exitCode, 0)
  const worked = await splitbrain('worker', '--once', '--database', server!.urlFor('helper'))
  assert.is(worked.exitCode, 0, worked.all)
  assert.is(seedsOf(await exported('rights', '--database', server!.url)), 8)
  for (const forbidden of ['drop table splitbrain.runs', 'delete from splitbrain.campaigns', 'update splitbrain.runs set verdict = $$holds$$', 'create table splitbrain.mine ()']) {
    const tried = await execa('psql', ['-X', '-q', '-d', server!.urlFor('helper'), '-v', 'ON_ERROR_STOP=1', '-c', forbidden], { reject: false })
    assert.match(tried.stderr, /permission denied|must be owner/)
  }
  const unknown = await splitbrain('campaign', 'status', '--database', server!.urlFor('nobody-here'))
  assert.match(unknown.all, 'refuses this user')
  const nowhere = await splitbrain('campaign', 'status', '--database', server!.urlFor('owner', 'nowhere'))
  assert.match(nowhere.all, 'has no such database')
})

onServer('a server that stops and starts again is waited for, and nothing is lost', async () => {
  await splitbrain('campaign', 'run', ...MATRIX, '--seeds', '8', '--name', 'away', '--detach', '--database', server!.url)
  assert.not((await server!.sql('select words from splitbrain.campaigns')).includes('postgres:'))
  const worker = begin('worker', '--once', '--database', server!.url)
  await said(worker, /seed \d+: holds/)
  await server!.stop('immediate')
  await said(worker, /does not answer .*waiting/)
  await server!.start()
  const { exitCode, all } = await worker.child
  assert.is(exitCode, 0, all)
  assert.match(all, 'answers again')
  const lines = (await exported('away', '--database', server!.url)).split('\n').map((line) => JSON.parse(line) as { verdict: string; reason: string | null })
  assert.is(lines.length, 32)
  assert.ok(lines.every(({ reason }) => reason === null || !reason.startsWith('the run failed')))
})

const canMount = process.getuid?.() === 0 && (await execa('unshare', ['--mount', 'true'], { reject: false })).exitCode === 0

;(server === undefined || !canMount ? test.skip : test)('a full disk is one sentence, and the campaign goes on when there is room', async () => {
  const place = path.join(cwd, 'small')
  await mkdir(place)
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', place])
  try {
    // A database of its own, where no table has a page yet that still has room.
    await server!.sql('create database cramped')
    const at = ['--database', server!.urlFor('owner', 'cramped')]
    await mkdir(path.join(place, 'tables'))
    await splitbrain('campaign', 'run', ...MATRIX, '--seeds', '3', '--name', 'full', '--detach', ...at)
    // Not the whole server: one that cannot write its log is gone, and that is waited for.
    await server!.sql(`create tablespace small location '${path.join(place, 'tables')}'`)
    await server!.sql('alter table splitbrain.contents set tablespace small', 'cramped')
    await execa('dd', ['if=/dev/zero', `of=${path.join(place, 'ballast')}`, 'bs=4k'], { reject: false })
    const refused = await splitbrain('worker', '--once', ...at)
    assert.is(refused.exitCode, 255, refused.all)
    assert.match(refused.all, /The disk of the database at .* is full: .*campaign resume goes on\.$/m)
    await rm(path.join(place, 'ballast'))
    const worked = await splitbrain('worker', '--once', ...at)
    assert.is(worked.exitCode, 0, worked.all)
    assert.is(seedsOf(await exported('full', ...at)), 12)
    await server!.sql('drop database cramped')
    await server!.sql('drop tablespace small')
  } finally {
    await execa('umount', ['-l', place])
  }
})

test.run()
