/**
 * The replication protocols by name.
 */
import { callBackCache } from '../client-cache/call-backs.ts'
import { polledCache } from '../client-cache/polled.ts'
import type { NodeConfig } from '../config.ts'
import { abdReplication } from './abd.ts'
import { keepingSiblings } from './keeping-siblings.ts'
import { paxosReplication } from './paxos.ts'
import { primaryReplication } from './primary.ts'
import { quorumReplication } from './quorum.ts'
import { relayed } from './relay.ts'
import type { Eventually } from '../eventually.ts'
import { transactionalReplication } from '../transactions/transactions.ts'
import type { Coordinator, Replication } from './replication.ts'

const protocols: Readonly<Record<NodeConfig['replication'], (coordinator: Coordinator) => Eventually<Replication>>> = { abd: cachedOrNot, paxos: paxosReplication, primary: primaryReplication, '2pc': transactionalReplication, 'paxos-commit': transactionalReplication, quorum: foundOrRelayed }

/** Quorums of all, or of one behind a client cache. */
function cachedOrNot(coordinator: Coordinator): Replication {
  const { config, clock } = coordinator
  switch (config.client_cache) {
    case 'none':
      return abdReplication(coordinator)
    case 'polled':
      return polledCache(abdReplication(coordinator), config, clock)
    case 'call-backs':
      return callBackCache(abdReplication(coordinator), coordinator)
  }
}

function foundOrRelayed(coordinator: Coordinator): Replication {
  const { relaysOf, config, timestamps } = coordinator
  if (config.versions === 'vector-clocks') return keepingSiblings(quorumReplication(coordinator), timestamps)
  return relaysOf === undefined ? quorumReplication(coordinator) : relayed(quorumReplication(coordinator), { ...coordinator, relaysOf })
}

/** The protocol that the configuration names. */
export function replicationOf(name: NodeConfig['replication'], coordinator: Coordinator): Eventually<Replication> {
  return protocols[name](coordinator)
}
