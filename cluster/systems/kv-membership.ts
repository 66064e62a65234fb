/**
 * How members of our own store come and go: the members agree on it among themselves (`kv/membership/`), so any of them
 * is asked to begin, and then all are asked until it is done. In an overlay whoever lives leaves by itself, and is asked to.
 */
import { sleep } from '../../harness/clock.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster, Node } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import type { MembersReply } from '../kv/membership/commands.ts'
import type { Reply } from '../kv/resp.ts'
import type { SystemMembership } from '../system.ts'
import { ReplyError } from './resp-connection.ts'

/** Asks one node's admin port. Rejects when it does not answer in time. */
export type AskAdmin = (cluster: Cluster, node: NodeId, words: readonly string[], deadlineMs: number) => Promise<Reply>

/** How long one node may take to answer. */
const ASK_DEADLINE_MS = 3_000
const RETRY_MS = 100
/** How long a node that left may take to hand over what it still keeps. */
const HAND_OVER_MS = 5_000

/** What membership is made of. */
export interface KvMembershipOptions {
  readonly ask: AskAdmin
  /** How many cells a node still has to hand over. */
  readonly left: (cluster: Cluster, node: NodeId, deadlineMs: number) => Promise<number>
  /** Whether a node that runs is asked itself to leave, as in overlays; otherwise the others let it go. */
  readonly leavesItself: boolean
}

/** Membership of our own store. */
export function kvMembership({ ask, left, leavesItself }: KvMembershipOptions): SystemMembership {
  const membersOf = async (cluster: Cluster, asked: NodeId, deadlineMs: number): Promise<MembersReply> => {
    const reply = await ask(cluster, asked, ['MEMBERS'], deadlineMs)
    return JSON.parse(Buffer.from(reply as Uint8Array).toString()) as MembersReply
  }

  /** All but these. */
  const others = (...except: readonly NodeId[]) => async ({ nodes }: Cluster): Promise<readonly Node[]> => nodes.filter(({ id }) => !except.includes(id))

  /** Who can let a node go. */
  const dismissers = (node: NodeId) => async (cluster: Cluster): Promise<readonly Node[]> => {
    const own = cluster.nodes.find(({ id }) => id === node)
    return leavesItself && (await own?.state()) === 'running' ? [own!] : others(node)(cluster)
  }

  /**
   * Asks one after the other of those who can do it until one has begun the change; those that cannot be reached, or are busy
   * with another one, are asked again. Resolves to the epoch of a view that knows of it; an overlay has no views.
   */
  async function begin(cluster: Cluster, words: readonly string[], who: (cluster: Cluster) => Promise<readonly Node[]>, deadlineMs: number): Promise<number> {
    const end = cluster.clock.now() + deadlineMs * 1e6
    let last: unknown = new ClusterError('no-member', 'there is no other member to ask')
    for (;;) {
      for (const { id } of await who(cluster)) {
        try {
          await ask(cluster, id, words, ASK_DEADLINE_MS)
          return leavesItself ? 0 : (await membersOf(cluster, id, ASK_DEADLINE_MS)).epoch
        } catch (error) {
          if (error instanceof ReplyError && error.code === 'ERR') throw error
          last = error
        }
      }
      if (cluster.clock.now() > end) throw last
      await sleep(cluster.clock, RETRY_MS)
    }
  }

  /**
   * Waits until some member says that it is in a view of this epoch or a later one, in which no change is under way, and in
   * which `node` is a member or not. One that was cut off may say so of a view that was left long ago.
   */
  async function done(cluster: Cluster, node: NodeId, isMember: boolean, since: number, deadlineMs: number): Promise<void> {
    const end = cluster.clock.now() + deadlineMs * 1e6
    for (;;) {
      for (const { id } of cluster.nodes.filter((one) => one.id !== node)) {
        const seen = await membersOf(cluster, id, ASK_DEADLINE_MS).catch(() => undefined)
        if (seen !== undefined && seen.epoch >= since && seen.next === null && seen.members.includes(node) === isMember) return
      }
      if (cluster.clock.now() > end) throw new ClusterError('not-done', `${node} is ${isMember ? 'not yet' : 'still'} a member after ${deadlineMs} ms: what moves is not where it should be`)
      await sleep(cluster.clock, RETRY_MS)
    }
  }

  /** Waits a while for a node that is alive to give away what it still keeps. */
  async function handedOver(cluster: Cluster, node: NodeId): Promise<void> {
    const end = cluster.clock.now() + HAND_OVER_MS * 1e6
    while (cluster.clock.now() < end) {
      const cells = await left(cluster, node, ASK_DEADLINE_MS).catch(() => 0)
      if (cells === 0) return
      await sleep(cluster.clock, RETRY_MS)
    }
  }

  return {
    admit: async (cluster, node, deadlineMs) => {
      await begin(cluster, ['ADMIT', node], others(node), deadlineMs)
    },
    dismiss: async (cluster, node, deadlineMs) => {
      const since = await begin(cluster, ['DISMISS', node], dismissers(node), deadlineMs)
      await done(cluster, node, false, since, deadlineMs)
      await handedOver(cluster, node)
    },
    replace: async (cluster, gone, fresh, deadlineMs) => {
      // In an overlay nobody stands where another stood: one goes, dead or not, and another comes.
      if (leavesItself) await begin(cluster, ['DISMISS', gone], dismissers(gone), deadlineMs)
      else await begin(cluster, ['REPLACE', gone, fresh], others(gone, fresh), deadlineMs)
    },
    settled: (cluster, node, deadlineMs) => done(cluster, node, true, 0, deadlineMs),
    members: async (cluster, asked, deadlineMs) => {
      const { members, next } = await membersOf(cluster, asked, deadlineMs)
      if (next !== null) throw new ClusterError('changing', `${asked} says that a change of members is under way`)
      return members
    },
  }
}
