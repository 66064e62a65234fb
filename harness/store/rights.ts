/**
 * The rights of a worker's role, and no more: it reads everything, records runs and files, counts in cells, and takes
 * jobs. It can make no tables and remove no campaign, and what was recorded it can only forget where a cell of which
 * enough is known has surplus runs.
 */
import type { Database } from './database.ts'
import { QUEUE_SCHEMA } from './queue.ts'

const grants = [
  'usage on schema splitbrain',
  `usage on schema ${QUEUE_SCHEMA}`,
  'select on all tables in schema splitbrain',
  `select on all tables in schema ${QUEUE_SCHEMA}`,
  'insert on splitbrain.environments, splitbrain.workers, splitbrain.runs, splitbrain.judgements, splitbrain.findings, splitbrain.windows, splitbrain.artifacts, splitbrain.contents, splitbrain.assignments',
  'update on splitbrain.workers, splitbrain.cells',
  'update (state, cut, ended_at) on splitbrain.campaigns',
  'delete on splitbrain.assignments, splitbrain.runs',
  `insert, update, delete on ${QUEUE_SCHEMA}.job, ${QUEUE_SCHEMA}.archive`,
]

/** Grants them. The role's name is quoted, whatever is in it. */
export async function grantWorker(database: Database, role: string): Promise<void> {
  await database.transaction(async (tx) => {
    for (const rights of grants) await tx`grant ${tx.unsafe(rights)} to ${tx(role)}`
  })
}
