/** Campaigns, their cells, and what every run of a cell came to. */
import type { Migration } from '../migrate.ts'

export const campaignsMigration: Migration = {
  name: 'campaigns',
  sql: `
create table splitbrain.environments (
  id bigint generated always as identity primary key,
  fingerprint text not null unique,
  host text not null,
  platform text not null,
  node text not null,
  processors text not null,
  memory_mb int not null
);
comment on table splitbrain.environments is 'machines that carried out runs';

create table splitbrain.workers (
  id uuid primary key,
  environment_id bigint not null references splitbrain.environments,
  pid int not null,
  concurrency int not null,
  doing text[] not null default '{}',
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  left_at timestamptz
);
comment on column splitbrain.workers.seen_at is 'the last sign of life; a worker that left says so in left_at';

create table splitbrain.campaigns (
  id bigint generated always as identity primary key,
  name text not null,
  definition jsonb not null,
  words text[] not null,
  version text not null,
  commit text,
  state text not null default 'open' check (state in ('open', 'paused', 'finished', 'cancelled')),
  cut text check (cut in ('budget', 'fail-fast', 'interrupted', 'cancelled')),
  seeds int,
  first_seed int not null,
  until_confidence real,
  until_width real,
  fail_fast boolean not null default false,
  deadline timestamptz,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
comment on table splitbrain.campaigns is 'matrices of configurations, faults and seeds';
comment on column splitbrain.campaigns.words is 'the command line that began it';
comment on column splitbrain.campaigns.commit is 'of the checkout in which it began';
comment on column splitbrain.campaigns.cut is 'why it ended before every cell had its seeds';
create index campaigns_by_name on splitbrain.campaigns (name, created_at desc, id desc);
create index campaigns_open on splitbrain.campaigns (id) where state = 'open';

create table splitbrain.classes (
  id bigint generated always as identity primary key,
  campaign_id bigint not null references splitbrain.campaigns on delete cascade,
  driver text not null,
  system text not null,
  needs text[] not null,
  unique (campaign_id, driver, system, needs)
);
comment on table splitbrain.classes is 'what a machine must be able to do to take a run; each has a queue of its own';

create table splitbrain.cells (
  id bigint generated always as identity primary key,
  campaign_id bigint not null references splitbrain.campaigns on delete cascade,
  position int not null,
  configuration text not null,
  nemesis text not null,
  driver text not null,
  words text[] not null,
  class_id bigint references splitbrain.classes,
  impossible text,
  limit_ms int not null,
  expected_ms int not null,
  next_seed int not null,
  decided int not null default 0,
  violated int not null default 0,
  unknown int not null default 0,
  elapsed_ms bigint not null default 0,
  judged_to int not null,
  judged_decided int not null default 0,
  judged_violated int not null default 0,
  stopped_at int,
  unique (campaign_id, position),
  unique (campaign_id, configuration, nemesis)
);
comment on table splitbrain.cells is 'one configuration under one nemesis, with its counts';
comment on column splitbrain.cells.words is 'the words of splitbrain run, without the seed';
comment on column splitbrain.cells.impossible is 'why no machine that was asked can run it';
comment on column splitbrain.cells.expected_ms is 'what the next run will take at most, by those so far';
comment on column splitbrain.cells.judged_to is 'all seeds before this one have been recorded; judged_decided and judged_violated count them';
comment on column splitbrain.cells.next_seed is 'no seed before this one is to be handed out any more';
comment on column splitbrain.cells.stopped_at is 'the seed at which enough was known: runs from there on are forgotten';

create table splitbrain.assignments (
  cell_id bigint not null references splitbrain.cells on delete cascade,
  seed int not null,
  job_id uuid not null,
  primary key (cell_id, seed)
);
comment on table splitbrain.assignments is 'runs that were handed to the queue and are not recorded yet';

create table splitbrain.runs (
  id bigint generated always as identity primary key,
  campaign_id bigint not null references splitbrain.campaigns on delete cascade,
  cell_id bigint not null references splitbrain.cells on delete cascade,
  seed int not null,
  verdict text not null check (verdict in ('holds', 'violated', 'unknown')),
  reason text,
  failed boolean not null default false,
  vacuous boolean not null default false,
  sentence text not null,
  strongest text,
  operations int not null,
  majority real,
  minority real,
  p50_ms real,
  p99_ms real,
  repeat text not null,
  plan jsonb,
  elapsed_ms int not null,
  attempt int not null,
  worker_id uuid references splitbrain.workers,
  environment_id bigint references splitbrain.environments,
  version text not null,
  commit text,
  started_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  unique (cell_id, seed)
);
comment on table splitbrain.runs is 'one seed of one cell and what it came to';
comment on column splitbrain.runs.failed is 'it could not be carried out, however often it was tried: nothing is known of the store';
comment on column splitbrain.runs.vacuous is 'too little happened to conclude anything';
comment on column splitbrain.runs.plan is 'everything that decided what it did, its schedule of faults included; splitbrain run --plan repeats it';
create index runs_of_campaign on splitbrain.runs (campaign_id, id);
create index runs_unknown on splitbrain.runs (campaign_id, reason, cell_id, seed) where verdict = 'unknown';
create index runs_slowest on splitbrain.runs (campaign_id, elapsed_ms desc, cell_id, seed);
create index runs_vacuous on splitbrain.runs (campaign_id) where vacuous;

create table splitbrain.judgements (
  run_id bigint not null references splitbrain.runs on delete cascade,
  judgement text not null,
  model text,
  verdict text not null check (verdict in ('holds', 'violated', 'unknown')),
  counts boolean not null,
  reason text,
  operations int not null,
  witnesses int not null,
  primary key (run_id, judgement)
);
comment on table splitbrain.judgements is 'what each judgement said of a run';
comment on column splitbrain.judgements.counts is 'whether the promise rests on it';

create table splitbrain.findings (
  run_id bigint not null references splitbrain.runs on delete cascade,
  campaign_id bigint not null references splitbrain.campaigns on delete cascade,
  cell_id bigint not null references splitbrain.cells on delete cascade,
  fingerprint text not null,
  judgement text not null,
  size int not null,
  operations int not null,
  seed int not null,
  explanation text not null,
  witness jsonb,
  primary key (run_id, fingerprint)
);
comment on table splitbrain.findings is 'what broke a promise; equal fingerprints look alike';
comment on column splitbrain.findings.size is 'operations in the smallest witness';
create index findings_smallest on splitbrain.findings (campaign_id, fingerprint, size, operations, seed, cell_id);
create index findings_of_cell on splitbrain.findings (cell_id, size, operations, seed);

create table splitbrain.windows (
  run_id bigint not null references splitbrain.runs on delete cascade,
  position int not null,
  fault text not null,
  targets text[] not null,
  from_ms real not null,
  to_ms real not null,
  healed_ms real,
  bit boolean not null,
  evidence text not null,
  attempted int,
  ok int,
  p50_ms real,
  p99_ms real,
  primary key (run_id, position)
);
comment on table splitbrain.windows is 'faults from injection to heal, with what clients got meanwhile';
create index windows_inert on splitbrain.windows (run_id) where not bit;

create table splitbrain.contents (
  sha256 text not null,
  part int not null,
  bytes bytea not null,
  primary key (sha256, part)
);
comment on table splitbrain.contents is 'compressed files of runs, in parts; empty where a folder keeps them';

create table splitbrain.artifacts (
  run_id bigint not null references splitbrain.runs on delete cascade,
  name text not null,
  sha256 text not null,
  bytes bigint not null,
  stored_bytes bigint not null,
  place text not null,
  primary key (run_id, name)
);
comment on table splitbrain.artifacts is 'files that were kept of runs';
comment on column splitbrain.artifacts.name is 'the path in the run''s folder: history.jsonl, nodes/n1.log';
comment on column splitbrain.artifacts.sha256 is 'of the file before it was compressed';
comment on column splitbrain.artifacts.place is '"database", or the folder that keeps it';
create index artifacts_by_content on splitbrain.artifacts (sha256);
`,
}
