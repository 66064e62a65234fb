/**
 * Clusters whose members change under load: a machine joins, a member leaves (decommissioned: it hands over first), a dead
 * one is replaced. That is when stores move data and count votes anew, and when many of them lose either.
 *
 * Seen from inside: every other running member is asked who the members are.
 */
import type { Cluster, ClusterMembership, Node } from '../cluster/cluster.ts'
import type { NodeId } from '../harness/env.ts'
import { pick } from '../harness/random.ts'
import type { Fault, Injection, InjectOptions, Observation } from './fault.ts'
import { untilSeen } from './observe.ts'
import { HalfInjected, strikeOrHeal, type Undo } from './strike.ts'
import { selectorNames, selectorProblem } from './targets.ts'

/** How long one change of members may take: data may have to move. */
const CHANGE_DEADLINE_MS = 30_000
const ASK_DEADLINE_MS = 2_000
const SEEN_DEADLINE_MS = 15_000

/** Who is to be a member, and who is not. */
type Members = Readonly<Record<NodeId, boolean>>

/** Who is a member, and who not, as far as this controller knows. */
function membersNow(cluster: Cluster, membership: ClusterMembership): Members {
  return Object.fromEntries([...cluster.nodes.map(({ id }) => [id, true] as const), ...membership.spares.map((id) => [id, false] as const)])
}

/** Whom a member takes for members; undefined where it does not say. */
interface Saying {
  readonly id: NodeId
  readonly members: readonly NodeId[] | undefined
}

/** What each running member says. */
async function sayings(cluster: Cluster, membership: ClusterMembership): Promise<Saying[]> {
  const states = await Promise.all(cluster.nodes.map(async (node) => ({ id: node.id, state: await node.state() })))
  const running = states.filter(({ state }) => state === 'running').map(({ id }) => id)
  return Promise.all(running.map(async (id) => ({ id, members: await membership.members(id, ASK_DEADLINE_MS).catch(() => undefined) })))
}

/** Whether everybody is a member who is to be, and nobody else, as the others say; and whether those of `targets` answer that are to. */
async function look(cluster: Cluster, membership: ClusterMembership, wanted: Members, targets: readonly NodeId[]): Promise<Observation> {
  const all = await sayings(cluster, membership)
  const agreed = agreedBy(all)
  // Whoever was let go without a word goes on as if nothing had happened.
  const said = agreed === undefined ? all : all.filter(({ id }) => agreed.includes(id))
  const evidence: string[] = []
  for (const [id, isMember] of Object.entries(wanted)) {
    const others = said.filter((one) => one.id !== id)
    const dissent = others.find(({ members }) => members?.includes(id) !== isMember)
    if (dissent !== undefined) return { seen: false, evidence: `${dissent.id} ${dissent.members === undefined ? 'does not say who is a member' : `says that the members are ${dissent.members.join(', ')}`}` }
    if (!targets.includes(id)) continue
    const answers = isMember && (await cluster.nodes.find((node) => node.id === id)?.answers(ASK_DEADLINE_MS)) === true
    evidence.push(`${others.map((one) => one.id).join(', ')} say that ${id} ${isMember ? `is a member, and it ${answers ? 'answers' : 'does not answer'}` : 'is no member'}`)
    if (others.length === 0 || answers !== isMember) return { seen: false, evidence: evidence.at(-1)! }
  }
  return { seen: true, evidence: evidence.join('; ') }
}

/** The members that most of them name; undefined where they do not agree. */
function agreedBy(said: readonly Saying[]): readonly NodeId[] | undefined {
  const texts = said.map(({ members }) => [...(members ?? [])].sort().join())
  return said.find(({ members }, i) => members !== undefined && texts.filter((text) => text === texts[i]).length * 2 > said.length)?.members
}

/** Whom most running members take for members, as soon as they agree; undefined where they do not. */
async function agreement(cluster: Cluster, membership: ClusterMembership): Promise<readonly NodeId[] | undefined> {
  let found: readonly NodeId[] | undefined
  await untilSeen(cluster.clock, SEEN_DEADLINE_MS, async () => {
    found = agreedBy(await sayings(cluster, membership))
    return { seen: found !== undefined, evidence: '' }
  })
  return found
}

/**
 * Makes the members what they are to be: idempotent, so that a heal may be tried again. What they say themselves counts as
 * well: a change that was asked for, and whose answer did not come in time, may have come about since.
 */
async function settle(cluster: Cluster, membership: ClusterMembership, wanted: Members, targets: readonly NodeId[]): Promise<void> {
  for (const node of cluster.nodes.filter(({ id }) => wanted[id] === true && targets.includes(id))) {
    // A change that could not be carried out may have left a member that was to go without its program.
    if ((await node.state()) === 'stopped') await node.start()
  }
  const known = await agreement(cluster, membership)
  for (const [id, isMember] of Object.entries(wanted)) {
    const isOurs = cluster.nodes.some((node) => node.id === id)
    const isTheirs = known?.includes(id) ?? isOurs
    const isMemberNow = isOurs && isTheirs
    // Whoever they are about to admit is let go as well: it is not known here.
    if (isMember ? isOurs !== isTheirs : isOurs || isTheirs || targets.includes(id)) await membership.leave(id, CHANGE_DEADLINE_MS)
    if (isMember && !isMemberNow) await membership.join(id, CHANGE_DEADLINE_MS)
  }
}

/** A change of members: who is one while it lasts, and who is not. */
interface Change {
  readonly during: Members
  /** What happens to nodes first. */
  strike?(): Promise<void>
  /** How members become those of `during`, where the system can do it in one step. */
  readonly inOneStep?: (() => Promise<void>) | undefined
}

function membershipFault(fault: Pick<Fault, 'name' | 'describes' | 'variants' | 'selects'>, plan: (spares: readonly NodeId[], options: InjectOptions, cluster: Cluster) => Promise<Change>): Fault {
  return {
    ...fault,
    needs: ['membership'],
    disturbs: 'membership',
    problem: (variant, scene) => {
      if (scene.system.membership === undefined) return scene.system.fixedMembers ?? 'the members of this system are fixed'
      return fault.selects === true ? selectorProblem(variant, scene) : undefined
    },
    async inject(cluster, options): Promise<Injection> {
      const { membership, clock } = cluster
      if (membership === undefined) throw new Error('the members of this system are fixed')
      const before = membersNow(cluster, membership)
      const { during, strike, inOneStep } = await plan(membership.spares, options, cluster)
      const targets = Object.keys(during)
      const seen = (wanted: Members): Promise<Observation> => untilSeen(clock, SEEN_DEADLINE_MS, () => look(cluster, membership, wanted, targets))
      const undo: Undo = { heal: () => settle(cluster, membership, before, targets), verifyHealed: () => seen(before) }
      await strikeOrHeal(async () => {
        await strike?.()
        await (inOneStep === undefined ? settle(cluster, membership, during, targets) : inOneStep())
      }, undo).catch((error: Error) => {
        // Members may agree to a change long after nobody waits for that any more.
        throw error instanceof HalfInjected ? error : new HalfInjected(error.message, undo, error)
      })
      return { targets, sides: {}, verify: () => seen(during), ...undo }
    },
  }
}

function spare(spares: readonly NodeId[]): NodeId {
  if (spares[0] === undefined) throw new Error('there is no spare machine; give --spares')
  return spares[0]
}

/** The one node that the options select: members change one at a time. */
async function victim(options: InjectOptions, cluster: Cluster): Promise<Node> {
  const ids = await options.select()
  const id = pick(options.random, ids)
  return cluster.nodes.find((node) => node.id === id)!
}

/** `join`. */
export const join = membershipFault(
  { name: 'join', describes: 'lets a spare machine join; healing lets it leave again', variants: ['spare'] },
  async (spares) => ({ during: { [spare(spares)]: true } }),
)

/** `leave(TARGETS)`. */
export const leave = membershipFault(
  { name: 'leave', describes: 'decommissions a node, which hands over what it holds; healing lets it join again, empty', variants: selectorNames, selects: true },
  async (_, options, cluster) => {
    const { id } = await victim(options, cluster)
    return { during: { [id]: false } }
  },
)

/** `replace(TARGETS)`. */
export const replace = membershipFault(
  { name: 'replace', describes: 'kills a node for good, removes it, and lets a spare machine join in its place; healing puts it back, empty', variants: selectorNames, selects: true },
  async (spares, options, cluster) => {
    const node = await victim(options, cluster)
    const [gone, fresh] = [node.id, spare(spares)]
    const { replace: change } = cluster.membership!
    return {
      during: { [gone]: false, [fresh]: true },
      strike: () => node.kill(),
      inOneStep: change && (() => change(gone, fresh, CHANGE_DEADLINE_MS)),
    }
  },
)
