/**
 * Campaigns of thousands of simulated runs: once with the embedded database, undisturbed; once with a real PostgreSQL
 * and three workers, one of which is killed every 30 seconds. Every run has its verdict once, and both campaigns are
 * equal byte for byte.
 */
import { execa, type ResultPromise } from 'execa'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { realClock, sleep } from '../clock.ts'
import { startPostgres, type PostgresServer } from '../testing/postgres.ts'

type Print = (line: string) => void

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
/** Cells of the matrix below. */
const CELLS = 10
const MATRIX = ['--presets', 'abd,quorum,one,paxos,dynamo', '--nemesis', 'partition,kill', '--driver', 'sim', '--time', '3s', '--rate', '100', '--nodes', '3', '--clients', '4', '--name', 'soak', '--reporter', 'plain']
const WORKERS = 3
const KILL_EVERY_MS = 30_000
/** In a slice everything takes seconds, and a killed worker's run waits for its lease. */
const KILL_EVERY_SLICE_MS = 4_000
const KILLS_SLICE = 2
const SMALL = 500

const seconds = (since: number, clock: { now(): number }): number => Math.round((clock.now() - since) / 1e9)

async function exportOf(cwd: string, url?: string): Promise<string> {
  return (await execa(process.execPath, [bin, 'campaign', 'export', 'soak', ...(url === undefined ? [] : ['--database', url])], { cwd, maxBuffer: 2 ** 30 })).stdout
}

/** The undisturbed one. */
async function undisturbed(cwd: string, seeds: number, print: Print): Promise<string> {
  const clock = realClock()
  const { exitCode, stderr } = await execa(process.execPath, [bin, 'campaign', 'run', ...MATRIX, '--seeds', String(seeds)], { cwd, reject: false, stdout: 'ignore', maxBuffer: 2 ** 28 })
  if (exitCode === undefined || exitCode > 2) throw new Error(`the campaign ended with ${exitCode}: ${stderr}`)
  print(`${seeds * CELLS} runs with the embedded database, undisturbed: ${seconds(0, clock)} s`)
  return exportOf(cwd)
}

/** The one whose workers are killed. */
async function disturbed(cwd: string, seeds: number, server: PostgresServer, print: Print): Promise<string> {
  const clock = realClock()
  const url = server.url
  await execa(process.execPath, [bin, 'campaign', 'run', ...MATRIX, '--seeds', String(seeds), '--detach', '--database', url], { cwd })
  const start = () => {
    const worker = execa(process.execPath, [bin, 'worker', '--database', url, '--concurrency', '1'], { cwd, reject: false, stdio: ['ignore', 'ignore', 'pipe'] })
    void worker.catch(() => undefined)
    return worker
  }
  const workers: ResultPromise[] = Array.from({ length: WORKERS }, start)
  let kills = 0
  const [every, most] = seeds * CELLS <= SMALL ? [KILL_EVERY_SLICE_MS, KILLS_SLICE] : [KILL_EVERY_MS, Infinity]
  try {
    for (let next = clock.now() + every * 1e6; ;) {
      await sleep(clock, 500)
      if ((await server.sql("select count(*) from splitbrain.campaigns where state = 'finished'")).trim() === '1') break
      if (clock.now() < next || kills >= most) continue
      next = clock.now() + every * 1e6
      workers[kills % WORKERS]!.kill('SIGKILL')
      workers[kills % WORKERS] = start()
      kills++
    }
  } finally {
    for (const worker of workers) worker.kill('SIGTERM')
    await Promise.all(workers)
  }
  const attempts = (await server.sql('select count(*) from splitbrain.runs where attempt > 1')).trim()
  print(`${seeds * CELLS} runs with PostgreSQL and ${WORKERS} workers, ${kills} of them killed: ${seconds(0, clock)} s, ${attempts} runs taken again`)
  return exportOf(cwd, url)
}

async function run(cases: number, _seed: number, print: Print): Promise<boolean> {
  const seeds = Math.max(1, Math.round(cases / CELLS))
  const server = await startPostgres()
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-campaigns-'))
  try {
    const calm = await undisturbed(cwd, seeds, print)
    const lines = calm.split('\n')
    print(`${lines.length} runs in the export`)
    if (lines.length !== seeds * CELLS) return false
    if (server === undefined) {
      print('skipped the rest: PostgreSQL is not installed (postgresql)')
      return true
    }
    const wild = await disturbed(cwd, seeds, server, print)
    print(wild === calm ? 'both exports are equal byte for byte' : 'THE EXPORTS DIFFER')
    return wild === calm
  } finally {
    await server?.dispose()
    await rm(cwd, { recursive: true, force: true })
  }
}

export const soak = { name: 'campaigns', describes: 'simulated campaigns with the embedded database and with PostgreSQL and three workers, one killed every 30 s: every verdict once, both equal byte for byte', full: 10_000, slice: 40, run }
