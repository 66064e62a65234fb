/**
 * Swarm runs: short runs whose faults the seed draws, four of five on processes and one in containers, several at a
 * time. No controller may fail, every run must end with a verdict and with every fault healed, a linearizable store must
 * not be called broken, and of all runs nothing may be left on the machine.
 */
import { execa } from 'execa'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { dockerDriver } from '../../cluster/drivers/docker/driver.ts'
import { processesOf } from './processes-of.ts'

type Print = (line: string) => void

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const TIME = '10s'
/** Runs that go on at the same time. */
const AT_ONCE = 3
/** Every so manieth run is one in containers. */
const DOCKER_EVERY = 5

interface Outcome {
  readonly name: string
  readonly driver: string
  /** What went wrong; undefined when nothing did. */
  readonly problem: string | undefined
  readonly verdict: string
  readonly faults: number
}

/** What must not be there when a run is over, one line for each thing. `mark` stands in the names of everything that the runs made. */
async function leftovers(cwd: string, mark: string): Promise<string[]> {
  const processes = (await processesOf(cwd)).map((pid) => `process ${pid}`)
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(mark) || line.includes(cwd)).map((line) => `mount ${line}`)
  const files = (await readdir(path.join(cwd, 'tmp'))).map((name) => `temporary file ${name}`)
  const said = async (file: string, ...args: string[]): Promise<string[]> => (await execa(file, args, { reject: false })).stdout.split('\n').filter((line) => line !== '')
  const docker = [
    ...(await said('docker', 'ps', '-a', '--format', 'container {{.Names}}')),
    ...(await said('docker', 'network', 'ls', '--format', 'network {{.Name}}')),
    ...(await said('docker', 'volume', 'ls', '--format', 'volume {{.Name}}')),
  ].filter((line) => line.includes(mark))
  // Rules and namespaces of ours live in namespaces that are gone: in the machine's own there never was one.
  const rules = (await said('iptables-save')).filter((line) => line.includes('SPLITBRAIN')).map((line) => `rule ${line}`)
  const namespaces = (await said('ip', 'netns', 'list')).filter((line) => line.includes('node') || line.includes(mark)).map((line) => `namespace ${line}`)
  return [...processes, ...mounts, ...files, ...docker, ...rules, ...namespaces]
}

/** One run as a user starts it. */
async function runOne(cwd: string, mark: string, driver: string, seed: number): Promise<Outcome> {
  const name = `${mark}-${seed}`
  const args = ['run', '--driver', driver, '--preset', 'abd', '--nemesis', 'swarm', '--time', TIME, '--rate', '200', '--seed', String(seed), '--name', name]
  const { exitCode, stderr } = await execa(process.execPath, [bin, ...args], { cwd, reject: false, env: { PWD: cwd, TMPDIR: path.join(cwd, 'tmp') }, timeout: 180_000 })
  const failed = (problem: string): Outcome => ({ name, driver, problem, verdict: 'none', faults: 0 })
  if (exitCode === undefined || exitCode > 2) return failed(`the controller ended with ${exitCode ?? 'a signal'}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  const [folder] = await readdir(path.join(cwd, 'runs', name))
  const text = await readFile(path.join(cwd, 'runs', name, folder ?? '', 'verdict.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return failed('it left no verdict')
  const { verdict, reason, faults } = JSON.parse(text) as VerdictDocument
  const ill = faults.filter((window) => window.healed_ns === null)
  const problems = [
    ...(verdict === 'violated' ? ['a linearizable store was called violated'] : []),
    ...ill.map((window) => `${window.fault} was not seen healed`),
  ]
  return { name, driver, verdict: verdict === 'unknown' ? `unknown (${reason ?? ''})` : verdict, faults: faults.length, problem: problems.length === 0 ? undefined : problems.join('; ') }
}

async function run(cases: number, seed: number, print: Print): Promise<boolean> {
  const mark = `swarm${process.pid}`
  const cwd = await mkdtemp(path.join(os.tmpdir(), `splitbrain-${mark}-`))
  await mkdir(path.join(cwd, 'tmp'))
  const hasDocker = (await dockerDriver().capabilities()).kill.available
  const outcomes: Outcome[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < cases) {
      const index = next++
      const driver = index % DOCKER_EVERY === DOCKER_EVERY - 1 && hasDocker ? 'docker' : index % 2 === 0 ? 'process' : 'netns'
      const outcome = await runOne(cwd, mark, driver, seed * 1_000 + index)
      outcomes.push(outcome)
      print(`${outcomes.length}/${cases} ${driver} ${outcome.name}: ${outcome.problem ?? outcome.verdict}, ${outcome.faults} faults`)
    }
  }
  try {
    const before = await leftovers(cwd, mark)
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    const left = (await leftovers(cwd, mark)).filter((line) => !before.includes(line))
    for (const line of left) print(`left behind: ${line}`)
    const failed = outcomes.filter(({ problem }) => problem !== undefined)
    const count = (driver: string): number => outcomes.filter((one) => one.driver === driver).length
    const held = outcomes.filter(({ verdict }) => verdict === 'holds').length
    print(`${count('process')} runs on processes, ${count('netns')} in network namespaces, ${count('docker')} in containers: ${held} hold, ${outcomes.length - held - failed.length} unknown, ${failed.length} failed; ${outcomes.reduce((sum, { faults }) => sum + faults, 0)} faults; ${left.length} things left behind`)
    return failed.length === 0 && left.length === 0
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

export const soak = { name: 'swarm', describes: 'runs of 10 s whose faults the seed draws: no controller fails, every run ends with a verdict and healed, nothing is left behind', full: 250, slice: 3, run }
