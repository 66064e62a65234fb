/**
 * The links of a cluster in containers: what is wrong with each is kept here, and every change is written into the
 * packet filters of the nodes that it concerns, one call per node and table.
 *
 * Filters hold a lease, which the controller renews while anything is wrong. When the controller dies, the kernel
 * stops to apply them when the lease runs out.
 */
import type { Log, NodeId } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { Capability, CapabilityReport, Link, Links } from '../../cluster.ts'
import { explain } from './errors.ts'
import { FILTER_SETUP, filterText, linkKey, needsQueues, queueRulesText, queuesText, undisturbed } from './filter.ts'
import type { Disturbance, Place, Topology } from './filter.ts'
import type { Namespace } from './namespace.ts'

/** How long filters outlive the controller. */
export const LEASE_MS = 20_000

const RESTORE = ['iptables-restore', '-w', '-n'] as const
const QUEUES = ['tc', '-batch', '-'] as const

/** One node's filters as they stand. */
interface Filters {
  readonly place: Place
  readonly namespace: Namespace
  /** Queues have been installed and not removed. */
  queues: boolean
  /** The chain that feeds the queues exists. */
  queueChain: boolean
}

/** What the links of one cluster are made of. */
export interface LinksParts {
  readonly topology: Topology
  readonly namespaces: ReadonlyMap<NodeId, Namespace>
  /** The wall clock of the machine whose kernel applies node `id`'s filters. */
  wall(id: NodeId): number
  probe(link: Link, deadlineMs: number): Promise<boolean>
  /** Capabilities of the kernels that the nodes run under. */
  readonly report: CapabilityReport
  readonly log: Log
  readonly leaseMs: number
}

/** Links that can be closed: nothing is renewed after that. */
export interface DockerLinks extends Links {
  close(): void
}

/** Prepares one namespace for filters. Done once, when it is new. */
export async function prepareNamespace(namespace: Namespace): Promise<void> {
  try {
    await namespace.feed(RESTORE, FILTER_SETUP)
  } catch (error) {
    throw explain(error, "Preparing a node's packet filter")
  }
}

/** The links of one cluster. */
export function dockerLinks(parts: LinksParts): DockerLinks {
  const { topology, log, report } = parts
  const disturbances = new Map<string, Disturbance>()
  const filters = new Map<NodeId, Filters>()
  for (const place of topology.places) {
    const namespace = parts.namespaces.get(place.id)
    if (namespace !== undefined) filters.set(place.id, { place, namespace, queues: false, queueChain: false })
  }

  const write = async (filter: Filters, renewal: boolean): Promise<void> => {
    const { place, namespace } = filter
    const untilMs = parts.wall(place.id) + parts.leaseMs
    const queues = needsQueues(topology, place, disturbances)
    if (!renewal && (queues || filter.queues)) {
      await namespace.feed(QUEUES, queuesText(topology, place, disturbances, filter.queues))
      filter.queues = queues
    }
    const queueRules = queues || filter.queueChain ? queueRulesText(topology, place, disturbances, untilMs, !filter.queueChain) : ''
    filter.queueChain ||= queues
    await namespace.feed(RESTORE, queueRules + filterText(topology, place, disturbances, untilMs))
  }

  // One change at a time: two at once could write an older state over a newer one.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const turn = last.then(action)
    last = turn.catch(() => undefined)
    return turn
  }

  const isDisturbed = ({ place: { id } }: Filters): boolean => [...disturbances.keys()].some((key) => key.split(' ').includes(id))
  const renew = (): Promise<void> =>
    inTurn(async () => {
      const results = await Promise.allSettled([...filters.values()].filter(isDisturbed).map((filter) => write(filter, true)))
      for (const result of results) if (result.status === 'rejected') log.warn(`a link fault's lease could not be renewed: ${String(result.reason)}`)
    })
  let renewal: NodeJS.Timeout | undefined
  let closed = false
  const schedule = (): void => {
    clearTimeout(renewal)
    if (closed || disturbances.size === 0) return
    renewal = setTimeout(() => void renew().finally(schedule), parts.leaseMs / 4)
  }

  const change = (links: readonly Link[], edit: (before: Disturbance) => Disturbance): Promise<void> =>
    inTurn(async () => {
      const concerned = new Set(links.flatMap(({ from, to }) => [from, to]).filter((end) => end !== 'clients'))
      const affected = [...concerned].map((id) => {
        const filter = filters.get(id)
        if (filter === undefined) throw new ClusterError('no-such-node', `There is no node ${id} in this cluster; its nodes are ${[...filters.keys()].join(', ')}.`)
        return filter
      })
      for (const link of links) {
        const after = edit(disturbances.get(linkKey(link)) ?? undisturbed)
        if (isUndisturbed(after)) disturbances.delete(linkKey(link))
        else disturbances.set(linkKey(link), after)
      }
      await Promise.all(affected.map((filter) => write(filter, false))).catch((error: unknown) => {
        throw explain(error, "Changing the nodes' packet filters")
      })
      schedule()
    })

  const allLinks = (): Link[] =>
    topology.places.flatMap(({ id: to }) => [{ from: 'clients', to }, ...topology.places.filter(({ id }) => id !== to).map(({ id: from }) => ({ from, to }))])

  const needing = async (capability: Capability, links: readonly Link[], edit: Partial<Disturbance>): Promise<void> => {
    const { available, reason } = report[capability]
    if (!available) throw new ClusterError('unsupported', `Links cannot be disturbed this way (${capability}): ${reason}.`)
    await change(links, (before) => ({ ...before, ...edit }))
  }
  return {
    cut: (links) => needing('cut', links, { cut: true }),
    lose: (links, share) => needing('lose', links, { lose: share }),
    limit: (links, bytesPerSecond) => needing('limit', links, { bytesPerSecond }),
    delay: (links, ms, jitterMs) => needing('delay', links, { delay: { ms, jitterMs } }),
    heal: (links = allLinks()) => (report.cut.available ? change(links, () => undisturbed) : Promise.resolve()),
    probe: parts.probe,
    close() {
      closed = true
      clearTimeout(renewal)
    },
  }
}

function isUndisturbed({ cut, lose, bytesPerSecond, delay }: Disturbance): boolean {
  return !cut && lose === 0 && bytesPerSecond === undefined && delay === undefined
}
