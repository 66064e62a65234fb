/**
 * What a campaign runs: configurations x faults x seeds. A configuration is a set of options of `splitbrain run`, so
 * that everything that can be run can be a cell, and every run of a campaign has a command of its own that repeats it.
 */
import { z } from 'zod'
import { parseArguments } from '../command.ts'
import { runCommand } from '../commands/run.ts'
import { planFrom } from '../commands/plan-options.ts'
import type { Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { UsageError } from '../usage-error.ts'

const optionSchema = z.union([z.string(), z.number(), z.boolean()])
const optionsSchema = z.record(z.string(), optionSchema)

/** What a campaign's file holds, and what is kept of it. */
export const campaignSchema = z.strictObject({
  name: z.string().max(80).regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dots, dashes and underscores').describe('the campaign goes to runs/NAME/'),
  options: optionsSchema.default({}).describe('options of splitbrain run that all cells share, as in {"driver": "sim", "time": "10s"}'),
  configurations: z.array(optionsSchema).min(1).describe('the rows: options of splitbrain run, as in [{"preset": "abd"}, {"preset": "quorum", "nodes": 3}]'),
  nemeses: z.array(z.string()).min(1).describe('the columns: what --nemesis takes, as in ["none", "partition", "kill,pause"]'),
  draw: z.record(z.string(), z.array(optionSchema).min(1)).default({}).describe('options whose value the seed draws for each run, as in {"nodes": [3, 5, 7], "rate": [50, 500]}'),
  seeds: z.int().min(1).max(1_000_000).optional().describe('runs of each cell; absent: as many as the budget allows'),
  first_seed: z.int().min(0).max(0x7fffffff).default(1),
  until: z.strictObject({
    confidence: z.number().gt(0.5).lt(1).describe('0.95: the 95 % interval'),
    width: z.number().gt(0).lt(1).describe('how wide the interval of the violation rate may be'),
  }).optional().describe('a cell ends when so much is known of it'),
  fail_fast: z.boolean().default(false).describe('the campaign ends at the first violation'),
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
  const names = parsed.data.configurations.flatMap((one) => parsed.data.nemeses.map((nemesis) => `${labelOf(one)} · ${nemesis}`))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new UsageError(`${where} names the cell ${twice} twice.`)
  return parsed.data
}

/** One configuration under one nemesis. */
export interface Cell {
  readonly configuration: string
  readonly nemesis: string
  /** The words of `splitbrain run`, without the seed. */
  readonly words: readonly string[]
}

/** The matrix, row by row. */
export function cellsOf({ options, configurations, nemeses }: Campaign): Cell[] {
  return configurations.flatMap((configuration) => nemeses.map((nemesis) => ({ configuration: labelOf(configuration), nemesis, words: [...wordsOf({ ...options, ...configuration }), '--nemesis', nemesis] })))
}

/** "quorum nodes=3": the preset and workload by themselves, everything else with its name. */
function labelOf(configuration: Readonly<Record<string, string | number | boolean>>): string {
  const named = Object.entries(configuration).map(([name, value]) => (['preset', 'workload', 'system', 'driver'].includes(name) ? String(value) : `${name}=${String(value)}`))
  return named.join(' ') || 'default'
}

function wordsOf(options: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === true ? [`--${name}`] : value === false ? [] : [`--${name}`, String(value)]))
}

/** The words of one run of a cell: what the seed draws, and the seed. */
export function wordsOfRun({ words }: Pick<Cell, 'words'>, draw: Campaign['draw'], seed: number): string[] {
  const random = seededRandom(seed).fork('draw')
  const drawn = Object.entries(draw).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, values]) => [name, pick(random, values)] as const)
  return [...words, ...wordsOf(Object.fromEntries(drawn)), '--seed', String(seed)]
}

/** The plan of one run. Throws UsageError, ScheduleError or WorkloadError for options that `run` would refuse. */
export function planOf(words: readonly string[]): Promise<Plan> {
  return planFrom(parseArguments(runCommand, words))
}
