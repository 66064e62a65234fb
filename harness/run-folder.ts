/**
 * Run folders: `runs/<name>/<time>/` with `plan.json`, `history.jsonl`, `verdict.json`, `report.html` and
 * `nodes/<id>.log`, each written as soon as it is known, so that whatever dies later costs nothing that was there.
 * `runs/current` links to the newest started run, `runs/latest` to the newest finished one.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { HistoryError, readJsonl, type History } from '../checker/history/index.ts'
import { verdictDocumentSchema, type VerdictDocument } from '../checker/verdict.ts'
import { z } from 'zod'
import { planSchema, type Plan } from './plan.ts'
import { UsageError } from './usage-error.ts'

/** The folder that holds all runs, in the working directory. */
export const runsDir = (): string => path.resolve('runs')

/** `20261120T225959.123Z`: sorts by time, is a legal file name everywhere. */
function stamp(date: Date): string {
  return date.toISOString().replace(/[-:]/g, '')
}

/** Where the folder of what began at that moment is. */
export const runFolder = (name: string, startedMs: number): string => path.join(runsDir(), name, stamp(new Date(startedMs)))

/** Makes a new folder for a run and points `runs/current` at it. Two runs in one millisecond get different folders. */
export async function createRunFolder(name: string, startedMs: number): Promise<string> {
  const parent = path.join(runsDir(), name)
  await mkdir(parent, { recursive: true })
  for (let attempt = 0; ; attempt++) {
    const dir = runFolder(name, startedMs) + (attempt === 0 ? '' : `-${attempt}`)
    try {
      await mkdir(dir)
      await point('current', dir)
      return dir
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** The id that everything of a run's cluster carries: what `splitbrain clean --run` takes. */
export function clusterId(dir: string, { name, preset }: Pick<Plan, 'name' | 'preset'>): string {
  return `${path.basename(dir)}${name}${preset}`.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Points `runs/<link>` at a folder. The link is replaced in one step, so it always names a whole folder. */
export async function point(link: 'current' | 'latest', dir: string): Promise<void> {
  const target = path.join(runsDir(), link)
  const fresh = `${target}.${process.pid}`
  await rm(fresh, { force: true })
  await symlink(path.relative(runsDir(), dir), fresh, 'dir')
  await rename(fresh, target)
}

/** Writes a file whole or not at all. */
export async function save(dir: string, file: string, text: string): Promise<void> {
  const target = path.join(dir, file)
  await writeFile(`${target}.part`, text)
  await rename(`${target}.part`, target)
}

export const saveJson = (dir: string, file: string, value: unknown): Promise<void> => save(dir, file, `${JSON.stringify(value, null, 2)}\n`)

/** A run folder as it was found; what has not been written yet is undefined. */
export interface SavedRun {
  readonly dir: string
  readonly plan: Plan
  readonly history: History
  readonly document: VerdictDocument | undefined
}

async function readValidated<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}. Is this a splitbrain run?`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new UsageError(`${file} is not as expected:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** Reads a plan, for `--plan` and for resuming. */
export const readPlan = (file: string): Promise<Plan> => readValidated(file, planSchema)

/** The run folders that `where` stands for: itself, or its configurations when it is a tour. Throws UsageError when there are none. */
export async function findRuns(where: string): Promise<string[]> {
  const dir = [path.resolve(where), path.join(runsDir(), where)].find((d) => existsSync(d))
  if (!dir) throw new UsageError(`There is no run at ${where}; name a folder under runs/, for example runs/latest.`)
  if (existsSync(path.join(dir, 'plan.json'))) return [dir]
  const inner = (await readdir(dir, { withFileTypes: true })).filter((e) => e.isDirectory() && existsSync(path.join(dir, e.name, 'plan.json')))
  if (inner.length === 0) throw new UsageError(`${dir} holds no run: no plan.json in it or one level below.`)
  return inner.map((e) => path.join(dir, e.name)).sort()
}

/** Reads a JSONL history whose writer may have been killed. Throws UsageError with file and line. */
function readHistory(file: string, bytes: Uint8Array): History {
  try {
    return readJsonl(bytes, { tolerateTruncation: true })
  } catch (error) {
    if (error instanceof HistoryError) throw new UsageError(`${file}${error.line === undefined ? '' : `:${error.line}`}: ${error.message.replace(/^line \d+: /, '')}`)
    throw error
  }
}

/** Reads a run folder. */
export async function loadRun(dir: string): Promise<SavedRun> {
  const plan = await readPlan(path.join(dir, 'plan.json'))
  const historyFile = path.join(dir, 'history.jsonl')
  if (!existsSync(historyFile)) throw new UsageError(`${dir} has no history.jsonl: the run ended before its clients started.`)
  const history = readHistory(historyFile, await readFile(historyFile))
  const verdictFile = path.join(dir, 'verdict.json')
  // A verdict can always be found again: one that cannot be read is as good as none.
  const document = existsSync(verdictFile) ? await readValidated(verdictFile, verdictDocumentSchema).catch(() => undefined) : undefined
  return { dir, plan, history, document }
}

/** Reads a run folder that was judged. Throws UsageError when it was not. */
export async function loadJudged(dir: string): Promise<SavedRun & { readonly document: VerdictDocument }> {
  const run = await loadRun(dir)
  if (run.document === undefined) throw new UsageError(`${dir} has no verdict that this version reads: splitbrain check ${dir} judges it.`)
  return { ...run, document: run.document }
}
