/**
 * Slow links: every message to and from the struck nodes takes longer, and not all equally long. A write that its
 * coordinator sends to all replicas at once then arrives at one of them long before the others, which is when
 * protocols that do not finish what they began are seen to flicker.
 */
import type { Cluster, Link } from '../cluster/cluster.ts'
import type { Fault, Injection, Observation } from './fault.ts'
import { untilSeen } from './observe.ts'
import { linksBetween, selectors } from './targets.ts'

/** One-way latency: at least this, plus up to the jitter. */
const DELAY_MS = 20
const JITTER_MS = 180
/** A probe that is later than this is lost, not slow. */
const PROBE_DEADLINE_MS = 2_000
const HEAL_DEADLINE_MS = 10_000

/** How long one message takes on each link now; Infinity when it does not arrive. Sequential, so that probes do not queue behind each other. */
async function latencies(cluster: Cluster, links: readonly Link[]): Promise<number[]> {
  const measured: number[] = []
  for (const link of links) {
    const start = cluster.clock.now()
    const arrived = await cluster.links.probe(link, PROBE_DEADLINE_MS)
    measured.push(arrived ? (cluster.clock.now() - start) / 1e6 : Infinity)
  }
  return measured
}

/** The first link in each direction of each struck node stands for its others: they share one setting. */
function samples(links: readonly Link[], targets: readonly string[]): Link[] {
  return targets.flatMap((node) => [links.find((l) => l.from === node), links.find((l) => l.to === node)]).filter((l) => l !== undefined)
}

function describe(links: readonly Link[], ms: readonly number[]): string {
  return links.map((l, i) => `${l.from} -> ${l.to} took ${ms[i]!.toFixed(1)} ms`).join(', ')
}

/** `delay(TARGETS)`. */
export const delay: Fault = {
  name: 'delay',
  describes: `delays every message to and from nodes by ${DELAY_MS} to ${DELAY_MS + JITTER_MS} ms`,
  variants: Object.keys(selectors),
  needs: ['delay'],
  async inject(cluster, { variant, random }): Promise<Injection> {
    const ids = cluster.nodes.map((n) => n.id)
    const targets = selectors[variant]!(ids, random)
    const links = linksBetween(targets, ids)
    const seen = samples(links, targets)
    await cluster.links.delay!(links, DELAY_MS, JITTER_MS)
    return {
      targets,
      sides: {},
      async verify(): Promise<Observation> {
        const ms = await latencies(cluster, seen)
        return { seen: seen.length > 0 && ms.every((m) => m >= DELAY_MS && m < Infinity), evidence: `a message ${describe(seen, ms)}` }
      },
      heal: () => cluster.links.heal(links),
      verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, async () => {
        const ms = await latencies(cluster, seen)
        return { seen: ms.every((m) => m < DELAY_MS), evidence: `a message ${describe(seen, ms)}` }
      }),
    }
  },
}
