/**
 * Unmodified programs under test, as processes, in network namespaces and in containers, through the command line: etcd
 * must hold linearizable, its serializable reads must be caught being stale, Redis with Sentinel must lose acknowledged
 * writes when its primary is cut off together with clients, and one that needs a replica must refuse writes then. What this
 * machine has not, programs or a container engine, is told and left out.
 */
import { execa } from 'execa'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { verdictDocumentSchema, type VerdictDocument, type VerdictWord } from '../../checker/verdict.ts'
import { findExecutable } from '../../cluster/drivers/docker/closure.ts'
import { realClock } from '../clock.ts'
import type { Plan } from '../plan.ts'
import { makeDriver } from '../registry.ts'

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const DRIVERS = ['process', 'netns', 'docker'] as const satisfies readonly Plan['driver'][]
const PACKAGES = { etcd: 'etcd-server', 'redis-server': 'redis-server', 'redis-sentinel': 'redis-sentinel' }
const SENTINEL = ['redis-server', 'redis-sentinel'] as const
/** Runs that go on at the same time. */
const AT_ONCE = 2

interface Claim {
  readonly says: string
  readonly programs: readonly (keyof typeof PACKAGES)[]
  readonly words: readonly string[]
  /** What is missing for the claim; undefined when it is met. `history`: the run's events as they were written. */
  missing(document: VerdictDocument, history: string): string | undefined
}

const rung = (document: VerdictDocument, model: string): VerdictWord | undefined => document.ladder.find((one) => one.model === model)?.verdict

const claims: readonly Claim[] = [
  {
    says: 'etcd holds linearizable under partition, kill and pause',
    programs: ['etcd'],
    words: ['--system', 'etcd', '--nemesis', 'partition,kill,pause', '--time', '20s'],
    missing: (document) => (document.verdict === 'holds' && rung(document, 'linearizable') === 'holds' ? undefined : document.sentence),
  },
  {
    says: 'serializable reads of etcd are stale in a partition, and sequential',
    programs: ['etcd'],
    words: ['--system', 'etcd', '--preset', 'serializable', '--nemesis', 'partition,every=8s,for=6s', '--time', '10s', '--rate', '500', '--workload', 'register(keys=20)'],
    missing: (document) => {
      if (document.verdict !== 'holds') return document.sentence
      return rung(document, 'linearizable') === 'violated' ? undefined : 'no stale read was seen'
    },
  },
  {
    says: 'Redis with Sentinel loses acknowledged writes when the primary is cut off with clients, and converges',
    programs: SENTINEL,
    words: ['--system', 'redis-sentinel', '--nemesis', 'partition(primaries),every=16s,for=8s', '--time', '18s', '--rate', '500'],
    missing: (document) => (document.durability.lost > 0 && document.convergence.agreed === true ? undefined : document.sentence),
  },
  {
    says: 'a primary of Redis that must have a replica refuses writes when it is cut off, and all converge',
    programs: SENTINEL,
    words: ['--system', 'redis-sentinel', '--preset', 'min-replicas', '--nemesis', 'partition(primaries),every=16s,for=8s', '--time', '18s', '--rate', '300'],
    missing: (document, history) => {
      if (document.convergence.agreed !== true) return document.sentence
      return history.includes('"error":"NOREPLICAS"') ? undefined : 'no write was refused for want of a replica'
    },
  },
]

/** Carries out one claim's run in a folder of its own. */
async function outcomeOf(words: readonly string[], driver: string, seed: number): Promise<{ document: VerdictDocument; history: string }> {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-foreign-'))
  try {
    const ended = await execa(process.execPath, [bin, 'run', ...words, '--nodes', '3', '--driver', driver, '--seed', String(seed)], { cwd, reject: false })
    const text = await readFile(path.join(cwd, 'runs/latest/verdict.json'), 'utf8').catch(() => undefined)
    if (text === undefined) throw new Error(`no verdict (exit code ${ended.exitCode}, signal ${ended.signal}): ${ended.stderr || ended.stdout}`)
    return { document: verdictDocumentSchema.parse(JSON.parse(text)), history: await readFile(path.join(cwd, 'runs/latest/history.jsonl'), 'utf8') }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

/** The drivers that this machine has; all of them where Docker is required, so that its lack is an error. */
async function possibleDrivers(print: (line: string) => void): Promise<Plan['driver'][]> {
  const possible: Plan['driver'][] = []
  for (const driver of DRIVERS) {
    const { available, reason } = (await (await makeDriver({ driver }, realClock())).capabilities()).kill
    if (available || process.env['SPLITBRAIN_REQUIRE_DOCKER'] === '1') possible.push(driver)
    else print(`${driver}: not tried: ${reason}`)
  }
  return possible
}

/** The claims about programs that are installed. */
function possibleClaims(print: (line: string) => void): Claim[] {
  const absent = Object.entries(PACKAGES).filter(([program]) => findExecutable(program) === undefined)
  for (const [program, debian] of absent) print(`skip: ${program} is not installed here (Debian: ${debian})`)
  return claims.filter(({ programs }) => programs.every((program) => absent.every(([name]) => name !== program)))
}

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean | undefined> {
  const possible = possibleClaims(print)
  if (possible.length === 0) return undefined
  const drivers = await possibleDrivers(print)
  let failed = 0
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < cases) {
      const i = next++
      const claim = possible[i % possible.length]!
      // In as many rounds as there are drivers, every claim is tried on each.
      const driver = drivers[(seed + i + Math.floor(i / possible.length)) % drivers.length]!
      const { document, history } = await outcomeOf(claim.words, driver, seed + i)
      const missing = claim.missing(document, history)
      if (missing !== undefined) failed++
      const { acknowledged, lost } = document.durability
      print(`${missing === undefined ? 'shown ' : 'FAILED'} seed ${seed + i} ${driver}: ${claim.says} (strongest ${document.strongest ?? 'none'}, lost ${lost} of ${acknowledged})${missing === undefined ? '' : `: ${missing}`}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  print(`${cases - failed} of ${cases} shown`)
  return failed === 0
}

export const soak = {
  name: 'foreign-systems',
  describes: 'etcd and Redis with Sentinel, unmodified, as processes, in namespaces and in containers: what holds and what is lost',
  full: 12,
  slice: 3,
  run,
}
