/** How far a campaign is, in a few counts: cheap enough to be asked twice a second. */
import type { CampaignProgress } from '../../reports/campaign/events.ts'
import type { CellCounts } from '../../reports/campaign/summary.ts'
import { presentWorkers } from './workers.ts'
import type { Database } from './database.ts'

/** The counts of a campaign. */
export async function progressOf(database: Database, campaign: number): Promise<Pick<CampaignProgress, 'cells' | 'done' | 'total' | 'workers'>> {
  const cells = await database.run((sql) => sql<(CellCounts & { wanted: number | null })[]>`
    select l.configuration, l.nemesis, l.decided, l.violated, l.unknown, l.stopped_at is not null as stopped, l.impossible,
      case when c.state = 'open' then (select count(*) from splitbrain.assignments a where a.cell_id = l.id) else 0 end as pending,
      case when l.impossible is not null then 0 when l.stopped_at is not null then l.decided + l.unknown else c.seeds end as wanted
    from splitbrain.cells l join splitbrain.campaigns c on c.id = l.campaign_id where c.id = ${campaign} order by l.position`)
  const workers = await presentWorkers(database)
  const total = cells.some(({ wanted }) => wanted === null) ? null : cells.reduce((sum, { wanted }) => sum + wanted!, 0)
  return {
    cells: cells.map(({ configuration, nemesis, decided, violated, unknown, pending, stopped, impossible }) => ({ configuration, nemesis, decided, violated, unknown, pending, stopped, impossible })),
    done: cells.reduce((sum, { decided, unknown }) => sum + decided + unknown, 0),
    total,
    workers: workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
  }
}
