/** What a plan asks for beside its workload's judgements: objectives, log patterns, the errors that clients met. */
import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { exceptions, logPatterns, parseObjectives, slo, type Judgement, type NodeLog } from '../checker/index.ts'
import type { Plan } from './plan.ts'
import { UsageError } from './usage-error.ts'

/** Of a longer log only the end is looked at. */
const LOG_CHARACTERS_MAX = 50_000_000

/** The judgements; `logs` undefined: none were collected. Throws UsageError for an objective or a pattern that cannot be read. */
export function extraJudgements({ slo: objectives, log_pattern: pattern }: { readonly slo?: string | undefined; readonly log_pattern?: string | undefined }, logs?: readonly NodeLog[]): Judgement[] {
  try {
    return [...(objectives === undefined ? [] : [slo(parseObjectives(objectives))]), exceptions, logPatterns(logs, pattern === undefined ? undefined : new RegExp(pattern, 'i'))]
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The logs of a run's nodes, as far as they were collected. */
export async function judgementsBeside(plan: Plan, dir: string): Promise<Judgement[]> {
  const folder = path.join(dir, 'nodes')
  const files = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith('.log')).sort() : []
  const logs = await Promise.all(files.map(async (file): Promise<NodeLog> => ({ node: file.slice(0, -'.log'.length), text: (await readFile(path.join(folder, file), 'utf8')).slice(-LOG_CHARACTERS_MAX) })))
  return extraJudgements(plan, logs)
}
