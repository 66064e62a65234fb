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
import { strikeOrHeal, type Undo } from './strike.ts'
import { selectorNames, selectorProblem } from './targets.ts'

/** How long one change of members may take: data may have to move. */
const CHANGE_DEADLINE_MS = 30_000
const ASK_DEADLINE_MS = 2_000
const SEEN_DEADLINE_MS = 15_000

/** Whether all other running members believe that `node` belongs to them, or that it does not. */
async function believed(cluster: Cluster, membership: ClusterMembership, node: NodeId, isMember: boolean): Promise<Observation> {
  const others = await Promise.all(cluster.nodes.filter(({ id }) => id !== node).map(async (other) => ({ id: other.id, state: await other.state() })))
  const asked = others.filter(({ state }) => state === 'running').map(({ id }) => id)
  const answers = await Promise.all(asked.map(async (id) => ({ id, members: await membership.members(id, ASK_DEADLINE_MS).catch(() => undefined) })))
  const dissent = answers.find(({ members }) => members?.includes(node) !== isMember)
  const saying = `${node} ${isMember ? 'is a member' : 'is no member'}`
  if (dissent === undefined) return { seen: asked.length > 0, evidence: `${asked.join(', ')} say that ${saying}` }
  return { seen: false, evidence: `${dissent.id} ${dissent.members === undefined ? 'does not say who is a member' : `says that the members are ${dissent.members.join(', ')}`}` }
}

/** Whether a member is known as one and answers. */
async function belongs(cluster: Cluster, membership: ClusterMembership, id: NodeId): Promise<Observation> {
  const node = cluster.nodes.find((one) => one.id === id)
  const answers = (await node?.answers(ASK_DEADLINE_MS)) === true
  const { seen, evidence } = await believed(cluster, membership, id, true)
  return { seen: seen && answers, evidence: `${evidence}, and it ${answers ? 'answers' : 'does not answer'}` }
}

/** Each of these in turn, until one is not seen. */
async function inTurn(looks: readonly (() => Promise<Observation>)[]): Promise<Observation> {
  const evidence: string[] = []
  for (const look of looks) {
    const observation = await look()
    if (!observation.seen) return observation
    evidence.push(observation.evidence)
  }
  return { seen: true, evidence: evidence.join('; ') }
}

/** Makes the members what they are to be: idempotent, so that a heal may be tried again. */
async function settle(cluster: Cluster, membership: ClusterMembership, wanted: Readonly<Record<NodeId, boolean>>): Promise<void> {
  for (const [id, isMember] of Object.entries(wanted)) {
    const node = cluster.nodes.find((one) => one.id === id)
    const isNow = node !== undefined
    // A change that could not be carried out may have left a member that was to go without its program.
    if (isMember && isNow && (await node.state()) === 'stopped') await node.start()
    if (isMember && !isNow) await membership.join(id, CHANGE_DEADLINE_MS)
    if (!isMember && isNow) await membership.leave(id, CHANGE_DEADLINE_MS)
  }
}

/** A change of members: who is one while it lasts, and who was before and is again. */
interface Change {
  readonly during: Readonly<Record<NodeId, boolean>>
  readonly after: Readonly<Record<NodeId, boolean>>
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
      const { during, after, strike, inOneStep } = await plan(membership.spares, options, cluster)
      const look = (wanted: Readonly<Record<NodeId, boolean>>): Promise<Observation> => untilSeen(clock, SEEN_DEADLINE_MS, () =>
        inTurn(Object.entries(wanted).map(([id, isMember]) => () => (isMember ? belongs(cluster, membership, id) : believed(cluster, membership, id, false)))))
      const undo: Undo = { heal: () => settle(cluster, membership, after), verifyHealed: () => look(after) }
      await strikeOrHeal(async () => {
        await strike?.()
        await (inOneStep === undefined ? settle(cluster, membership, during) : inOneStep())
      }, undo)
      return { targets: Object.keys(during), sides: {}, verify: () => look(during), ...undo }
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
  async (spares) => ({ during: { [spare(spares)]: true }, after: { [spare(spares)]: false } }),
)

/** `leave(TARGETS)`. */
export const leave = membershipFault(
  { name: 'leave', describes: 'decommissions a node, which hands over what it holds; healing lets it join again, empty', variants: selectorNames, selects: true },
  async (_, options, cluster) => {
    const { id } = await victim(options, cluster)
    return { during: { [id]: false }, after: { [id]: true } }
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
      after: { [gone]: true, [fresh]: false },
      strike: () => node.kill(),
      inOneStep: change && (() => change(gone, fresh, CHANGE_DEADLINE_MS)),
    }
  },
)
