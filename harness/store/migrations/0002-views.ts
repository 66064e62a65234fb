/** Answers to the usual questions, for splitbrain query and everything else that speaks SQL. */
import type { Migration } from '../migrate.ts'

export const viewsMigration: Migration = {
  name: 'views',
  sql: `
create view splitbrain.cell_results as
select c.id as campaign_id, c.name as campaign, c.commit, c.created_at, l.id as cell_id, l.configuration, l.nemesis, l.driver,
  l.violated, l.decided, l.unknown, case when l.decided = 0 then null else l.violated::real / l.decided end as share, l.impossible
from splitbrain.cells l join splitbrain.campaigns c on c.id = l.campaign_id;
comment on view splitbrain.cell_results is 'every cell and how often it broke its promise';

create view splitbrain.failing_cells as
select * from splitbrain.cell_results where violated > 0;
comment on view splitbrain.failing_cells is 'which cells fail, and how often';

create view splitbrain.smallest_failures as
select distinct on (f.campaign_id, f.fingerprint) c.name as campaign, f.campaign_id, f.fingerprint, f.size, l.configuration, l.nemesis, f.seed, f.run_id, f.explanation, r.repeat
from splitbrain.findings f
join splitbrain.runs r on r.id = f.run_id
join splitbrain.cells l on l.id = f.cell_id
join splitbrain.campaigns c on c.id = f.campaign_id
order by f.campaign_id, f.fingerprint, f.size, f.operations, f.seed, l.position;
comment on view splitbrain.smallest_failures is 'the smallest failing run of each finding';

create view splitbrain.first_failures as
select distinct on (c.name, l.configuration, l.nemesis, f.fingerprint) c.name as campaign, l.configuration, l.nemesis, f.fingerprint,
  c.id as campaign_id, c.commit as since_commit, c.version as since_version, c.created_at as since,
  (select b.commit from splitbrain.cells bl join splitbrain.campaigns b on b.id = bl.campaign_id
   where b.name = c.name and b.id < c.id and bl.configuration = l.configuration and bl.nemesis = l.nemesis and bl.decided > 0
   order by b.id desc limit 1) as last_commit_without
from splitbrain.findings f
join splitbrain.cells l on l.id = f.cell_id
join splitbrain.campaigns c on c.id = f.campaign_id
order by c.name, l.configuration, l.nemesis, f.fingerprint, c.id;
comment on view splitbrain.first_failures is 'since which commit a cell fails in this way, over the campaigns of one name';

create view splitbrain.flaky_cells as
select * from splitbrain.cell_results where violated > 0 and violated < decided;
comment on view splitbrain.flaky_cells is 'what flaked: cells that broke their promise in some runs only';

create view splitbrain.unsteady_runs as
select c.name as campaign, c.commit, l.configuration, l.nemesis, r.seed,
  count(*) filter (where r.verdict = 'violated') as violated, count(*) filter (where r.verdict = 'holds') as holds
from splitbrain.runs r
join splitbrain.cells l on l.id = r.cell_id
join splitbrain.campaigns c on c.id = r.campaign_id
where r.verdict <> 'unknown'
group by c.name, c.commit, l.configuration, l.nemesis, r.seed
having count(distinct r.verdict) > 1;
comment on view splitbrain.unsteady_runs is 'one seed of one commit that held in one campaign and broke in another';

create view splitbrain.vacuous_runs as
select c.name as campaign, r.campaign_id, l.configuration, l.nemesis, r.seed, r.id as run_id, r.reason, r.repeat
from splitbrain.runs r
join splitbrain.cells l on l.id = r.cell_id
join splitbrain.campaigns c on c.id = r.campaign_id
where r.vacuous;
comment on view splitbrain.vacuous_runs is 'runs that tested too little to conclude anything';

create view splitbrain.inert_faults as
select c.name as campaign, l.configuration, l.nemesis, r.seed, w.fault, w.evidence
from splitbrain.windows w
join splitbrain.runs r on r.id = w.run_id
join splitbrain.cells l on l.id = r.cell_id
join splitbrain.campaigns c on c.id = r.campaign_id
where not w.bit;
comment on view splitbrain.inert_faults is 'faults that were not seen to bite';
`,
}
