/**
 * What a campaign runs: configurations x faults x seeds. A configuration is a set of options of `splitbrain run`, so
 * that everything that can be run can be a cell, and every run of a campaign has a command of its own that repeats it.
 */
import { z } from 'zod'
import { parseArguments } from '../command.ts'
import { runCommand } from '../commands/run.ts'
import { planFrom } from '../commands/plan-options.ts'
import type { Plan } from '../plan.ts'
import { UsageError } from '../usage-error.ts'

const optionsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** `campaign.json`, and what `--file` holds. */
export const campaignSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dots, dashes and underscores').describe('the campaign goes to runs/NAME/'),
  options: optionsSchema.default({}).describe('options of splitbrain run that all cells share, as in {"driver": "sim", "time": "10s"}'),
  configurations: z.array(optionsSchema).min(1).describe('the rows: options of splitbrain run, as in [{"preset": "abd"}, {"preset": "quorum", "nodes": 3}]'),
  nemeses: z.array(z.string()).min(1).describe('the columns: what --nemesis takes, as in ["none", "partition", "kill,pause"]'),
  seeds: z.int().min(1).optional().describe('runs of each cell; absent: as many as the budget allows'),
  first_seed: z.int().min(0).default(1),
})
export type Campaign = z.output<typeof campaignSchema>
/** A campaign as a person writes it: defaults may be left out. */
export type CampaignDefinition = z.input<typeof campaignSchema>

/** A campaign in a file of its own: `export default defineCampaign({ ... })`. Only checks types. */
export function defineCampaign(definition: CampaignDefinition): CampaignDefinition {
  return definition
}

/** Checks what came from outside. Throws UsageError that names every problem. */
export function parseCampaign(input: unknown, where: string): Campaign {
  const parsed = campaignSchema.safeParse(input)
  if (!parsed.success) throw new UsageError(`${where} is no campaign:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** One configuration under one nemesis. */
export interface Cell {
  readonly configuration: string
  readonly nemesis: string
  /** Its folder's name: unique, short, harmless. */
  readonly folder: string
  /** The words of `splitbrain run`, without the seed. */
  readonly words: readonly string[]
}

/** The matrix, row by row. */
export function cellsOf({ options, configurations, nemeses }: Campaign): Cell[] {
  const cells = configurations.flatMap((configuration) =>
    nemeses.map((nemesis) => ({ configuration: labelOf(configuration), nemesis, words: [...wordsOf({ ...options, ...configuration }), '--nemesis', nemesis] })),
  )
  return cells.map((cell, index) => ({ ...cell, folder: `${index + 1}-${cell.configuration}-${cell.nemesis}`.replace(/[^A-Za-z0-9=.]+/g, '-').slice(0, 100) }))
}

/** "quorum nodes=3": the preset and workload by themselves, everything else with its name. */
function labelOf(configuration: Readonly<Record<string, string | number | boolean>>): string {
  const named = Object.entries(configuration).map(([name, value]) => (['preset', 'workload', 'system'].includes(name) ? String(value) : `${name}=${String(value)}`))
  return named.join(' ') || 'default'
}

function wordsOf(options: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === true ? [`--${name}`] : value === false ? [] : [`--${name}`, String(value)]))
}

/** The plan of one run of a cell. Throws UsageError, ScheduleError or WorkloadError for options that `run` would refuse. */
export function planOf(cell: Cell, seed: number): Promise<Plan> {
  return planFrom(parseArguments(runCommand, [...cell.words, '--seed', String(seed)]))
}
