/**
 * Verdicts: what every judgement returns, and the one document that a run's `verdict.json` holds.
 *
 * Three words everywhere: *violated* (with a witness), *holds* (not refuted, and the checker was complete),
 * *unknown* (with the reason: time, memory, vacuous). When verdicts are merged, violated outranks unknown,
 * and unknown outranks holds. Reports, exit codes, JUnit and the terminal read this document and nothing else.
 */
import { z } from 'zod'

/**
 * The models, strongest first. They form a partial order (see `checker/ladder.ts`); where that leaves two of them
 * side by side, a report names the one that stands first here. `eventual` is convergence after the faults are healed
 * and writing has stopped.
 */
export const models = [
  'linearizable',
  'sequential',
  'regular',
  'causal-convergence',
  'causal-memory',
  'causal',
  'weak-causal',
  'pram',
  'read-your-writes',
  'monotonic-reads',
  'monotonic-writes',
  'writes-follow-reads',
  'safe',
  'eventual',
] as const
export type Model = (typeof models)[number]

/** The isolation levels of transactions, stronger before weaker (see `checker/transactions/levels.ts`). */
export const isolationLevels = [
  'strict-serializable',
  'strong-snapshot-isolation',
  'strong-session-serializable',
  'strong-session-snapshot-isolation',
  'serializable',
  'repeatable-read',
  'snapshot-isolation',
  'parallel-snapshot-isolation',
  'causal',
  'strong-session-read-atomic',
  'strong-session-read-committed',
  'read-atomic',
  'monotonic-atomic-view',
  'read-committed',
  'read-uncommitted',
] as const
export type IsolationLevel = (typeof isolationLevels)[number]

export const verdictWord = z.enum(['holds', 'violated', 'unknown'])
export type VerdictWord = z.infer<typeof verdictWord>

/** Merges verdicts: violated > unknown > holds; nothing at all is unknown. */
export function mergeVerdicts(words: Iterable<VerdictWord>): VerdictWord {
  let merged: VerdictWord | undefined
  for (const word of words) {
    if (word === 'violated') return 'violated'
    if (merged === undefined || word === 'unknown') merged = word
  }
  return merged ?? 'unknown'
}

/** The smallest set of operations found that breaks a model by itself. */
export const witnessSchema = z.strictObject({
  key: z.json().optional().describe('the key, for workloads over several'),
  operations: z.array(z.int()).describe('rows of the invocations in history.jsonl, in order of invocation'),
  explanation: z.string().describe('why these operations cannot be, in plain words'),
  edges: z.array(z.strictObject({
    from: z.int().describe('row of the invocation that must come first'),
    to: z.int().describe('row of the invocation that must come after'),
    kind: z.enum(['ww', 'wr', 'rw', 'process', 'realtime', 'forced']).describe('overwrites, reads from, did not see, same process, real time, forced by what a reader saw'),
    because: z.string().describe('the reason in plain words'),
  })).optional().describe('of a cycle of transactions: its dependencies in order; each ends where the next begins'),
})
export type Witness = z.infer<typeof witnessSchema>

/** What one judgement concluded. */
export const judgementVerdictSchema = z.strictObject({
  judgement: z.string().describe('the judgement: "linearizable", "convergence", ...'),
  model: z.enum(models).optional().describe('the rung of the ladder that it decides, if any'),
  binding: z.boolean().optional().describe("whether the promise rests on it beside the promised rung: the workload's own object"),
  verdict: verdictWord,
  reason: z.string().optional().describe('why unknown: "time limit of 60 s", "vacuous: no read succeeded", ...'),
  summary: z.string().describe('one sentence for a person'),
  operations: z.int().describe('how many operations it looked at'),
  witnesses: z.array(witnessSchema).describe('smallest first; empty unless violated'),
  metrics: z.record(z.string(), z.json()).describe("the judgement's own numbers; units last in each name"),
})
export type JudgementVerdict = z.infer<typeof judgementVerdictSchema>

/** One fault, from its verified injection to its verified heal. Times are nanoseconds of the history's clock. */
export const faultWindowSchema = z.strictObject({
  id: z.int(),
  fault: z.string().describe('as in the schedule: "partition(majority-minority)"'),
  from_ns: z.number().describe('the injection was observed to bite'),
  to_ns: z.number().describe('the heal began (end of the history when it never did)'),
  healed_ns: z.number().nullable().describe('the heal was observed'),
  bit: z.boolean(),
  evidence: z.string().describe('what was observed'),
  targets: z.array(z.string()).describe('node ids'),
  sides: z.record(z.string(), z.array(z.string())).describe('for partitions: side name ("majority", "minority", "left", ...) -> node ids; empty otherwise'),
})
export type FaultWindow = z.infer<typeof faultWindowSchema>

/** Availability of a group of nodes during a period: operations invoked and completed within it. */
export const availabilitySchema = z.strictObject({
  period: z.string().describe('"all", "healthy", a fault window ("1:partition(majority-minority)"), or the healthy time beside one ("before 1:kill(one)", "after 1:kill(one)")'),
  group: z.string().describe('"all", a side of the partition, "struck" and "others" around other faults, or a node id'),
  attempted: z.int(),
  ok: z.int(),
  fail: z.int(),
  info: z.int(),
  share: z.number().nullable().describe('ok / attempted; null when nothing was attempted'),
})
export type Availability = z.infer<typeof availabilitySchema>

/** Latency of ok operations, from the intended start. */
export const latencySchema = z.strictObject({
  period: z.string(),
  group: z.string(),
  f: z.string().describe('function, or "all"'),
  count: z.int(),
  p50_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
  p999_ms: z.number().nullable(),
  max_ms: z.number().nullable(),
})
export type Latency = z.infer<typeof latencySchema>

/** One rung of the ladder. `by` tells how it was decided: by its own judgement, or implied by another rung. */
export const rungSchema = z.strictObject({
  model: z.enum(models),
  verdict: verdictWord,
  by: z.string().describe('a judgement name, or "implied by <model>", or "not judged"'),
})
export type Rung = z.infer<typeof rungSchema>

/** What was run: everything that a person needs to repeat it. */
export const runDescriptionSchema = z.strictObject({
  name: z.string(),
  started: z.string().describe('ISO 8601; in the simulator the virtual epoch'),
  system: z.string(),
  preset: z.string().nullable(),
  workload: z.string(),
  driver: z.string(),
  nodes: z.array(z.string()),
  clients: z.int(),
  time_ms: z.number(),
  seed: z.int(),
  version: z.string(),
  repeat: z.string().describe('the command that repeats the run'),
})
export type RunDescription = z.infer<typeof runDescriptionSchema>

/** What transactions allow: one verdict for every isolation level (see `checker/transactions/levels.ts`). */
export const isolationSchema = z.strictObject({
  promised: z.enum(isolationLevels).describe('the level that the system promises'),
  levels: z.record(z.enum(isolationLevels), verdictWord).describe('level -> verdict, strongest first'),
  strongest: z.array(z.enum(isolationLevels)).describe('the strongest levels that hold; several where none implies the other'),
  not: z.array(z.enum(isolationLevels)).describe('the weakest levels that are refuted'),
  also_not: z.array(z.enum(isolationLevels)).describe('every stronger level'),
  anomalies: z.record(z.string(), z.int()).describe('anomaly ("G-single", "lost-update", ...) -> how many were found'),
})
export type IsolationSection = z.infer<typeof isolationSchema>

/** What each node counted of its own work: node id -> name -> number. Names are the store's (`hints_kept`). */
export const countersSchema = z.record(z.string(), z.record(z.string(), z.number()))
export type Counters = z.infer<typeof countersSchema>

/** `verdict.json`. */
export const verdictDocumentSchema = z.strictObject({
  schema: z.literal('splitbrain-verdict/1'),
  verdict: verdictWord.describe('of what was promised: the merge of the judgements that the promise rests on'),
  reason: z.string().optional().describe('why the verdict, or that of the promise, is unknown'),
  sentence: z.string().describe('the verdict in words, for a person'),
  promised: z.enum(models).describe('the model that the run was judged against'),
  expected: z.boolean().optional().describe('true: that model was asked for (--expect), whatever the system promises; absent: the system promises it'),
  promise_verdict: verdictWord.optional().describe('of that model and what belongs to it, without what was asked for beside it (--slo, --log-pattern); absent in older documents'),
  loses_writes: z.boolean().optional().describe('true: the system does not promise to keep acknowledged writes under what happened in this run, so their loss is shown and not counted'),
  truncated: z.boolean().optional().describe('true: the history ends in the middle of a line, because its writer was killed; the whole lines before it were judged'),
  strongest: z.enum(models).nullable().describe('the strongest model that holds; null when none does'),
  run: runDescriptionSchema.nullable().describe('null for an imported history'),
  operations: z.strictObject({ invoked: z.int(), ok: z.int(), fail: z.int(), info: z.int() }),
  ladder: z.array(rungSchema),
  isolation: isolationSchema.optional().describe('where clients carried out transactions'),
  judgements: z.array(judgementVerdictSchema),
  faults: z.array(faultWindowSchema),
  availability: z.array(availabilitySchema),
  latency: z.array(latencySchema),
  counters: countersSchema.optional().describe('what the nodes that answered at the end counted since their last start (hints, repairs, elections): evidence of what was at work, never judged; absent where nobody was asked'),
  convergence: z.strictObject({
    agreed: z.boolean().nullable().describe('null: replicas were not read'),
    time_to_converge_ms: z.number().nullable().describe('from the last heal to the first moment from which all replicas agree on every key; null when they never did'),
    keys: z.int(),
    diverged_keys: z.int(),
  }),
  durability: z.strictObject({
    acknowledged: z.int().describe('writes acknowledged'),
    lost: z.int().describe('acknowledged writes that are gone although what remains at the end had taken effect before they began'),
  }),
})
export type VerdictDocument = z.infer<typeof verdictDocumentSchema>
