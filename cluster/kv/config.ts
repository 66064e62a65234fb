/**
 * What one node of the store is told: who it is, who the others are, and which of the textbook's choices it makes.
 * Validated once, where it enters; the schema's descriptions are the reference documentation.
 */
// Not `import { z }`: of a namespace, bundles take only what is used, and zod speaks fifty languages.
import * as z from 'zod'
import { bugNames } from './bugs.ts'
import { fixedMembers } from './membership/fixed.ts'
import { detectorNames, heartbeatNames } from './membership/detectors.ts'
import { levels } from './replication/levels.ts'
import { partitionerNames } from './partitioner.ts'
import { conflictRuleNames } from './siblings.ts'
import { timestampKinds } from './timestamps.ts'

const nodeId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a node is named by 1 to 64 letters, digits, "-" or "_"')

/** The choices that a preset makes and a user may override. */
export const nodeOptionsSchema = z.strictObject({
  replication: z
    .enum(['abd', 'quorum', 'paxos', 'primary', '2pc', 'paxos-commit'])
    .describe('the protocol: majority quorums with write-back, plain quorums with last-write-wins, consensus per key with compare-and-set, an elected primary that orders everything, or transactions over keys that one node each holds'),
  replicas: z.int().min(1).describe('N: how many nodes hold each key'),
  read_quorum: z.int().min(1).describe('R: how many replicas must answer a read'),
  write_quorum: z.int().min(1).describe('W: how many replicas must confirm a write'),
  read_level: z.enum(levels).optional().describe('instead of read_quorum: ANY, ONE, QUORUM ... of the replicas, as Cassandra counts'),
  write_level: z.enum(levels).optional().describe('instead of write_quorum'),
  versions: z.enum(conflictRuleNames).describe('for replication quorum, what becomes of conflicting writes: the last one wins, or they stand side by side until somebody who has read them writes again'),
  timestamps: z.enum(timestampKinds).describe('for replication quorum, what the last write wins by: wall clocks, or hybrid clocks, which never issue a timestamp before one that the node has seen'),
  speculative: z.boolean().describe('a read asks only as many replicas as it needs, the fastest so far, and the others when these are late'),
  data_centers: z.int().min(1).describe('nodes are dealt out to so many data centers, and each holds its share of the replicas'),
  racks: z.int().min(1).describe('racks in each data center; replicas go to different ones as long as there are'),
  sloppy: z.boolean().describe('hinted handoff: where a replica is down, the next node on the ring stands in for it, counts for the quorum, and hands over later'),
  read_repair: z.boolean().describe('a read gives the replicas that answered it with an older value the newest one'),
  heartbeats: z.enum(heartbeatNames).describe('how nodes hear of each other: each asks every other, or lists of heartbeats are gossiped'),
  heartbeat_interval_ms: z.number().min(0).describe('T_gossip: how often; 0: never, everyone is believed to be up'),
  failure_detector: z.enum(detectorNames).describe('what makes a node believed to be down: a silence of suspect_after_ms, or one that is unlikely after the intervals so far (phi accrual)'),
  suspect_after_ms: z.number().min(1).describe('T_fail: a node that was not heard of for this long is believed to be down'),
  phi_threshold: z.number().min(0.1).describe('for failure_detector accrual: down when the chance that a heartbeat is only late is below 10^-phi'),
  cleanup_after_ms: z.number().min(1).describe('T_cleanup: who is no member and silent for this long is struck off the list'),
  dismiss_after_ms: z.number().min(0).describe('a member that is silent for this long is let go, and others hold what it held; 0: never'),
  lease_ms: z.number().min(0).describe('for replication primary: how long a primary may answer reads after a majority has confirmed it; 0: as long as it believes to be the primary'),
  hints_max: z.int().min(0).describe('cells that a node keeps for others at most'),
  hints_ttl_ms: z.number().min(0).describe('a hint that could not be handed over for this long is dropped; 0: never'),
  sync: z.enum(['always', 'periodic', 'never']).describe('when a write is forced to the disk: before it is confirmed, every sync_interval_ms, or when the system pleases'),
  sync_interval_ms: z.number().min(1).describe('for sync periodic'),
  deadline_ms: z.number().min(1).describe('how long a coordinator waits for its quorum'),
  resend_ms: z.number().min(1).describe('how long it waits before it asks the silent replicas again'),
  anti_entropy_interval_ms: z.number().min(0).describe('every node compares itself with every other once per interval; 0: never'),
  lookup: z.enum(['ring', 'chord', 'leaf-set', 'directory']).describe('who holds a key: everyone knows the whole ring; fingers and successors; prefixes and leaf sets; or somebody keeps a table'),
  routing: z.enum(['iterative', 'recursive']).describe('the coordinator asks its way itself, or whoever is asked passes the question (with a directory: the whole operation) on'),
  lookup_interval_ms: z.number().min(1).describe('how often an overlay or a directory looks after itself'),
  hop_deadline_ms: z.number().min(1).describe('how long one node may take to answer a lookup before another way is tried'),
  directory_keepers: z.int().min(1).describe('how many nodes keep each part of the directory'),
  replace_after_ms: z.number().min(1).describe('a node that was away for this long is replaced'),
  partitioner: z.enum(partitionerNames).describe('from a key to its place on the ring: a hash, or, with range scans, the first bytes of the key itself'),
  tombstone_grace_ms: z.number().min(0).describe('what a deletion leaves behind is removed after this; must be longer than any replica is away; 0: never'),
  virtual_nodes: z.int().min(1).max(4096).describe('places of each node on the ring'),
  key_bytes_max: z.int().min(1).describe('longest key'),
  value_bytes_max: z.int().min(1).describe('longest value'),
  connections_max: z.int().min(1).describe('connections that a port has at most'),
  half_read_bytes_max: z.int().min(1).describe('bytes of half-sent commands that a port holds at most, over all its connections'),
  client_cache: z.enum(['none', 'polled', 'call-backs']).describe("each node answers its clients from a cache of its own, which asks a key's server again after cache_ms, or is told by it when the key changes"),
  cache_ms: z.number().min(1).describe('for client_cache: how long what was read is believed, or the promise of a server that was not asked since'),
  cache_entries_max: z.int().min(1).describe('keys that a client cache remembers, and keys that a server promises to call back for, at most'),
  bugs: z.array(z.enum(bugNames)).describe('planted mistakes, to test the harness with; see bugs.ts'),
  cache_bytes: z.int().min(0).describe('cells kept in memory'),
})
export type NodeOptions = z.infer<typeof nodeOptionsSchema>

/** What a user may change of a preset by name; planted bugs have a switch of their own. */
const choicesSchema = nodeOptionsSchema.omit({ bugs: true }).partial()
export type Choices = z.infer<typeof choicesSchema>

/** Reads `name=value,name=value` as choices that differ from a preset's. Throws one sentence that names every problem. */
export function parseChoices(text: string): Choices {
  const pairs = text.split(',').map(pair => pair.split('=', 2).map(word => word.trim()))
  const result = choicesSchema.safeParse(Object.fromEntries(pairs.map(([name = '', value = '']) => [name, literal(value)])))
  if (result.success) return result.data
  throw new Error(`"${text}" cannot be set: ${problemsIn(result.error)}; the options are ${Object.keys(choicesSchema.shape).join(', ')}`)
}

/** Says, a sentence each, which choices change nothing of this configuration because a level stands instead. */
export function* idleChoices(choices: Partial<NodeOptions>, config: NodeOptions): Generator<string> {
  for (const kind of ['read', 'write'] as const) {
    const level = config[`${kind}_level`]
    if (choices[`${kind}_quorum`] !== undefined && level !== undefined) yield `${kind}_quorum changes nothing, since ${kind}_level stands instead (now "${level}"); set that`
  }
}

/** Numbers, true and false are written as such; everything else is a word. */
function literal(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** The configuration of one node. */
export const nodeConfigSchema = z
  .strictObject({
    id: nodeId.describe('this node'),
    nodes: z.array(nodeId).min(1).describe('the first members of the cluster, or those that this node joins; this one included'),
    joining: z.boolean().optional().describe('whether this node joins a cluster that is there already'),
    token: z.string().min(1).describe("the run's secret: the admin port refuses anyone without it"),
    ...nodeOptionsSchema.shape,
  })
  .superRefine((config, context) => {
    for (const problem of problemsOf(config)) context.addIssue({ code: 'custom', message: problem })
  })
export type NodeConfig = z.infer<typeof nodeConfigSchema>

function* problemsOf(config: NodeOptions & { id: string; nodes: string[]; joining?: boolean | undefined }): Generator<string> {
  const { replicas, read_quorum: R, write_quorum: W } = config
  if (new Set(config.nodes).size !== config.nodes.length) yield 'nodes must be distinct'
  if (!config.nodes.includes(config.id)) yield `nodes must contain this node, "${config.id}"`
  if (replicas > config.nodes.length && config.joining !== true) yield `replicas is ${replicas}, but there are only ${config.nodes.length} nodes`
  if (R > replicas || W > replicas) yield `a quorum cannot exceed the ${replicas} replicas: read_quorum is ${R}, write_quorum is ${W}`
  if (config.sloppy && config.replication !== 'quorum') yield `a sloppy quorum goes with replication "quorum", not with "${config.replication}": its quorums need not meet`
  if ((config.read_level ?? config.write_level) !== undefined && config.replication !== 'quorum' && config.replication !== 'primary') yield `consistency levels go with replication "quorum" or "primary", not with "${config.replication}"`
  if (config.versions === 'vector-clocks' && (config.replication !== 'quorum' || config.lookup !== 'ring' || config.tombstone_grace_ms > 0)) yield 'versions "vector-clocks" go with replication "quorum", lookup "ring" and tombstone_grace_ms 0'
  if (config.client_cache !== 'none' && (config.replication !== 'abd' || replicas !== 1)) yield `a client cache has one server for each key: it goes with replication "abd" and replicas 1, not with "${config.replication}" and ${replicas}`
  if (config.write_level === 'any' && !config.sloppy) yield 'level "any" keeps writes for replicas that are down: that needs sloppy'
  if (config.lookup !== 'ring' && config.data_centers * config.racks > 1) yield `lookup "${config.lookup}" knows no data centers and racks`
  if (config.lookup !== 'ring' && config.replication !== 'quorum') yield `lookup "${config.lookup}" goes with replication "quorum": the quorums of "${config.replication}" must meet, so all coordinators must know the same ring`
  if (config.lookup !== 'ring' && config.sloppy) yield `lookup "${config.lookup}" finds other replicas by itself where some are down: it has no use for sloppy quorums`
  if (config.lookup === 'chord' && config.routing !== 'iterative') yield 'lookup "chord" is iterative'
  if (config.lookup === 'leaf-set' && config.routing !== 'recursive') yield 'lookup "leaf-set" is recursive'
  if (config.lookup === 'directory' && config.heartbeat_interval_ms === 0) yield 'a directory needs heartbeats: heartbeat_interval_ms is 0'
  if (config.dismiss_after_ms > 0 && config.heartbeat_interval_ms === 0) yield 'dismiss_after_ms needs heartbeats: heartbeat_interval_ms is 0'
  if (config.dismiss_after_ms > 0 && fixedMembers(config) !== undefined) yield `dismiss_after_ms: ${fixedMembers(config)}`
  if (config.dismiss_after_ms > 0 && config.lookup !== 'ring') yield `lookup "${config.lookup}" does without nodes that are silent by itself: it has no use for dismiss_after_ms`
  if (config.cleanup_after_ms <= config.suspect_after_ms) yield `a node is struck off before it is suspected: cleanup_after_ms is ${config.cleanup_after_ms}, suspect_after_ms ${config.suspect_after_ms}`
  if (config.tombstone_grace_ms > 0 && config.replication !== 'quorum') yield `tombstone_grace_ms goes with replication "quorum": the versions of "${config.replication}" do not tell their age`
  if (config.sloppy && config.heartbeat_interval_ms === 0) yield 'a sloppy quorum needs heartbeats: heartbeat_interval_ms is 0'
  if ((config.replication === 'abd' || config.replication === 'paxos') && R + W <= replicas) yield `${config.replication} needs read_quorum + write_quorum > replicas: ${R} + ${W} <= ${replicas}`
  if (config.replication === 'primary' && replicas !== config.nodes.length && config.joining !== true) yield `with replication "primary" every node is a replica: replicas is ${replicas}, nodes are ${config.nodes.length}`
  if (config.replication === 'primary' && !(config.read_level === config.write_level && (config.read_level === 'quorum' || config.read_level === 'one'))) yield 'with replication "primary" the number of members is not known for good: read_level and write_level are both "quorum" (synchronous backups) or both "one" (asynchronous ones)'
  if (config.replication === 'primary' && config.heartbeat_interval_ms === 0) yield 'a primary is elected by heartbeats: heartbeat_interval_ms is 0'
  if ((config.replication === '2pc' || config.replication === 'paxos-commit') && replicas !== 1) yield `with replication "${config.replication}" one node holds each key: replicas is ${replicas}`
  if (config.replication === 'paxos' && (2 * W <= replicas || 2 * R <= replicas)) yield `paxos needs majorities: read_quorum is ${R}, write_quorum is ${W}, replicas are ${replicas}`
}

/** Checks what came from outside. Throws one sentence that names every problem. */
export function parseNodeConfig(input: unknown): NodeConfig {
  const result = nodeConfigSchema.safeParse(input)
  if (result.success) return result.data
  throw new Error(`this node configuration cannot be used: ${problemsIn(result.error)}`)
}

function problemsIn({ issues }: z.ZodError): string {
  return issues.map(issue => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`)).join('; ')
}
