/** `splitbrain campaign status`, `show`, `report`, `export`, `cancel` and `grant`: what the store knows. */
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { formatMs, formatNoun, formatShare, visible } from '../../reports/format.ts'
import { cellName, type CampaignSummary } from '../../reports/campaign/summary.ts'
import { bringBack, folderOf, writeCampaign } from '../campaign/folder.ts'
import type { Arguments } from '../command.ts'
import { endCampaign, findCampaign, listCampaigns, type CampaignRow } from '../store/campaigns.ts'
import { exportRuns } from '../store/export.ts'
import { grantWorker } from '../store/rights.ts'
import { summarize } from '../store/summary.ts'
import { presentWorkers } from '../store/workers.ts'
import { withDatabase } from './store-options.ts'

const LISTED = 50

const reading = { migrates: false, connections: 2 } as const
const print = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)

/** All campaigns, or how far one is, and who works. */
export function statusOfCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return withDatabase(args, reading, async (database) => {
    const workers = await presentWorkers(database)
    const campaigns = reference === undefined ? await listCampaigns(database, LISTED) : undefined
    const one = reference === undefined ? undefined : await findCampaign(database, reference)
    const summary = one === undefined ? undefined : await summarize(database, one.id)
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify({ campaigns: campaigns ?? [one], ...(summary === undefined ? {} : { cells: summary.cells }), workers })}\n`)
      return exitCodes.holds
    }
    if (campaigns !== undefined) print(campaigns.length === 0 ? ['There is no campaign yet: splitbrain campaign run makes one.'] : campaigns.map((campaign) => `${String(campaign.id).padStart(5)}  ${visible(campaign.name).padEnd(24)} ${stateOf(campaign).padEnd(24)} ${formatNoun(campaign.runs, 'run').padEnd(14)} ${campaign.violated} violated, ${campaign.unknown} unknown   ${campaign.createdAt.toISOString().slice(0, 16).replace('T', ' ')}`))
    if (one !== undefined && summary !== undefined) print([headOf(one, summary), ...cellLines(summary)])
    print(['', ...(workers.length === 0 ? ['No worker is at work.'] : workers.map((worker) => `worker ${visible(worker.host)} ${worker.pid}: ${worker.doing.length} of ${worker.concurrency} at once, seen ${Math.round(worker.silentS)} s ago`))])
    return exitCodes.holds
  })
}

/** What a campaign found; or one of its runs, whose folder is made again. */
export function showCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return withDatabase(args, reading, async (database) => {
    const campaign = await findCampaign(database, reference)
    const run = args.integer('run', { min: 1, max: Number.MAX_SAFE_INTEGER })
    if (run !== undefined) {
      const dir = path.join(folderOf(campaign), 'runs', String(run))
      await bringBack(database, campaign.id, run, dir)
      console.log(path.relative(process.cwd(), dir))
      return exitCodes.holds
    }
    const summary = await summarize(database, campaign.id)
    if (args.flag('json')) process.stdout.write(`${JSON.stringify({ campaign, summary })}\n`)
    else print([headOf(campaign, summary), ...cellLines(summary), ...findingLines(summary)])
    return summary.violated > 0 ? exitCodes.violated : summary.unknown > 0 || summary.runs === 0 ? exitCodes.unknown : exitCodes.holds
  })
}

/** Writes the report, as it stands now. */
export function reportCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return withDatabase(args, reading, async (database) => {
    const { report } = await writeCampaign(database, await findCampaign(database, reference))
    console.log(path.relative(process.cwd(), report))
    return exitCodes.holds
  })
}

/** Every run as a line of JSON, in the order of cells and seeds. */
export function exportCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return withDatabase(args, reading, async (database) => {
    const { id } = await findCampaign(database, reference)
    for await (const line of exportRuns(database, id)) {
      if (process.stdout.destroyed) break
      if (!process.stdout.write(`${line}\n`)) await roomIn(process.stdout)
    }
    return exitCodes.holds
  })
}

/** Resolves when a stream takes more, or nobody reads it any more. */
function roomIn(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })
}

/** Nobody takes its runs any more. */
export function cancelCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return withDatabase(args, reading, async (database) => {
    const campaign = await findCampaign(database, reference)
    await endCampaign(database, campaign.id, 'cancelled')
    console.log(`The campaign ${visible(campaign.name)} (${campaign.id}) is cancelled; what it found stays.`)
    return exitCodes.holds
  })
}

/** Gives a role of the database the rights of a worker, and no more. */
export function grantRights(args: Arguments, role: string | undefined): Promise<number> {
  return withDatabase(args, { migrates: true, connections: 1 }, async (database) => {
    await grantWorker(database, role!)
    console.log(`The role ${visible(role!)} may carry out runs of campaigns.`)
    return exitCodes.holds
  })
}

const stateOf = ({ state, cut }: CampaignRow): string => (cut === null ? state : `${state} (${cut})`)

const headOf = (campaign: CampaignRow, { runs, violated, unknown, elapsed_ms }: CampaignSummary): string => `${visible(campaign.name)} (${campaign.id}): ${stateOf(campaign)}, ${formatNoun(runs, 'run')}, ${violated} violated, ${unknown} unknown, ${formatMs(elapsed_ms)} of machine time`

const cellLines = ({ cells }: CampaignSummary): string[] => cells.map((cell) => `  ${visible(cellName(cell)).padEnd(44)} ${cell.impossible !== null ? `not run: ${visible(cell.impossible)}` : `${cell.violated}/${cell.decided} violated${cell.unknown === 0 ? '' : `, ${cell.unknown} unknown`}${cell.decided === 0 ? '' : ` (${formatShare(cell.interval.low)} to ${formatShare(cell.interval.high)})`}${cell.stopped ? ', enough is known' : cell.pending === 0 ? '' : `, ${cell.pending} under way`}`}`)

const findingLines = ({ findings, unknowns }: CampaignSummary): string[] => [
  ...findings.flatMap((one) => ['', `${visible(one.fingerprint)}: ${formatNoun(one.runs, 'run')} of ${one.of}${one.rare ? ' (rare)' : ''}`, `  ${visible(one.explanation)}`, ...one.cells.map(({ cell, runs }) => `  ${visible(cell)}: ${runs}`), `  ${visible(one.smallest.repeat)}`]),
  ...unknowns.flatMap((one) => ['', `unknown in ${formatNoun(one.runs, 'run')}: ${visible(one.reason)}`, `  ${visible(one.example.repeat)}`]),
]
