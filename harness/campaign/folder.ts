/**
 * What a campaign leaves to be looked at: `runs/<name>/<time>/` with its report, and the folders of the runs that the
 * report shows, brought back from the store. All of it can be made again at any time, on any machine that reaches the
 * store.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Result } from '../../reports/campaign/results.ts'
import type { CampaignSummary } from '../../reports/campaign/summary.ts'
import { renderCampaign } from '../../reports/html/campaign.ts'
import { repeatCommand } from '../commands/plan-options.ts'
import { configurationName, planSchema } from '../plan.ts'
import { writeReport } from '../report-files.ts'
import { runFolder, loadRun, save, saveJson } from '../run-folder.ts'
import { judgeRun } from '../run.ts'
import { startedOf } from '../run-in-folder.ts'
import type { CampaignRow } from '../store/campaigns.ts'
import { readContent } from '../store/contents.ts'
import type { Database } from '../store/database.ts'
import { DatabaseError } from '../store/errors.ts'
import { summarize, summaryQueries } from '../store/summary.ts'

/** Runs whose folders a report brings back, at most: the smallest failing run of each finding and cell. */
const SHOWN = 60

/** `campaign.json`: what `splitbrain serve` and `compare` know a campaign's folder by. */
export const campaignFileSchema = z.strictObject({
  schema: z.literal('splitbrain-campaign/1'),
  id: z.int(),
  name: z.string(),
  database: z.string().describe('where it is kept'),
  started: z.string(),
  state: z.string(),
  configurations: z.array(z.string()),
  nemeses: z.array(z.string()),
  runs: z.int(),
  violated: z.int(),
  unknown: z.int(),
})
export type CampaignFile = z.infer<typeof campaignFileSchema>

/** Why a campaign ended before every cell had its seeds, and how it goes on; null when it did not. */
export function cutOf({ id, cut }: CampaignRow): string | null {
  if (cut === null) return null
  const why = { budget: 'the budget ended it', 'fail-fast': 'it ended at the first violation', interrupted: 'it was interrupted', cancelled: 'it was cancelled' }[cut]
  return cut === 'cancelled' ? why : `${why}; npx splitbrain campaign resume ${id} goes on`
}

/** The command that runs all of it again. */
export const repeatOf = ({ words, definition }: CampaignRow): string => repeatCommand(words, definition.first_seed)

/** Writes the campaign's folder. Resolves to the report's path and to what it shows. */
export async function writeCampaign(database: Database, campaign: CampaignRow): Promise<{ readonly report: string; readonly summary: CampaignSummary }> {
  const dir = folderOf(campaign)
  await mkdir(dir, { recursive: true })
  const summary = await withFolders(database, campaign, dir, await summarize(database, campaign.id))
  const trend = await database.run((sql) => summaryQueries.trend(sql, campaign.id))
  const started = campaign.createdAt.toISOString()
  const repeat = repeatOf(campaign)
  await save(dir, 'report.html', renderCampaign({ title: campaign.name, started, repeat, summary, cut: cutOf(campaign), trend: trend.toReversed().map((point) => ({ ...point, started: point.started.toISOString() })) }))
  await saveCampaign(database, campaign, summary)
  return { report: path.join(dir, 'report.html'), summary }
}

/** Writes `campaign.json`: what is known of it by now. */
export async function saveCampaign(database: Database, campaign: CampaignRow, { configurations, nemeses, runs, violated, unknown }: Pick<CampaignSummary, 'configurations' | 'nemeses' | 'runs' | 'violated' | 'unknown'>): Promise<void> {
  const dir = folderOf(campaign)
  await mkdir(dir, { recursive: true })
  await saveJson(dir, 'campaign.json', { schema: 'splitbrain-campaign/1', id: campaign.id, name: campaign.name, database: database.where, started: campaign.createdAt.toISOString(), state: campaign.state, configurations: [...configurations], nemeses: [...nemeses], runs, violated, unknown } satisfies CampaignFile)
}

/** Where a campaign's folder is. */
export const folderOf = ({ name, createdAt }: CampaignRow): string => runFolder(name, createdAt.getTime())

/** Brings back the runs that the report shows, and links them. One that cannot be brought back is shown without a link. */
async function withFolders(database: Database, campaign: CampaignRow, dir: string, summary: CampaignSummary): Promise<CampaignSummary> {
  const wanted = [...summary.findings.map(({ smallest }) => smallest), ...summary.cells.flatMap(({ smallest }) => smallest ?? []), ...summary.unknowns.map(({ example }) => example)]
  const places = new Map<string, string>()
  for (const result of wanted) {
    if (places.has(result.repeat) || places.size >= SHOWN) continue
    const id = await runIdOf(database, campaign.id, result)
    const place = path.join('runs', String(id))
    const brought = await bringBack(database, campaign.id, id, path.join(dir, place)).then(() => true, (error: unknown) => {
      if (error instanceof DatabaseError) return false
      throw error
    })
    if (brought) places.set(result.repeat, place)
  }
  const placed = (result: Result): Result => ({ ...result, dir: places.get(result.repeat) ?? null })
  return {
    ...summary,
    cells: summary.cells.map((cell) => ({ ...cell, smallest: cell.smallest === null ? null : placed(cell.smallest) })),
    findings: summary.findings.map((finding) => ({ ...finding, smallest: placed(finding.smallest) })),
    unknowns: summary.unknowns.map((one) => ({ ...one, example: placed(one.example) })),
    slowest: summary.slowest.map(placed),
  }
}

async function runIdOf(database: Database, campaign: number, { configuration, nemesis, seed }: Result): Promise<number> {
  const [row] = await database.run((sql) => sql<{ id: number }[]>`
    select r.id from splitbrain.cells l join splitbrain.runs r on r.cell_id = l.id and r.seed = ${seed} where l.campaign_id = ${campaign} and l.configuration = ${configuration} and l.nemesis = ${nemesis}`)
  return row!.id
}

/** Makes a run's folder again from what the store keeps: plan, history, logs, verdict, report. Rejects with DatabaseError when a file is gone. */
export async function bringBack(database: Database, campaign: number, runId: number, dir: string): Promise<void> {
  if (existsSync(path.join(dir, 'report.html'))) return
  const [row] = await database.run((sql) => sql<{ plan: unknown; repeat: string; started_at: Date; configuration: string; nemesis: string }[]>`
    select r.plan, r.repeat, r.started_at, l.configuration, l.nemesis from splitbrain.runs r join splitbrain.cells l on l.id = r.cell_id where r.id = ${runId} and r.campaign_id = ${campaign}`)
  if (row === undefined) throw new DatabaseError(`There is no run ${runId} in this campaign.`)
  if (row.plan === null) throw new DatabaseError(`Run ${runId} never started: it has no plan.`)
  const plan = planSchema.parse(row.plan)
  const artifacts = await database.run((sql) => sql<{ name: string; sha256: string; place: string }[]>`select name, sha256, place from splitbrain.artifacts where run_id = ${runId} order by name`)
  if (!artifacts.some(({ name }) => name === 'history.jsonl')) throw new DatabaseError(`Run ${runId} left no history.`)
  await mkdir(path.join(dir, 'nodes'), { recursive: true })
  for (const artifact of artifacts) await writeFile(path.join(dir, artifact.name), await readContent(database, artifact))
  await saveJson(dir, 'plan.json', plan)
  const started = startedOf(plan, row.started_at.getTime())
  const title = `${row.configuration} under ${row.nemesis}, seed ${plan.seed}`
  const { history } = await loadRun(dir)
  const document = await judgeRun(plan, history, { dir, label: title, emit: () => undefined, repeat: row.repeat, started })
  await writeReport([{ name: configurationName(plan), dir, document, history }], { dir, title, repeat: row.repeat, generated: started })
}

/** The campaign whose folder this is; undefined when it is none. */
export async function campaignFileIn(where: string): Promise<CampaignFile | undefined> {
  const text = await readFile(path.join(where, 'campaign.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return campaignFileSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
