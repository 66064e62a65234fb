/** Campaigns in the store: made, found, paused, gone on with, ended. */
import type { Campaign, Cell } from '../campaign/definition.ts'
import { campaignSchema } from '../campaign/definition.ts'
import { UsageError } from '../usage-error.ts'
import type { Database, Sql, Transaction } from './database.ts'
import { queueOf, type Queue } from './queue.ts'
import { buryWorkers } from './workers.ts'

/** What a machine must be able to do to take a cell's runs. */
export interface MachineClass {
  readonly driver: string
  readonly system: string
  /** Capabilities of the driver, sorted. */
  readonly needs: readonly string[]
}

/** A cell as it begins. */
export interface NewCell extends Cell {
  readonly class: MachineClass
  /** Why no machine can run it; null when some may. */
  readonly impossible: string | null
  /** A run that has not ended by then never will. */
  readonly limitMs: number
  /** Before anything is known: how long one run takes. */
  readonly guessMs: number
}

/** A campaign as it begins. */
export interface NewCampaign {
  readonly definition: Campaign
  /** The command line that began it. */
  readonly words: readonly string[]
  readonly version: string
  /** Of the checkout in which it began. */
  readonly commit: string | null
  /** Milliseconds from now; null: until every cell has its seeds. */
  readonly budgetMs: number | null
  readonly cells: readonly NewCell[]
}

/** A campaign as it is kept. */
export interface CampaignRow {
  readonly id: number
  readonly name: string
  readonly definition: Campaign
  readonly words: readonly string[]
  readonly commit: string | null
  /** Runs of each cell; null: as many as a budget or an aim allows. */
  readonly seeds: number | null
  readonly state: 'open' | 'paused' | 'finished' | 'cancelled'
  readonly cut: 'budget' | 'fail-fast' | 'interrupted' | 'cancelled' | null
  readonly createdAt: Date
  readonly endedAt: Date | null
}

/** Runs that a cell gets when neither seeds nor a budget nor an aim was named. */
const SEEDS = 5

/** Writes a campaign down, with its cells and a queue for each class of machines. Resolves to its id. */
export async function createCampaign(database: Database, queue: Queue, campaign: NewCampaign): Promise<number> {
  const { definition, words, version, commit, budgetMs, cells } = campaign
  const seeds = definition.seeds ?? (budgetMs === null && definition.until === undefined ? SEEDS : null)
  // Paused until everything it needs is there: queues cannot be made in the same transaction.
  const id = await database.transaction(async (tx) => {
    const [row] = await tx<{ id: number }[]>`insert into splitbrain.campaigns ${tx({ name: definition.name, definition: JSON.stringify(definition), words: [...words], version, commit, state: 'paused', seeds, first_seed: definition.first_seed, until_confidence: definition.until?.confidence ?? null, until_width: definition.until?.width ?? null, fail_fast: definition.fail_fast })} returning id`
    const made = new Map<string, number>()
    for (const [position, cell] of cells.entries()) await insertCell(tx, row!.id, position, cell, definition.first_seed, made)
    return row!.id
  })
  await openCampaign(database, queue, id, budgetMs)
  return id
}

async function insertCell(tx: Transaction, campaign: number, position: number, cell: NewCell, firstSeed: number, classes: Map<string, number>): Promise<void> {
  const { driver, system, needs } = cell.class
  const key = JSON.stringify([driver, system, needs])
  if (!classes.has(key)) {
    const [row] = await tx<{ id: number }[]>`insert into splitbrain.classes ${tx({ campaign_id: campaign, driver, system, needs: [...needs] })} returning id`
    classes.set(key, row!.id)
  }
  await tx`insert into splitbrain.cells ${tx({ campaign_id: campaign, position, configuration: cell.configuration, nemesis: cell.nemesis, driver, words: [...cell.words], class_id: classes.get(key)!, impossible: cell.impossible, limit_ms: cell.limitMs, expected_ms: cell.guessMs, next_seed: firstSeed, judged_to: firstSeed })}`
}

/** Lets workers take its runs, from now on and for a budget, if any. Takes the right to make tables: its queues may have been swept, or never made. */
export async function openCampaign(database: Database, queue: Queue, id: number, budgetMs: number | null): Promise<void> {
  const classes = await database.run((sql) => sql<{ id: number }[]>`select id from splitbrain.classes where campaign_id = ${id}`)
  for (const one of classes) await queue.create(queueOf(one.id))
  await database.run((sql) => sql`update splitbrain.campaigns set state = 'open', cut = null, ended_at = null, deadline = now() + ${budgetMs} * interval '1 millisecond' where id = ${id}`)
}

/** Lets nobody take its runs any more; those that go on are recorded. A campaign that has ended stays as it is. */
export async function endCampaign(database: Database, id: number, state: 'paused' | 'cancelled'): Promise<void> {
  const cut = state === 'paused' ? 'interrupted' : 'cancelled'
  await database.run((sql) => sql`update splitbrain.campaigns set state = ${state}, cut = ${cut}, ended_at = now() where id = ${id} and state in ('open', 'paused')`)
}

/** Removes the queues of campaigns that have ended, once nobody works on what is in them; their seeds may be handed out again. Takes the right to make tables. */
export async function sweepQueues(database: Database, queue: Queue): Promise<void> {
  // What a dead worker was doing counts as worked on until somebody has looked.
  await buryWorkers(database, queue)
  const ended = await database.run((sql) => sql<{ id: number }[]>`
    select k.id from splitbrain.classes k join splitbrain.campaigns c on c.id = k.campaign_id
    where c.state in ('finished', 'cancelled') and exists (select from splitbrain_jobs.queue q where q.name = 'class-' || k.id)
      and not exists (select from splitbrain_jobs.job j where j.name = 'class-' || k.id and j.state = 'active')`)
  for (const { id } of ended) {
    await database.transaction(async (tx) => {
      await tx`update splitbrain.cells l set next_seed = least(l.next_seed, a.seed) from (select cell_id, min(seed) as seed from splitbrain.assignments group by cell_id) a where a.cell_id = l.id and l.class_id = ${id}`
      await tx`delete from splitbrain.assignments a using splitbrain.cells l where l.id = a.cell_id and l.class_id = ${id}`
    })
    await queue.destroy(queueOf(id))
  }
}

/** Finds a campaign by its number, or the newest of a name; without either the newest of all. Rejects with UsageError. */
export async function findCampaign(database: Database, reference: string | undefined): Promise<CampaignRow> {
  const id = reference !== undefined && /^\d{1,15}$/.test(reference) ? Number(reference) : null
  // What cannot be a name is none: a database need not be asked, and may not take it.
  const rows = reference !== undefined && !/^[\w.-]{1,80}$/.test(reference) ? [] : await database.run((sql) => sql<Row[]>`${select(sql)} where ${reference === undefined ? sql`true` : id === null ? sql`name = ${reference}` : sql`id = ${id}`} order by id desc limit 1`)
  if (rows[0] !== undefined) return rowOf(rows[0])
  const names = await database.run((sql) => sql<{ name: string }[]>`select distinct name from splitbrain.campaigns order by name limit 20`)
  throw new UsageError(reference === undefined ? 'There is no campaign yet: splitbrain campaign run makes one.' : `There is no campaign ${JSON.stringify(reference)}. ${names.length === 0 ? 'There is none at all yet.' : `There ${names.length === 1 ? 'is' : 'are'} ${names.map(({ name }) => name).join(', ')}.`}`)
}

/** Campaigns, newest first. */
export async function listCampaigns(database: Database, limit: number): Promise<(CampaignRow & { readonly runs: number; readonly violated: number; readonly unknown: number })[]> {
  const rows = await database.run((sql) => sql<(Row & { runs: number; violated: number; unknown: number })[]>`
    select c.*, t.runs, t.violated, t.unknown from (${select(sql)} order by id desc limit ${limit}) c
    cross join lateral (select coalesce(sum(decided + unknown), 0)::bigint as runs, coalesce(sum(violated), 0)::bigint as violated, coalesce(sum(unknown), 0)::bigint as unknown from splitbrain.cells where campaign_id = c.id) t order by c.id desc`)
  return rows.map((row) => ({ ...rowOf(row), runs: row.runs, violated: row.violated, unknown: row.unknown }))
}

interface Row {
  readonly id: number
  readonly name: string
  readonly definition: unknown
  readonly words: string[]
  readonly commit: string | null
  readonly seeds: number | null
  readonly state: CampaignRow['state']
  readonly cut: CampaignRow['cut']
  readonly created_at: Date
  readonly ended_at: Date | null
}

const select = (sql: Sql) => sql`select id, name, definition, words, commit, seeds, state, cut, created_at, ended_at from splitbrain.campaigns`

const rowOf = ({ definition, created_at: createdAt, ended_at: endedAt, ...row }: Row): CampaignRow => ({ ...row, definition: campaignSchema.parse(definition), createdAt, endedAt })
