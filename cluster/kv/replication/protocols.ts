/**
 * The replication protocols by name.
 */
import type { NodeConfig } from '../config.ts'
import { abdReplication } from './abd.ts'
import { quorumReplication } from './quorum.ts'
import type { Coordinator, Replication } from './replication.ts'

/** The protocol that the configuration names. */
export function replicationOf(name: NodeConfig['replication'], coordinator: Coordinator): Replication {
  switch (name) {
    case 'abd':
      return abdReplication(coordinator)
    case 'quorum':
      return quorumReplication(coordinator)
  }
}
