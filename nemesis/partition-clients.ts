/**
 * Partitions between clients and nodes: the nodes see each other, and some of them are seen by no client. What they
 * have not said yet stays unsaid, and a leader that nobody can ask still leads.
 */
import type { Link } from '../cluster/cluster.ts'
import type { Fault, Injection, Observation } from './fault.ts'
import { HEAL_DEADLINE_MS, passing, PROBE_DEADLINE_MS, runningOnly, untilSeen } from './observe.ts'
import { linksFromTo, selectorNames } from './targets.ts'

const EFFECT_DEADLINE_MS = 2_000

/** `partition-clients(TARGETS)`. */
export const partitionClients: Fault = {
  name: 'partition-clients',
  describes: 'cuts clients off from nodes that still see each other',
  variants: selectorNames,
  selects: true,
  needs: ['cut'],
  disturbs: 'links',
  async inject(cluster, { select }): Promise<Injection> {
    const targets = await select()
    const cut: Link[] = targets.map((to) => ({ from: 'clients', to }))
    await cluster.links.cut(cut)
    const look = async (): Promise<Observation> => {
      const shut = await runningOnly(cluster, cut)
      const between = await runningOnly(cluster, linksFromTo(cluster.nodes.map((n) => n.id), targets))
      const [answering, controls] = await Promise.all([passing(cluster, shut), passing(cluster, between.slice(0, 1))])
      if (shut.length === 0) return { seen: false, evidence: 'none of the nodes runs' }
      if (answering.length > 0) return { seen: false, evidence: `clients still reach ${answering.map((l) => l.to).join(', ')}` }
      if (between.length > 0 && controls.length === 0) return { seen: false, evidence: `the other nodes do not reach ${targets.join(', ')} either` }
      return { seen: true, evidence: `${shut.map((l) => l.to).join(', ')} answered no client within ${PROBE_DEADLINE_MS} ms${between[0] ? `; ${between[0].from} -> ${between[0].to} still passes` : ''}` }
    }
    return {
      targets,
      sides: { clients: [], cut: targets },
      verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, look),
      heal: () => cluster.links.heal(cut),
      verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, async () => {
        const expected = await runningOnly(cluster, cut)
        const silent = expected.length - (await passing(cluster, expected)).length
        return { seen: silent === 0, evidence: silent === 0 ? `clients reach ${targets.join(', ')} again` : `${silent} of ${expected.length} nodes answer no client` }
      }),
    }
  },
}
