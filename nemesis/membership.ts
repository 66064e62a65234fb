/**
 * Clusters whose members change under load: a machine joins, a member leaves (decommissioned: it hands over first), a dead
 * one is replaced. That is when stores move data and count votes anew, and when many of them lose either.
 *
 * Seen from inside: the others that run are asked who the members are, and most of all members must say the same.
 */
import type { Cluster, ClusterMembership, Node } from '../cluster/cluster.ts'
import type { SystemMembership } from '../cluster/system.ts'
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

/** Whether those of `wanted` are members that are to be, and no other spare machine is: most of all members must say so, and nobody else. Members must answer. `needed`: how many must be heard. */
async function look(cluster: Cluster, membership: ClusterMembership, wanted: Members, needed: number): Promise<Observation> {
  const all = await sayings(cluster, membership)
  const agreed = agreedBy(all)
  // Whoever was let go without a word goes on as if nothing had happened.
  const said = agreed === undefined ? all : all.filter(({ id }) => agreed.includes(id))
  if (said.length < needed) return { seen: false, evidence: `only ${said.map(({ id }) => id).join(', ') || 'nobody'} can be asked who is a member` }
  const evidence: string[] = []
  for (const [id, isMember] of Object.entries(withSpares(wanted, membership))) {
    const others = said.filter((one) => one.id !== id)
    const dissent = others.find(({ members }) => members?.includes(id) !== isMember)
    if (dissent !== undefined) return { seen: false, evidence: `${dissent.id} ${dissent.members === undefined ? 'does not say who is a member' : `says that the members are ${dissent.members.join(', ')}`}` }
    if (!(id in wanted)) continue
    const answers = isMember && (await cluster.nodes.find((node) => node.id === id)?.answers(ASK_DEADLINE_MS)) === true
    evidence.push(`${others.map((one) => one.id).join(', ')} say that ${id} ${isMember ? `is a member, and it ${answers ? 'answers' : 'does not answer'}` : 'is no member'}`)
    if (others.length === 0 || answers !== isMember) return { seen: false, evidence: evidence.at(-1)! }
  }
  return { seen: true, evidence: evidence.join('; ') }
}

/** Nobody else who is not a member is to be one; whoever is about to be stands in the way of all other changes. */
function withSpares(wanted: Members, { spares }: ClusterMembership): Members {
  return { ...Object.fromEntries(spares.filter((id) => !(id in wanted)).map((id) => [id, false])), ...wanted }
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
 * Makes members of those that are to be, and lets go the others of `wanted` and every spare machine: idempotent, so that a
 * heal may be tried again. What the members say themselves counts as well: a change that was asked for, and whose answer did
 * not come in time, may have come about since. Other members are not touched: another fault may have struck them.
 */
async function settle(cluster: Cluster, membership: ClusterMembership, wanted: Members): Promise<void> {
  let cannotStart: Error | undefined
  for (const node of cluster.nodes.filter(({ id }) => wanted[id] === true)) {
    // A change that could not be carried out may have left a member that was to go without its program; one that was let go cannot start.
    if ((await node.state()) === 'stopped') await node.start().catch((error: Error) => (cannotStart = error))
  }
  const known = await agreement(cluster, membership)
  for (const [id, isMember] of Object.entries(withSpares(wanted, membership))) {
    const isOurs = cluster.nodes.some((node) => node.id === id)
    const isTheirs = known?.includes(id) ?? isOurs
    if (isMember && isOurs && isTheirs && cannotStart !== undefined) throw cannotStart
    // Whoever they are about to admit is let go as well: as long as they do not agree, or did not answer, it is not known here.
    const mayBeTheirs = isOurs || isTheirs || known === undefined || id in wanted
    if (isMember ? isOurs !== isTheirs : mayBeTheirs) await membership.leave(id, CHANGE_DEADLINE_MS)
    if (isMember && !(isOurs && isTheirs)) await membership.join(id, CHANGE_DEADLINE_MS)
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

/** `refuses`: why members of this system cannot be changed like this, where they cannot. */
interface MembershipFault extends Pick<Fault, 'name' | 'describes' | 'variants' | 'selects'> {
  refuses?(membership: SystemMembership): string | undefined
}

function membershipFault({ refuses, ...fault }: MembershipFault, plan: (spares: readonly NodeId[], options: InjectOptions, cluster: Cluster) => Promise<Change>): Fault {
  return {
    ...fault,
    needs: ['membership'],
    disturbs: 'membership',
    problem: (variant, scene) => {
      const { membership, fixedMembers } = scene.system
      if (membership === undefined) return fixedMembers ?? 'the members of this system are fixed'
      return refuses?.(membership) ?? (fault.selects === true ? selectorProblem(variant, scene) : undefined)
    },
    async inject(cluster, options): Promise<Injection> {
      const { membership, clock } = cluster
      if (membership === undefined) throw new Error('the members of this system are fixed')
      const { during, strike, inOneStep } = await plan(membership.spares, options, cluster)
      const targets = Object.keys(during)
      const before = Object.fromEntries(targets.map((id) => [id, cluster.nodes.some((node) => node.id === id)]))
      const most = (): number => (cluster.nodes.length >> 1) + 1
      const all = (): number => cluster.nodes.length
      const seen = (wanted: Members, needed: () => number): Promise<Observation> => untilSeen(clock, SEEN_DEADLINE_MS, () => look(cluster, membership, wanted, needed()))
      const undo: Undo = { heal: () => settle(cluster, membership, before), verifyHealed: () => seen(before, most) }
      await strikeOrHeal(async () => {
        await strike?.()
        await (inOneStep === undefined ? settle(cluster, membership, during) : inOneStep())
      }, undo).catch((error: Error) => {
        // Members may agree to a change long after nobody waits for that any more, as long as one of them knows of it.
        throw new HalfInjected(error.message, { ...undo, verifyHealed: () => seen(before, all) }, error)
      })
      return { targets, sides: {}, verify: () => seen(during, most), ...undo }
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
  { name: 'replace', describes: 'kills a node for good, removes it, and lets a spare machine join in its place; healing puts it back, empty', variants: selectorNames, selects: true, refuses: ({ irreplaceable }) => irreplaceable },
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
