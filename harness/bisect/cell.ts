/**
 * What is repeated at every commit: a run's plan, against the store as that commit has it.
 *
 * A system of the user's own is a file of the checkout; the same file of the commit is tested, by the splitbrain that
 * bisects. A system that comes with splitbrain can be bisected in a checkout of splitbrain: the commit's own command
 * line runs the plan. Either way the run's working directory is the same place in the commit's tree as it was in the
 * checkout, so that relative paths mean what the commit has there. A workload file stays the user's own: it is the test.
 */
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { findingsOf } from '../../reports/campaign/results.ts'
import type { RunEvent } from '../../reports/events.ts'
import { workloadName } from '../../workloads/index.ts'
import type { Plan } from '../plan.ts'
import { loadRun, runsDir, saveJson } from '../run-folder.ts'
import { isFile } from '../systems.ts'
import { UsageError } from '../usage-error.ts'
import { packageRoot } from '../version.ts'
import type { Commit } from './checkout.ts'
import { runChild } from './child.ts'
import type { Tree } from './tree.ts'
import { tryCommit, type Sample, type Trial } from './trial.ts'

/** A failing run as it is repeated at each commit. */
export interface Cell {
  readonly plan: Plan
  /** Fingerprints of what the run found. */
  readonly wanted: ReadonlySet<string>
  /** The working directory of its runs, relative to a tree's root. */
  readonly place: string
  /** The user's system file relative to `place`; undefined where the system comes with splitbrain. */
  readonly systemFile: string | undefined
  /** Read by a shell at the tree's root. */
  readonly build: string | undefined
  readonly seeds: number
  /** How long a build or a run may take. */
  readonly limitMs: number
}

const inside = (dir: string, file: string): boolean => !path.relative(dir, file).startsWith('..') && !path.isAbsolute(path.relative(dir, file))

/** The command line of a checkout of splitbrain, or of the installed package, relative to its root. */
const PROGRAM = path.join('harness', 'bin', 'splitbrain.mjs')

/** Where a plan's runs start and where its system lies. `folder`: the one that named the checkout. Throws UsageError when the checkout does not hold the system. */
export async function placeOf(plan: Plan, checkout: string, folder: string): Promise<Pick<Cell, 'place' | 'systemFile'>> {
  const bases = await Promise.all([process.cwd(), folder].map((dir) => realpath(dir)))
  const root = await realpath(checkout)
  if (!isFile(plan.system)) {
    if (!existsSync(path.join(root, PROGRAM))) throw new UsageError(`The run tests ${plan.system}, which comes with splitbrain, and ${checkout} is no checkout of splitbrain; name one with --checkout DIR.`)
    return { place: '', systemFile: undefined }
  }
  const base = bases.find((dir) => inside(root, path.resolve(dir, plan.system)))
  if (base === undefined) throw new UsageError(`The run tests ${plan.system}, which does not lie in the checkout ${checkout}; name the checkout that holds it with --checkout DIR.`)
  const start = inside(root, base) ? base : root
  return { place: path.relative(root, start), systemFile: path.relative(start, path.resolve(base, plan.system)) }
}

/** Where the run that showed the finding at a bad commit is kept until the bisection is over. */
const kept = (tree: Tree, { hash }: Commit): string => path.join(tree.beside, hash)

/** What the runs at a commit are called. */
const nameAt = ({ short }: Commit): string => `bisect-${short}`

/** Checks a commit out, builds it, and repeats the run there until it is known to be bad or good. Rejects when `signal` is aborted. */
export async function tryCell(tree: Tree, commit: Commit, cell: Cell, { signal, onPhase }: { readonly signal: AbortSignal; readonly onPhase: (phase: string) => void }): Promise<Trial> {
  signal.throwIfAborted()
  await tree.checkOut(commit)
  const obstacle = await buildObstacle(tree, cell, signal, onPhase)
  if (obstacle !== undefined) return { verdict: 'skipped', runs: 0, reason: obstacle }
  return tryCommit(cell.seeds, cell.plan.seed, (seed) => {
    onPhase(`seed ${seed}`)
    return sampleAt(tree, commit, cell, seed, signal)
  })
}

/** Why a commit as it was checked out cannot be tested, if it cannot. */
async function buildObstacle(tree: Tree, { place, systemFile, build, limitMs }: Cell, signal: AbortSignal, onPhase: (phase: string) => void): Promise<string | undefined> {
  if (build !== undefined) {
    onPhase('build')
    const { exitCode, timedOut, lines } = await runChild(build, [], { cwd: tree.dir, signal, limitMs, shell: true })
    if (timedOut) return 'the build command does not end within --time-limit'
    if (exitCode !== 0) return ['the build command fails', lines.find(isError) ?? lines.at(-1) ?? `exit code ${exitCode}`].join(': ')
  }
  const needed = systemFile === undefined ? PROGRAM : path.join(place, systemFile)
  return existsSync(path.join(tree.dir, needed)) ? undefined : `there is no ${needed}`
}

/** One run at a commit that is built. Its folder and its plan are kept if it shows the finding. */
async function sampleAt(tree: Tree, commit: Commit, cell: Cell, seed: number, signal: AbortSignal): Promise<Sample> {
  const cwd = path.join(tree.dir, cell.place)
  const runs = path.join('runs', nameAt(commit))
  await mkdir(path.join(cwd, runs), { recursive: true })
  await saveJson(path.join(cwd, runs), planFile(seed), planAt(commit, cell, seed))
  const program = path.join(cell.systemFile === undefined ? tree.dir : packageRoot(), PROGRAM)
  const words = ['run', '--plan', path.join(runs, planFile(seed)), '--reporter', 'json']
  try {
    const { exitCode, timedOut, lines } = await runChild(process.execPath, [program, ...words], { cwd, signal, limitMs: cell.limitMs })
    if (timedOut) return { type: 'impossible', reason: 'the run does not end within --time-limit' }
    if (exitCode === undefined || exitCode > exitCodes.unknown) return { type: 'impossible', reason: `the run cannot be carried out: ${complaintOf(lines)}` }
    const sample = await sampleOf(await realpath(path.join(cwd, 'runs', 'latest')), cell.wanted)
    if (sample.type === 'shown') await rename(path.join(cwd, runs), kept(tree, commit))
    return sample
  } finally {
    await rm(path.join(cwd, runs), { recursive: true, force: true })
  }
}

/** The first such line tells most: what follows are consequences, and the last is often about something else (`npm error A complete log ...`). */
const isError = (line: string): boolean => /error/i.test(line)

/** The file with the plan of the run with a seed, among the runs at a commit. */
const planFile = (seed: number): string => `seed-${seed}.json`

function planAt(commit: Commit, { plan, systemFile }: Cell, seed: number): Plan {
  const file = workloadName(plan.workload)
  const workload = isFile(file) ? path.resolve(file) + plan.workload.slice(file.length) : plan.workload
  return { ...plan, name: nameAt(commit), seed, system: systemFile === undefined ? plan.system : `./${systemFile}`, workload }
}

/** Why a run could not be carried out: its reporter's word, or the sentence with which a command line was refused. */
function complaintOf(lines: readonly string[]): string {
  const crash = lines.find((line) => line.startsWith('{"type":"crash"'))
  if (crash !== undefined) return (JSON.parse(crash) as Extract<RunEvent, { type: 'crash' }>).message
  // A checkout that compiles itself says so first ("splitbrain: compiling ...").
  const words = lines.filter((line) => !line.startsWith('{') && !line.endsWith(' ...'))
  return words.find(isError) ?? words[0] ?? 'it said nothing'
}

/** What a finished run says of the finding. */
async function sampleOf(dir: string, wanted: ReadonlySet<string>): Promise<Sample> {
  const run = await loadRun(dir).catch((error: unknown) => {
    if (error instanceof UsageError) return undefined
    throw error
  })
  if (run?.document === undefined) return { type: 'impossible', reason: "what this commit's splitbrain writes cannot be read by this one" }
  const { history, document } = run
  if (document.verdict === 'holds') return { type: 'held' }
  if (document.verdict === 'unknown') return { type: 'unclear', reason: document.reason ?? document.sentence }
  const findings = findingsOf(document, history)
  const finding = findings.find(({ fingerprint }) => wanted.has(fingerprint))
  return finding === undefined ? { type: 'unclear', reason: `another finding, ${findings.map(({ fingerprint }) => fingerprint).join('; ')}` } : { type: 'shown', finding }
}

/** A failing run at a bad commit, among the user's own runs. */
export interface KeptRun {
  /** The run's folder. */
  readonly dir: string
  /** Its plan, for `splitbrain run --plan`. */
  readonly plan: string
}

/** Copies the run that showed the finding at a bad commit to the user's own runs. */
export async function keepRun(tree: Tree, commit: Commit, seed: number): Promise<KeptRun> {
  const [run] = (await readdir(kept(tree, commit), { withFileTypes: true })).filter((entry) => entry.isDirectory())
  const dir = path.join(runsDir(), nameAt(commit))
  await cp(kept(tree, commit), dir, { recursive: true })
  return { dir: path.join(dir, run!.name), plan: path.join(dir, planFile(seed)) }
}
