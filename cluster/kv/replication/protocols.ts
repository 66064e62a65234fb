/**
 * The replication protocols by name.
 */
import type { NodeConfig } from '../config.ts'
import { abdReplication } from './abd.ts'
import { quorumReplication } from './quorum.ts'
import type { Coordinator, Replication } from './replication.ts'

const protocols: Readonly<Record<NodeConfig['replication'], (coordinator: Coordinator) => Replication>> = { abd: abdReplication, quorum: quorumReplication }

/** The protocol that the configuration names. */
export function replicationOf(name: NodeConfig['replication'], coordinator: Coordinator): Replication {
  return protocols[name](coordinator)
}
