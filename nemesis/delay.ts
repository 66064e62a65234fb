/**
 * Slow links: every message to and from the struck nodes takes longer, and not all equally long. A write that its
 * coordinator sends to all replicas at once then arrives at one of them long before the others, which is when
 * protocols that do not finish what they began are seen to flicker.
 */
import type { Cluster, Link } from '../cluster/cluster.ts'
import type { Fault, Injection } from './fault.ts'
import { arrow, HEAL_DEADLINE_MS, runningOnly, samples, untilSeen } from './observe.ts'
import { linksBetween, selectorNames } from './targets.ts'

const EFFECT_DEADLINE_MS = 5_000
/** A probe that is later than this, beyond the delay itself, is lost, not slow. */
const PATIENCE_MS = 2_000
/** A busy machine takes this long for an undisturbed message: shorter delays cannot be told from none. */
const QUICK_MS = 20
/** So many messages in a row that all drew the lowest quarter of the jitter: chance does that once in a million. */
const LUCKY_ROW = 10

/** How long one message takes on each link now; Infinity when it does not arrive. Sequential, so that probes do not queue behind each other. */
async function latencies(cluster: Cluster, links: readonly Link[], deadlineMs: number): Promise<number[]> {
  const measured: number[] = []
  for (const link of links) {
    const start = cluster.clock.now()
    const arrived = await cluster.links.probe(link, deadlineMs)
    measured.push(arrived ? (cluster.clock.now() - start) / 1e6 : Infinity)
  }
  return measured
}

/**
 * Whether these times of messages, oldest first, show that a link is whole: one was quicker than the delay (or `QUICK_MS`) lets any be,
 * or the last `LUCKY_ROW` were all quicker than the delay lets one of four be. However slow others are on a busy machine.
 */
export function isWhole(ms: readonly number[], { delayMs, jitterMs }: { readonly delayMs: number; readonly jitterMs: number }): boolean {
  const latest = ms.slice(-LUCKY_ROW)
  return ms.some((m) => m < Math.max(delayMs, QUICK_MS)) || (latest.length === LUCKY_ROW && latest.every((m) => m < delayMs + jitterMs / 4))
}

function describe(links: readonly Link[], ms: readonly number[]): string {
  return links.map((l, i) => `${arrow(l)} took ${ms[i]!.toFixed(1)} ms`).join(', ')
}

/** `delay(TARGETS)`. */
export const delay: Fault = {
  name: 'delay',
  describes: 'delays every message to and from nodes',
  variants: selectorNames,
  selects: true,
  parameters: {
    ms: { describes: 'at least this, one way', default: 20, min: 1, max: 60_000, swarm: [20, 100] },
    jitter_ms: { describes: 'and up to this much more', default: 180, min: 0, max: 60_000, swarm: [0, 200] },
  },
  needs: ['delay'],
  disturbs: 'links',
  async inject(cluster, { parameters, select }): Promise<Injection> {
    const [delayMs, jitterMs] = [Number(parameters['ms']), Number(parameters['jitter_ms'])]
    const targets = await select()
    const links = linksBetween(targets, cluster.nodes.map((n) => n.id))
    await cluster.links.delay!(links, delayMs, jitterMs)
    const look = async (): Promise<{ links: Link[]; ms: number[] }> => {
      const seen = samples(await runningOnly(cluster, links), targets)
      return { links: seen, ms: await latencies(cluster, seen, PATIENCE_MS + delayMs + jitterMs) }
    }
    return {
      targets,
      sides: {},
      verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, async () => {
        const { links: seen, ms } = await look()
        return { seen: seen.length > 0 && ms.every((m) => m >= delayMs && m < Infinity), evidence: seen.length > 0 ? `a message ${describe(seen, ms)}` : 'no link has running nodes at both ends' }
      }),
      heal: () => cluster.links.heal(links),
      verifyHealed: () => {
        const seenOf = new Map<string, number[]>()
        return untilSeen(cluster.clock, HEAL_DEADLINE_MS, async () => {
          const { links: seen, ms } = await look()
          const times = seen.map((l, i) => [...(seenOf.get(arrow(l)) ?? []), ms[i]!])
          seen.forEach((l, i) => seenOf.set(arrow(l), times[i]!))
          return { seen: times.every((all) => isWhole(all, { delayMs, jitterMs })), evidence: `the quickest message ${describe(seen, times.map((all) => Math.min(...all)))}` }
        })
      },
    }
  },
}
