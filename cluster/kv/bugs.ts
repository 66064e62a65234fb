/**
 * Planted bugs: known mistakes of replicated stores, each a switch at the place where it is typically made. They test
 * the harness: what finds each of them, in how many runs, how soon. Off unless named in the configuration's `bugs`,
 * and a node that has one says so in its log.
 */

/** Of a node's configuration, what says which parts of the store it has. */
interface Chosen {
  readonly replication: string
  readonly sloppy: boolean
}

/** The parts of the store that make mistakes, and whether a node with this configuration has them. */
const parts = {
  abd: ({ replication }) => replication === 'abd',
  paxos: ({ replication }) => replication === 'paxos',
  primary: ({ replication }) => replication === 'primary',
  transactions: ({ replication }) => replication === '2pc' || replication === 'paxos-commit',
  '2pc': ({ replication }) => replication === '2pc',
  'hinted handoff': ({ sloppy }) => sloppy,
  'every write': () => true,
  storage: () => true,
} as const satisfies Record<string, (chosen: Chosen) => boolean>

/** A planted bug. */
interface Planted {
  /** The part of the store that makes the mistake. */
  readonly where: keyof typeof parts
  /** The judgement that finds it. */
  readonly breaks: string
  readonly meaning: string
  /** Options of `splitbrain run` under which it shows: what to start, what to do to it, and what clients do meanwhile. */
  readonly shows: Readonly<Record<string, string>>
}

/** Few keys make every operation meet others. */
const FEW = 'register(keys=4,read-share=0.6)'
const MANY = 'register(keys=50)'
/** Enough transactions at once that some are between their vote and their decision when nodes die. */
const TRANSACTIONS = { workload: 'append(keys=30)', clients: '40' }
const SLOW_LINKS = 'delay(all,ms=100,jitter_ms=20),for=healed'

/** The bugs by name. */
export const bugs = {
  'no-write-back': { where: 'abd', breaks: 'linearizable', meaning: 'a read returns what it found without storing it at a quorum: a later read may find less', shows: { preset: 'abd', nemesis: 'lose(all)', workload: FEW } },
  'read-one-replica': { where: 'abd', breaks: 'linearizable', meaning: 'a read is content with the first replica that answers', shows: { preset: 'abd', nemesis: 'partition', workload: FEW } },
  'ack-before-replicating': { where: 'abd', breaks: 'linearizable', meaning: 'a write is confirmed as soon as one replica has it', shows: { preset: 'abd', nemesis: 'partition', workload: FEW } },
  'wall-clock-versions': { where: 'abd', breaks: 'linearizable', meaning: 'versions come from the wall clock of the coordinator, not from the versions that it saw', shows: { preset: 'abd', nemesis: 'clock-skew(one)', workload: FEW } },
  'ignore-ballot': { where: 'paxos', breaks: 'linearizable', meaning: 'an acceptor accepts under a ballot below the one that it has promised', shows: { preset: 'paxos', nemesis: 'partition(bridge)', workload: 'cas-register(keys=4)' } },
  'forget-promises': { where: 'paxos', breaks: 'linearizable', meaning: 'promises are not forced to the disk', shows: { preset: 'paxos', nemesis: 'partition(bridge),for=healed,power-loss(majority),every=700ms,for=100ms', workload: 'cas-register(keys=10)', clients: '30', rate: '600' } },
  'accept-minority': { where: 'paxos', breaks: 'linearizable', meaning: 'an operation is done as soon as one acceptor accepted it', shows: { preset: 'paxos', nemesis: 'partition', workload: FEW } },
  'read-unchosen': { where: 'paxos', breaks: 'linearizable', meaning: 'a read returns what was proposed but not yet chosen', shows: { preset: 'paxos', nemesis: 'lose(all)', workload: FEW } },
  'trust-stale-lease': { where: 'primary', breaks: 'linearizable', meaning: 'a primary answers reads although its lease has ended', shows: { preset: 'primary-sync', nemesis: 'partition(primaries)', workload: FEW } },
  'two-primaries': { where: 'primary', breaks: 'linearizable', meaning: 'a primary that hears of a later epoch goes on, and replicas take its writes', shows: { preset: 'primary-sync', nemesis: 'partition(primaries)', workload: FEW } },
  'skip-recovery': { where: 'primary', breaks: 'linearizable', meaning: 'a new primary starts from what it has itself, not from what a majority has', shows: { preset: 'primary-sync', nemesis: 'partition(majorities-ring),for=healed,kill(primaries),every=3s,for=1s', workload: FEW } },
  'ack-before-backups': { where: 'primary', breaks: 'linearizable', meaning: 'a synchronous primary confirms before its backups have', shows: { preset: 'primary-sync', nemesis: 'partition(primaries)', workload: FEW } },
  'forget-votes': { where: 'transactions', breaks: 'transactions', meaning: 'a participant votes to commit without a note on its disk', shows: { preset: '2pc', nemesis: `${SLOW_LINKS},kill(minority),every=4s,for=500ms`, ...TRANSACTIONS } },
  'unlogged-decision': { where: '2pc', breaks: 'transactions', meaning: 'a coordinator tells its client of a commit that it has no note of', shows: { preset: '2pc', nemesis: `${SLOW_LINKS},kill(all),every=4s,for=500ms`, ...TRANSACTIONS } },
  'early-release': { where: 'transactions', breaks: 'transactions', meaning: 'a participant gives its locks back when it votes, not when it hears the decision', shows: { preset: '2pc', nemesis: 'none', workload: 'append' } },
  'no-read-locks': { where: 'transactions', breaks: 'bank', meaning: 'a transaction over several nodes does not lock what it only reads', shows: { preset: '2pc', nemesis: 'none', workload: 'bank' } },
  'definite-lie': { where: 'every write', breaks: 'linearizable', meaning: 'a write that missed its quorum is said to have certainly failed', shows: { preset: 'abd', nemesis: 'partition', workload: FEW } },
  'ack-before-disk': { where: 'storage', breaks: 'linearizable', meaning: 'a replica confirms a write that is only in its memory', shows: { preset: 'one', nodes: '1', nemesis: 'power-loss(all),every=500ms,for=50ms', workload: 'register(keys=50,read-share=0.5)', clients: '20', rate: '1500', expect: 'linearizable' } },
  'skip-fsync': { where: 'storage', breaks: 'linearizable', meaning: 'sync "always" leaves the disk to the system', shows: { preset: 'abd', nemesis: 'power-loss(all)', workload: MANY } },
  'forget-tombstones': { where: 'storage', breaks: 'set-full', meaning: 'a deletion leaves nothing behind that could stop an older value from coming back', shows: { preset: 'one', nemesis: 'partition(one)', workload: 'set-delete' } },
  'last-arrival-wins': { where: 'storage', breaks: 'linearizable', meaning: 'a replica keeps what came last, not what was written last', shows: { preset: 'abd', nemesis: 'delay(all)', workload: FEW } },
  'forget-hints': { where: 'hinted handoff', breaks: 'durability', meaning: 'what was kept for a replica that was down is never handed over', shows: { preset: 'dynamo', nemesis: 'partition,for=healed', workload: MANY } },
} as const satisfies Record<string, Planted>

export type Bug = keyof typeof bugs

export const bugNames = Object.keys(bugs) as [Bug, ...Bug[]]

/** Why a bug could do nothing in a node with this configuration, so that a run with it would say nothing; undefined when it can. */
export function bugProblem(bug: Bug, chosen: Chosen): string | undefined {
  const { where } = bugs[bug]
  return parts[where](chosen) ? undefined : `the bug ${bug} is a mistake of ${where}, which is not in use here`
}
