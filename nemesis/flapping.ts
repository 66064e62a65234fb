/**
 * Flapping links: a partition that comes and goes. Failure detectors change their minds, connections are dialled anew,
 * elections begin and are abandoned.
 */
import type { Fault, Injection, Observation } from './fault.ts'
import { Loop } from './loop.ts'
import { arrow, passing, runningOnly } from './observe.ts'
import { grudgeOf, partitionVariants, untilWhole, variantProblem, wayParameter } from './partition.ts'

/** Flaps that are waited for before the links count as steady. */
const PERIODS_MAX = 5

/** `flapping(VARIANT)`, with the variants of `partition`. */
export const flapping: Fault = {
  name: 'flapping',
  describes: 'cuts links and heals them again and again',
  variants: partitionVariants,
  selects: true,
  parameters: {
    period_ms: { describes: 'from cut to cut; the links are shut for half of it', default: 1_000, min: 100, max: 600_000, swarm: [600, 2_000] },
    way: wayParameter,
  },
  needs: ['cut'],
  disturbs: 'links',
  problem: variantProblem,
  async inject(cluster, options): Promise<Injection> {
    const { sides, cut } = await grudgeOf(options)
    const halfMs = Number(options.parameters['period_ms']) / 2
    await cluster.links.cut(cut)
    const loop = new Loop(cluster.clock, async (sleep) => {
      await sleep(halfMs)
      await cluster.links.heal(cut)
      await sleep(halfMs)
      await cluster.links.cut(cut)
    })
    return {
      targets: [...new Set(cut.map((l) => l.to))].sort(),
      sides,
      async verify(): Promise<Observation> {
        if (cut.length === 0) return { seen: false, evidence: `there is no link to cut: of ${cluster.nodes.length} nodes all stand on one side` }
        // All of them: what one connection sends again after its own pauses may meet the link shut every time.
        const [shut, open] = [new Set<string>(), new Set<string>()]
        const both = (): string | undefined => [...shut].find((link) => open.has(link))
        for (const end = cluster.clock.now() + PERIODS_MAX * 2 * halfMs * 1e6; cluster.clock.now() < end && both() === undefined;) {
          const links = await runningOnly(cluster, cut)
          if (links.length === 0) return { seen: false, evidence: 'no cut link has running nodes at both ends' }
          const passed = await passing(cluster, links, halfMs * 0.6)
          for (const link of links) (passed.includes(link) ? open : shut).add(arrow(link))
        }
        const link = both()
        const evidence = link === undefined ? `${[...shut, ...open][0]} stayed ${shut.size > 0 ? 'shut' : 'open'}` : `${link} was seen shut and open in turn`
        return { seen: link !== undefined && loop.failure === undefined, evidence: loop.failure ?? evidence }
      },
      heal: async () => {
        await loop.stop()
        await cluster.links.heal(cut)
      },
      verifyHealed: () => untilWhole(cluster, cut),
    }
  },
}
