/**
 * Network partitions. Each variant turns the nodes into sides and a grudge; injecting it cuts the links, and it has
 * bitten when no message passes any cut link while one still passes a link that was left alone.
 */
import type { Cluster, Link } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { pick } from '../harness/random.ts'
import type { Fault, Injection, InjectOptions, Observation } from './fault.ts'
import { apart, grudgeProblem, grudges, oneWay, ways, type Grudge, type Way } from './grudges.ts'
import { arrow, HEAL_DEADLINE_MS, passing, PROBE_DEADLINE_MS, runningOnly, untilSeen } from './observe.ts'
import { linksFromTo, selectorNames, selectorProblem } from './targets.ts'

/** A busy machine may lose a probe of the link that was left alone: look again. */
const EFFECT_DEADLINE_MS = 2_000

/** A link that this grudge leaves alone, to show that the probe itself works. */
function control(links: readonly Link[], cut: readonly Link[]): Link | undefined {
  return links.find((link) => !cut.some((c) => c.from === link.from && c.to === link.to))
}

async function verifyCut(cluster: Cluster, all: readonly Link[]): Promise<Observation> {
  const ids = cluster.nodes.map((n) => n.id)
  const [cut, others] = await Promise.all([runningOnly(cluster, all), runningOnly(cluster, linksFromTo(ids, ids))])
  if (cut.length === 0) return { seen: false, evidence: all.length === 0 ? `there is no link to cut: of ${ids.length} nodes all stand on one side` : 'no cut link has running nodes at both ends' }
  const open = control(others, all)
  const [leaks, controls] = await Promise.all([passing(cluster, cut), open ? passing(cluster, [open]) : []])
  if (leaks.length > 0) return { seen: false, evidence: `${leaks.length} of ${cut.length} cut links still pass messages: ${leaks.map(arrow).join(', ')}` }
  if (open && controls.length === 0) return { seen: false, evidence: `no message passes any link, not even ${arrow(open)}, which was not cut` }
  return {
    seen: true,
    evidence: `no message passed any of ${cut.length} cut links within ${PROBE_DEADLINE_MS} ms (${arrow(cut[0]!)})${open ? `; ${arrow(open)} still passes` : ''}`,
  }
}

async function verifyWhole(cluster: Cluster, all: readonly Link[]): Promise<Observation> {
  const cut = await runningOnly(cluster, all)
  const passed = await passing(cluster, cut)
  const shut = cut.filter((link) => !passed.includes(link))
  return shut.length === 0
    ? { seen: true, evidence: `messages pass all ${cut.length} links again` }
    : { seen: false, evidence: `${shut.length} of ${cut.length} links are still shut: ${shut.map(arrow).join(', ')}` }
}

/** Seen once no message passes any of these links, while one passes another link. */
const untilCut = (cluster: Cluster, cut: readonly Link[]): Promise<Observation> => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, () => verifyCut(cluster, cut))

/** Seen once messages pass all these links. */
export const untilWhole = (cluster: Cluster, cut: readonly Link[]): Promise<Observation> => untilSeen(cluster.clock, HEAL_DEADLINE_MS, () => verifyWhole(cluster, cut))

/** What a partition's variants are: named grudges, and every selector (the selected nodes against the rest). */
export const partitionVariants = [...Object.keys(grudges), ...selectorNames.filter((name) => !(name in grudges))]

/** The grudge that these options ask for, in this cluster now. */
export async function grudgeOf({ variant, parameters, random, scene, select }: InjectOptions): Promise<Grudge> {
  const named = grudges[variant]
  const grudge = named ? named(scene, random) : apart(someOf(await select(), scene.nodes, random), scene.nodes)
  return oneWay(grudge, parameters['way'] as Way, random)
}

/** The selected nodes; when that is all of them, all but one by chance: a partition has two sides. */
function someOf(selected: readonly NodeId[], nodes: readonly NodeId[], random: Random): readonly NodeId[] {
  if (selected.length < nodes.length || nodes.length === 1) return selected
  const left = pick(random, nodes)
  return selected.filter((node) => node !== left)
}

/** Why a variant cannot be cut in this scene. */
export const variantProblem: Fault['problem'] = (variant, scene) => (variant in grudges ? grudgeProblem(variant, scene) : selectorProblem(variant, scene))

/** `way=out` and the like. */
export const wayParameter = { describes: 'which direction of the links is cut', default: 'both', choices: ways } as const

/** `partition(VARIANT)`. */
export const partition: Fault = {
  name: 'partition',
  describes: 'cuts links between nodes',
  variants: partitionVariants,
  selects: true,
  parameters: { way: wayParameter },
  needs: ['cut'],
  disturbs: 'links',
  problem: variantProblem,
  samples: ['partition(majority-minority)', 'partition(majorities-ring)', 'partition(bridge)', 'partition(quorum-loss)', 'partition(one,way=out)', 'partition(one,way=in)', 'partition(halves,way=mixed)', 'partition(dcs)'],
  async inject(cluster, options): Promise<Injection> {
    const { sides, cut } = await grudgeOf(options)
    await cluster.links.cut(cut)
    return {
      targets: [...new Set(cut.map((l) => l.to))].sort(),
      sides,
      verify: () => untilCut(cluster, cut),
      heal: () => cluster.links.heal(cut),
      verifyHealed: () => untilWhole(cluster, cut),
    }
  },
}
