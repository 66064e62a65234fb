/**
 * Linearizable registers with compare-and-set: CASPaxos (Rystsov, "CASPaxos: replicated state machines without logs",
 * 2018), one Paxos instance chain per key. Whoever is not a key's leader hands its operations over; see `proposer.ts`
 * and `acceptor.ts` for the protocol.
 *
 * Leader optimisation: operations on a key go to the first node of its preference list that is not believed to be
 * down. Its last accepted ballot promised it the next one, so in the steady state a write is one round trip from there
 * to a majority. Who is the leader is a matter of speed: two that both believe to be it refuse each other's ballots.
 *
 * Reads go to a majority from anywhere. When it has accepted the same ballot, that value is chosen, and no value was
 * chosen under a greater ballot before the read began. When not, the reader helps: it delivers the greatest proposal
 * that it saw once more, as its proposer itself would.
 *
 * While members change, a majority is one of the old replicas and one of the new at the same time; `take-over.ts` says
 * what else the new ones need.
 */
import { Ledger } from '../ledger.ts'
import { READ } from '../messages.ts'
import { compareVersions, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { ACCEPT, Acceptor, PREPARE, VOTES } from './acceptor.ts'
import type { Change, Outcome } from './change.ts'
import { forwarding } from './forwarding.ts'
import { PromisedBallots } from './promised-ballots.ts'
import { Proposer } from './proposer.ts'
import { tooFew } from './replication.ts'
import type { Coordinator, Replication } from './replication.ts'
import { takingOver } from './take-over.ts'
import { quorumOf } from './targets.ts'

/** Rounds in which a reader helps others' proposals through, before it has the leader order its read. */
const READ_ROUNDS = 3
/** A key whose replicas cannot become equal by themselves is read through its leader about this much later. */
const STUCK_DELAY_MS = 200

/** The Paxos protocol. */
export async function paxosReplication(coordinator: Coordinator): Promise<Replication> {
  const { self, config, clock, disk, incarnation, lists, partitioner, random, rpc, storage, suspects, timestamps } = coordinator
  const ledger = await Ledger.open(disk, 'promises', { clock, sync: config.sync === 'always' && !config.bugs.includes('forget-promises') })
  const promises = new PromisedBallots(ledger, partitioner)
  const acceptor = new Acceptor({ storage, partitioner, promises, ignoresBallots: config.bugs.includes('ignore-ballot') })
  rpc.serve(PREPARE, ([key, ballot]) => acceptor.prepare(key, ballot))
  rpc.serve(ACCEPT, ([key, cell]) => acceptor.accept(key, cell))
  rpc.serve(VOTES, stretch => acceptor.votes(stretch))
  const proposer = new Proposer({ clock, config, random: random.fork('proposer'), lists, partitioner, rpc, timestamps })
  const others = forwarding({ rpc, incarnation, writer: timestamps.writer, carryOut: (key, change) => proposer.change(key, change) })

  function order(key: string, change: Change): Promise<Outcome> {
    const replicas = lists.replicas(partitioner.token(key))
    const leader = replicas.find(node => !suspects(node)) ?? replicas[0]!
    return leader === self ? proposer.change(key, change) : others.ask(leader, [key, change])
  }

  async function read(key: string): Promise<Cell> {
    for (let round = 0; round < READ_ROUNDS; round++) {
      const answers = await rpc.gatherInView(READ, key, () => quorumOf(coordinator, key, config.read_quorum))
      if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the read', config.read_quorum, answers, config)
      const latest = answers.replies.reduce(mergeCells)
      if (answers.replies.every(cell => compareVersions(cell, latest) === 0) || config.bugs.includes('read-unchosen')) return latest
      const helped = await rpc.gatherInView(ACCEPT, [key, latest], () => quorumOf(coordinator, key, config.write_quorum))
      if (helped.complete && helped.replies.every(([accepted]) => accepted)) return latest
    }
    const { value } = await order(key, { type: 'read' })
    return { counter: 0, writer: '', value }
  }

  const stuck = new Set<string>()
  acceptor.onStuck = key => {
    if (stuck.has(key)) return
    stuck.add(key)
    clock.after(STUCK_DELAY_MS * (1 + random.float()), () => {
      stuck.delete(key)
      // Whoever cannot be reached now is told by the next round of anti-entropy.
      order(key, { type: 'settle' }).catch(() => undefined)
    })
  }

  return {
    read,
    write: async (key, value) => (await order(key, { type: 'write', value })).matched,
    cas: async (key, expected, value) => (await order(key, { type: 'cas', expected, value })).matched,
    takeOver: takingOver({
      config,
      partitioner,
      rpc,
      storage,
      settle: key => proposer.change(key, { type: 'settle' }),
      promise: async (key, ballot) => (await acceptor.prepare(key, ballot))[2],
    }),
    letGo: range => acceptor.letGo(range),
    stats: () => ({ ballots_won: proposer.ballotsWon, promises: promises.size }),
    close: () => ledger.close(),
  }
}
