/** A store with a hundred thousand runs, for looking at how its queries go about them. */
import type { Database } from '../database.ts'

/** Ten campaigns of ten cells of a thousand runs: one in ten broken in one of thirty ways, one in fifty unknown. */
export async function fillStore(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx`insert into splitbrain.campaigns (name, definition, words, version, state, first_seed) select 'c' || n % 2, '{}', '{}', '1', 'finished', 1 from generate_series(1, 10) n`
    await tx`insert into splitbrain.cells (campaign_id, position, configuration, nemesis, driver, words, limit_ms, expected_ms, next_seed, judged_to, decided, violated, unknown, elapsed_ms) select c.id, n, 'p' || n / 5, 'n' || n % 5, 'sim', '{}', 1, 1, 1001, 1001, 980, 100, 20, 1 from splitbrain.campaigns c, generate_series(0, 9) n`
    await tx`insert into splitbrain.runs (campaign_id, cell_id, seed, verdict, reason, sentence, operations, repeat, elapsed_ms, attempt, version, started_at, plan)
      select l.campaign_id, l.id, s, case when s % 10 = 0 then 'violated' when s % 50 = 7 then 'unknown' else 'holds' end, case when s % 50 = 7 and s % 10 <> 0 then 'vacuous: ' || s % 3 end, repeat('x', 200), 100 + s % 7, 'npx splitbrain run --seed ' || s, 100 + s * 7919 % 1000, 1, '1', now(), jsonb_build_object('text', repeat('plan ', 300))
      from splitbrain.cells l, generate_series(1, 1000) s`
    await tx`insert into splitbrain.findings (run_id, campaign_id, cell_id, fingerprint, judgement, size, operations, seed, explanation) select r.id, r.campaign_id, r.cell_id, 'finding ' || r.seed / 10 % 30, 'linearizable', 2 + r.seed % 5, r.operations, r.seed, repeat('y', 300) from splitbrain.runs r where r.verdict = 'violated'`
  })
  await database.run((sql) => sql`vacuum analyze`)
}
