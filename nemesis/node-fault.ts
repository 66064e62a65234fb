/**
 * What faults that strike whole nodes have in common: they select their targets in the same way, strike all of them at
 * once, and take back what they did when a strike fails half way.
 */
import type { Cluster, Node } from '../cluster/cluster.ts'
import type { Fault, Injection, InjectOptions } from './fault.ts'
import { strikeOrHeal, type Undo } from './strike.ts'
import { selectorNames } from './targets.ts'

/** How to strike the selected nodes, to see that it bit, to heal, and to see that it is gone. */
export interface Strike extends Pick<Injection, 'verify' | 'heal' | 'verifyHealed'> {
  strike(): Promise<unknown>
}

/** How long an effect may take to show. */
export const EFFECT_DEADLINE_MS = 3_000
/** How long nodes may take to answer again. */
export const UP_DEADLINE_MS = 15_000

/** A fault of nodes. `prepare` looks at the nodes before anything happens to them; those that leave the cluster meanwhile are no longer among them when it comes to healing. */
export function nodeFault(
  { prepare, ...fault }: Pick<Fault, 'name' | 'describes' | 'needs' | 'parameters'> & { prepare(cluster: Cluster, nodes: readonly Node[], options: InjectOptions): Promise<Strike> },
): Fault {
  return {
    ...fault,
    disturbs: 'nodes',
    variants: selectorNames,
    selects: true,
    async inject(cluster, options): Promise<Injection> {
      const ids = await options.select()
      const nodes = cluster.nodes.filter((n) => ids.includes(n.id))
      const { strike, verify, heal, verifyHealed } = await prepare(cluster, nodes, options)
      const stillThere = <T>(action: () => Promise<T>) => (): Promise<T> => {
        nodes.splice(0, nodes.length, ...nodes.filter(({ id }) => cluster.nodes.some((node) => node.id === id)))
        return action()
      }
      const undo: Undo = { heal: stillThere(heal), verifyHealed: stillThere(verifyHealed) }
      await strikeOrHeal(strike, undo)
      return { targets: ids, sides: {}, verify, ...undo }
    },
  }
}

/** Starts those nodes that are stopped. */
export async function startStopped(nodes: readonly Node[]): Promise<void> {
  await Promise.all(nodes.map(async (node) => ((await node.state()) === 'stopped' ? node.start() : undefined)))
}
