/**
 * Two campaigns over real processes, 3 presets x 6 faults, the second with a mistake planted that only `abd` can make:
 * the comparison calls exactly the cells newly broken in which it showed, all of them abd's, and nothing else.
 */
import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CampaignComparison } from '../../reports/campaign/compare.ts'
import type { CellSummary } from '../../reports/campaign/summary.ts'
import { cellName } from '../../reports/campaign/summary.ts'
import { realClock } from '../clock.ts'

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const PRESETS = ['abd', 'paxos', 'primary-sync']
const FAULTS = ['none', 'partition', 'partition(bridge)', 'kill', 'pause', 'lose']
const BUG = 'read-one-replica'
const VICTIM = /^abd /
/** Few keys, so that reads and writes meet. */
const WORKLOAD = 'register(keys=3)'
const TIME = '4s'
/** A slice has fewer of everything. */
const SMALL = 60
/** Runs at once: they rest most of the time. */
const AT_ONCE = '3'

async function campaign(cwd: string, name: string, cases: number, more: readonly string[]): Promise<string> {
  const small = cases <= SMALL
  const [presets, faults] = small ? [PRESETS.slice(0, 2), ['partition', 'kill']] : [PRESETS, FAULTS]
  const seeds = Math.max(1, Math.round(cases / 2 / presets.length / faults.length))
  const { exitCode, all } = await execa(process.execPath, [bin, 'campaign', 'run', '--presets', presets.join(','), '--nemesis', faults.join(';'), '--workloads', WORKLOAD, '--driver', 'process', '--time', TIME, '--rate', '300', '--seeds', String(seeds), '--concurrency', AT_ONCE, '--name', name, '--reporter', 'plain', ...more], { cwd, reject: false, all: true })
  if (exitCode === undefined || exitCode > 2) throw new Error(`the campaign ended with ${exitCode}: ${all}`)
  return all.trimEnd().split('\n').find((line) => line.startsWith('report'))?.replace(/^report +/, '') ?? ''
}

const jsonOf = async <T>(cwd: string, ...args: string[]): Promise<T> => JSON.parse((await execa(process.execPath, [bin, ...args], { cwd, reject: false, maxBuffer: 2 ** 28 })).stdout) as T

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-campaigns-'))
  const clock = realClock()
  try {
    const reports = [await campaign(cwd, 'clean', cases, ['--seed', String(seed)]), await campaign(cwd, 'planted', cases, ['--seed', String(seed), '--bug', BUG])]
    const { cells } = await jsonOf<{ cells: CellSummary[] }>(cwd, 'campaign', 'status', 'planted', '--json')
    const clean = await jsonOf<{ cells: CellSummary[] }>(cwd, 'campaign', 'status', 'clean', '--json')
    const comparison = await jsonOf<CampaignComparison>(cwd, 'compare', 'clean', 'planted', '--json')
    const broken = comparison.cells.filter(({ change }) => change === 'newly broken').map(cellName)
    const shown = cells.filter(({ violated }) => violated > 0).map(cellName)
    for (const cell of cells) print(`${cellName(cell).padEnd(44)} ${cell.violated}/${cell.decided} violated, ${cell.unknown} unknown${broken.includes(cellName(cell)) ? '  newly broken' : ''}`)
    print(`${clean.cells.reduce((sum, one) => sum + one.decided + one.unknown, 0)} clean runs, ${clean.cells.reduce((sum, one) => sum + one.violated, 0)} violated; ${broken.length} cells newly broken; ${Math.round(clock.now() / 1e9)} s`)
    return reports.every((report) => existsSync(path.join(cwd, report))) && clean.cells.every(({ violated }) => violated === 0) && broken.length > 0 && broken.every((name) => VICTIM.test(name)) && broken.toSorted().join() === shown.toSorted().join()
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

export const soak = { name: 'campaign-processes', describes: 'two campaigns over real processes, 3 presets x 6 faults, the second with a planted bug: the comparison names exactly the broken cells', full: 360, slice: 16, run }
