/**
 * Planted bugs: known mistakes of replicated stores, each a switch at the place where it is typically made. They test
 * the harness: what finds each of them, in how many runs, how soon. Off unless named in the configuration's `bugs`,
 * and a node that has one says so in its log.
 */

/** The bugs by name: what goes wrong, and which judgement should see it. */
export const bugs = {
  'no-write-back': { where: 'abd', breaks: 'linearizable', meaning: 'a read returns what it found without storing it at a quorum: a later read may find less' },
  'read-one-replica': { where: 'abd', breaks: 'linearizable', meaning: 'a read is content with the first replica that answers' },
  'ack-before-replicating': { where: 'abd', breaks: 'linearizable', meaning: 'a write is confirmed as soon as one replica has it' },
  'wall-clock-versions': { where: 'abd', breaks: 'linearizable', meaning: 'versions come from the wall clock of the coordinator, not from the versions that it saw' },
  'ignore-ballot': { where: 'paxos', breaks: 'linearizable', meaning: 'an acceptor accepts under a ballot below the one that it has promised' },
  'forget-promises': { where: 'paxos', breaks: 'linearizable', meaning: 'promises are not forced to the disk' },
  'accept-minority': { where: 'paxos', breaks: 'linearizable', meaning: 'an operation is done as soon as one acceptor accepted it' },
  'read-unchosen': { where: 'paxos', breaks: 'linearizable', meaning: 'a read returns what was proposed but not yet chosen' },
  'trust-stale-lease': { where: 'primary', breaks: 'linearizable', meaning: 'a primary answers reads although its lease has ended' },
  'two-primaries': { where: 'primary', breaks: 'linearizable', meaning: 'a primary that hears of a later epoch goes on, and replicas take its writes' },
  'skip-recovery': { where: 'primary', breaks: 'linearizable', meaning: 'a new primary starts from what it has itself, not from what a majority has' },
  'ack-before-backups': { where: 'primary', breaks: 'linearizable', meaning: 'a synchronous primary confirms before its backups have' },
  'forget-votes': { where: '2pc', breaks: 'linearizable', meaning: 'a participant votes to commit without a note on its disk' },
  'unlogged-decision': { where: '2pc', breaks: 'linearizable', meaning: 'a coordinator tells its client of a commit that it has no note of' },
  'early-release': { where: '2pc', breaks: 'linearizable', meaning: 'a participant gives its locks back when it votes, not when it hears the decision' },
  'no-read-locks': { where: '2pc', breaks: 'serializable', meaning: 'a transaction over several nodes does not lock what it only reads' },
  'definite-lie': { where: 'every write', breaks: 'linearizable', meaning: 'a write that missed its quorum is said to have certainly failed' },
  'ack-before-disk': { where: 'storage', breaks: 'durability', meaning: 'a replica confirms a write that is only in its memory' },
  'skip-fsync': { where: 'storage', breaks: 'durability', meaning: 'sync "always" leaves the disk to the system' },
  'forget-tombstones': { where: 'storage', breaks: 'convergence', meaning: 'a deletion leaves nothing behind that could stop an older value from coming back' },
  'last-arrival-wins': { where: 'storage', breaks: 'convergence', meaning: 'a replica keeps what came last, not what was written last' },
  'forget-hints': { where: 'hinted handoff', breaks: 'durability', meaning: 'what was kept for a replica that was down is never handed over' },
} as const satisfies Record<string, { readonly where: string; readonly breaks: string; readonly meaning: string }>

export type Bug = keyof typeof bugs

export const bugNames = Object.keys(bugs) as [Bug, ...Bug[]]
