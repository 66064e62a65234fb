/** What there is to do: the classes of machines that open campaigns ask for. */
import type { Database } from '../store/database.ts'
import type { Campaign } from './definition.ts'

/** A class of an open campaign, with a cell to try whether this machine is of it. */
export interface OpenClass {
  readonly id: number
  readonly campaign: number
  /** For people: the driver, and what it must be able to do. */
  readonly what: string
  /** The words of one of its cells. */
  readonly sample: readonly string[]
  readonly draw: Campaign['draw']
  readonly firstSeed: number
}

/** The classes of all open campaigns, or of one, the oldest campaign first. */
export async function openWork(database: Database, campaign: number | undefined): Promise<OpenClass[]> {
  const rows = await database.run((sql) => sql<{ id: number; campaign_id: number; driver: string; system: string; needs: string[]; words: string[]; draw: Campaign['draw']; first_seed: number }[]>`
    select k.id, k.campaign_id, k.driver, k.system, k.needs, l.words, c.definition -> 'draw' as draw, c.first_seed
    from splitbrain.campaigns c join splitbrain.classes k on k.campaign_id = c.id
    cross join lateral (select words from splitbrain.cells where class_id = k.id and impossible is null order by position limit 1) l
    where c.state = 'open' ${campaign === undefined ? sql`` : sql`and c.id = ${campaign}`} order by c.id, k.id`)
  return rows.map((row) => ({ id: row.id, campaign: row.campaign_id, what: `${row.driver} runs of ${row.system}${row.needs.length === 0 ? '' : ` that need ${row.needs.join(', ')}`}`, sample: row.words, draw: row.draw, firstSeed: row.first_seed }))
}
