/**
 * A campaign as lines of JSON: what its runs came to, and nothing that depends on when, where or by whom they were
 * made. Two campaigns of simulated runs that did the same are equal byte for byte, whatever interrupted them.
 */
import type { Database } from './database.ts'

const BATCH = 500

/** The runs in the order of cells and seeds, a line each, without the line's end. */
export async function* exportRuns(database: Database, campaign: number): AsyncGenerator<string> {
  const cells = await database.run((sql) => sql<{ id: number }[]>`select id from splitbrain.cells where campaign_id = ${campaign} order by position`)
  for (const { id } of cells) {
    for (let from = -1; ;) {
      const rows = await database.run((sql) => sql<{ seed: number; line: string }[]>`
        select r.seed, json_build_object('configuration', l.configuration, 'nemesis', l.nemesis, 'seed', r.seed, 'verdict', r.verdict, 'reason', r.reason, 'sentence', r.sentence, 'strongest', r.strongest,
          'operations', r.operations, 'majority', r.majority, 'minority', r.minority, 'p50_ms', r.p50_ms, 'p99_ms', r.p99_ms, 'repeat', r.repeat,
          'findings', coalesce((select json_agg(json_build_object('judgement', f.judgement, 'fingerprint', f.fingerprint, 'size', f.size, 'explanation', f.explanation, 'witness', f.witness) order by f.fingerprint) from splitbrain.findings f where f.run_id = r.id), '[]'),
          'judgements', coalesce((select json_object_agg(j.judgement, j.verdict order by j.judgement) from splitbrain.judgements j where j.run_id = r.id), '{}'),
          'windows', coalesce((select json_agg(json_build_object('fault', w.fault, 'targets', w.targets, 'from_ms', w.from_ms, 'to_ms', w.to_ms, 'healed_ms', w.healed_ms, 'bit', w.bit, 'attempted', w.attempted, 'ok', w.ok) order by w.position) from splitbrain.windows w where w.run_id = r.id), '[]'),
          'history_sha256', (select a.sha256 from splitbrain.artifacts a where a.run_id = r.id and a.name = 'history.jsonl'))::text as line
        from splitbrain.runs r join splitbrain.cells l on l.id = r.cell_id where r.cell_id = ${id} and r.seed > ${from} order by r.seed limit ${BATCH}`)
      for (const { line } of rows) yield line
      if (rows.length < BATCH) break
      from = rows.at(-1)!.seed
    }
  }
}
