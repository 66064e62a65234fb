/**
 * The lookups by name, but for `ring`, which needs no messages.
 */
import type { Env, NodeId } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Rpc } from '../rpc.ts'
import { Chord } from './chord.ts'
import { Directory } from './directory.ts'
import { LeafSet } from './leaf-set.ts'
import type { Overlay } from './lookup.ts'

/** Nodes to join through. More would be knowledge that a large overlay does not have. */
const SEEDS = 3
/** k: successors that a Chord node remembers at least. */
const SUCCESSORS_MIN = 4

/** The overlay that the configuration names; undefined for `ring`. `met`: whom this node knew when it ran last. */
export async function overlayOf(env: Env, config: NodeConfig, rpc: Rpc, suspects: (node: NodeId) => boolean, met: readonly NodeId[] = []): Promise<Overlay | undefined> {
  const { id: self, nodes, replicas, lookup_interval_ms: intervalMs, hop_deadline_ms: hopDeadlineMs } = config
  const common = { self, replicas, intervalMs, hopDeadlineMs, clock: env.clock, random: env.random.fork('lookup'), rpc }
  const seeds = [...new Set([...nodes.filter(node => node !== self).slice(0, SEEDS), ...met])]
  switch (config.lookup) {
    case 'ring':
      return undefined
    case 'chord':
      return new Chord({ ...common, seeds, successors: Math.max(SUCCESSORS_MIN, replicas, Math.ceil(Math.log2(nodes.length))) })
    case 'leaf-set':
      return new LeafSet({ ...common, seeds, budgetMs: 2 * hopDeadlineMs })
    case 'directory':
      return Directory.open(env.disk, { ...common, nodes, keepers: config.directory_keepers, replaceAfterMs: config.replace_after_ms, suspects })
  }
}
