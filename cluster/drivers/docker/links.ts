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
import type { Detours } from './detours.ts'
import { FILTER_SETUP, filterText, linkKey, linkOf, neededTables, needsQueues, queueRulesText, queuesText, struckPackets, tableSetupText, tableText, undisturbed } from './filter.ts'
import type { Disturbance, Disturbances, ExtraTable, Place, Topology } from './filter.ts'
import type { Namespace } from './namespace.ts'

/** How long filters outlive the controller. */
export const LEASE_MS = 20_000

/** Renewals per lease: one that fails, or comes late, is not the end of a fault. */
const RENEWALS = 4

const RESTORE = ['iptables-restore', '-w', '-n'] as const
const QUEUES = ['tc', '-batch', '-'] as const

/** What the links of one cluster are made of. */
export interface LinksParts {
  readonly topology: Topology
  readonly namespaces: ReadonlyMap<NodeId, Namespace>
  /** The wall clock of the machine whose kernel applies node `id`'s filters. */
  wall(id: NodeId): number
  probe(link: Link, deadlineMs: number): Promise<boolean>
  readonly volley: Links['volley'] | undefined
  /** Proxies that links can be led through; undefined where the nodes could not reach them. */
  readonly detours: Detours | undefined
  /** Whether the kernels can delay packets by themselves. */
  readonly hasNetem: boolean
  /** What the kernels that the nodes run under can do. */
  readonly report: CapabilityReport
  readonly log: Log
  readonly leaseMs: number
}

/** Prepares one namespace for filters. Done once, when it is new. */
export async function prepareNamespace(namespace: Namespace): Promise<void> {
  try {
    await namespace.feed(RESTORE, FILTER_SETUP)
  } catch (error) {
    throw explain(error, "Preparing a node's packet filter")
  }
}

/** One node's filters, and what of them has been installed so far. */
class NodeFilters {
  readonly place: Place
  readonly #namespace: Namespace
  readonly #topology: Topology
  #hasQueues = false
  #hasQueueChain = false
  readonly #tables = new Set<ExtraTable>()
  /** What the rules say now, and by link how many packets earlier rules of the same disturbance have struck: new rules count from zero. */
  #written: Disturbances = new Map()
  #struckBefore: ReadonlyMap<string, number> = new Map()

  constructor(place: Place, namespace: Namespace, topology: Topology) {
    this.place = place
    this.#namespace = namespace
    this.#topology = topology
  }

  /** Makes the node's filters say what `disturbances` says, until `untilMs` of the clock of its kernel. */
  async write(disturbances: Disturbances, untilMs: number): Promise<void> {
    const queues = needsQueues(this.#topology, this.place, disturbances)
    if (queues || this.#hasQueues) {
      try {
        await this.#namespace.feed(QUEUES, queuesText(this.#topology, this.place, disturbances, this.#hasQueues))
      } catch (error) {
        // A batch stops at its first error, and half a tree of queues would be in the way of the next one.
        await this.#namespace.feed(QUEUES, queuesText(this.#topology, this.place, new Map(), true)).catch(() => undefined)
        this.#hasQueues = false
        throw error
      }
      this.#hasQueues = queues
    }
    await this.renew(disturbances, untilMs)
  }

  /** Writes the rules with a new end. The queues end with the rules that feed them, and stay as they are. */
  async renew(disturbances: Disturbances, untilMs: number): Promise<void> {
    const struckBefore = await this.#countsOfWhatGoesOn(disturbances)
    const needsChain = this.#hasQueues && !this.#hasQueueChain
    const queueRules = this.#hasQueues || this.#hasQueueChain ? queueRulesText(this.#topology, this.place, disturbances, untilMs, needsChain) : ''
    this.#hasQueueChain ||= needsChain
    const fresh = neededTables(this.#topology, this.place, disturbances).filter((table) => !this.#tables.has(table))
    for (const table of fresh) this.#tables.add(table)
    // Marks and detours first: what the filter drops and resets must find them there.
    const tables = [...this.#tables].map((table) => tableText(table, this.#topology, this.place, disturbances, untilMs))
    await this.#namespace.feed(RESTORE, [...fresh.map(tableSetupText), queueRules, ...tables, filterText(this.#topology, this.place, disturbances, untilMs)].join(''))
    this.#written = new Map(disturbances)
    this.#struckBefore = struckBefore
  }

  /** How many of a link's packets have been struck since its disturbance began. */
  async struck(link: Link): Promise<number> {
    return this.#struckIn(await this.#saved(), link)
  }

  /** By link, how many packets have been struck by disturbances that go on as they are. */
  async #countsOfWhatGoesOn(next: Disturbances): Promise<Map<string, number>> {
    const links = [...this.#written].filter(([key, disturbance]) => next.get(key) === disturbance).map(([key]) => linkOf(key)).filter(({ from, to }) => [from, to].includes(this.place.id))
    const saved = links.length > 0 ? await this.#saved() : ''
    return new Map(links.map((link) => [linkKey(link), this.#struckIn(saved, link)]))
  }

  #struckIn(saved: string, link: Link): number {
    return (this.#struckBefore.get(linkKey(link)) ?? 0) + struckPackets(saved, link, this.#topology, this.place, this.#written)
  }

  async #saved(): Promise<string> {
    const tables = ['filter', ...(this.#tables.has('mangle') ? ['mangle'] : [])]
    return (await Promise.all(tables.map((table) => this.#namespace.feed(['iptables-save', '-c', '-t', table], '')))).join('\n')
  }
}

/** The links of one cluster. */
export class DockerLinks implements Links {
  readonly #parts: LinksParts
  readonly #disturbances = new Map<string, Disturbance>()
  readonly #filters = new Map<NodeId, NodeFilters>()
  #lastChange: Promise<unknown> = Promise.resolve()
  #renewal: NodeJS.Timeout | undefined
  #closed = false
  #marks = 0
  readonly volley?: NonNullable<Links['volley']>

  constructor(parts: LinksParts) {
    this.#parts = parts
    if (parts.volley !== undefined) this.volley = parts.volley
    for (const place of parts.topology.places) {
      const namespace = parts.namespaces.get(place.id)
      if (namespace !== undefined) this.#filters.set(place.id, new NodeFilters(place, namespace, parts.topology))
    }
  }

  cut(links: readonly Link[]): Promise<void> {
    return this.#disturb('cut', links, { cut: true })
  }

  lose(links: readonly Link[], share: number): Promise<void> {
    return this.#disturb('lose', links, { lose: share })
  }

  limit(links: readonly Link[], bytesPerSecond: number): Promise<void> {
    return this.#disturb('limit', links, { bytesPerSecond })
  }

  delay(links: readonly Link[], ms: number, jitterMs: number): Promise<void> {
    return this.#disturb('delay', links, { delay: { ms, jitterMs } })
  }

  duplicate(links: readonly Link[], share: number): Promise<void> {
    return this.#disturb('duplicate', links, { duplicate: share })
  }

  corrupt(links: readonly Link[], share: number): Promise<void> {
    return this.#disturb('corrupt', links, { corrupt: share })
  }

  reset(links: readonly Link[], share: number): Promise<void> {
    return this.#disturb('reset', links, { reset: share })
  }

  halfOpen(links: readonly Link[]): Promise<void> {
    return this.#disturb('half-open', links, { silentBefore: ++this.#marks })
  }

  async heal(links: readonly Link[] = this.#allLinks()): Promise<void> {
    if (this.#parts.report.cut.available) await this.#change(links, () => undisturbed)
  }

  probe(link: Link, deadlineMs: number): Promise<boolean> {
    return this.#parts.probe(link, deadlineMs)
  }

  /** What was struck at both ends, and on the detour between them. */
  async tally(link: Link): Promise<number> {
    return this.#inTurn(async () => {
      const ends = await Promise.all(this.#filtersAt([link]).map((filters) => filters.struck(link)))
      const passed = this.#disturbances.get(linkKey(link))?.detour === undefined ? 0 : await this.#parts.detours!.struck(link)
      return Math.max(...ends, passed)
    })
  }

  /** Renews nothing any more, and takes the detours away. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#renewal)
    void this.#parts.detours?.close().catch(() => undefined)
  }

  #allLinks(): Link[] {
    const ids = this.#parts.topology.places.map(({ id }) => id)
    return ids.flatMap((to) => [{ from: 'clients', to }, ...ids.filter((id) => id !== to).map((from) => ({ from, to }))])
  }

  async #disturb(capability: Capability, links: readonly Link[], edit: Partial<Disturbance>): Promise<void> {
    const { available, reason } = this.#parts.report[capability]
    if (!available) throw new ClusterError('unsupported', `Links cannot be disturbed this way (${capability}): ${reason}.`)
    await this.#change(links, (before) => ({ ...before, ...edit }))
  }

  #change(links: readonly Link[], edit: (before: Disturbance) => Disturbance): Promise<void> {
    return this.#inTurn(async () => {
      const affected = this.#filtersAt(links)
      const left: Link[] = []
      for (const link of links) {
        const before = this.#disturbances.get(linkKey(link)) ?? undisturbed
        const after = await this.#detoured(link, edit({ ...before, detour: undefined }))
        if (before.detour !== undefined && after.detour === undefined) left.push(link)
        if (isUndisturbed(after)) this.#disturbances.delete(linkKey(link))
        else this.#disturbances.set(linkKey(link), after)
      }
      await Promise.all(affected.map((filters) => filters.write(this.#disturbances, this.#until(filters)))).catch((error: unknown) => {
        throw explain(error, "Changing the nodes' packet filters")
      })
      // Only now, when nothing leads there any more.
      await Promise.all(left.map((link) => this.#parts.detours!.leave(link)))
      this.#scheduleRenewal()
    })
  }

  /** The same disturbance, with the way around through a proxy where only that can do it. */
  async #detoured(link: Link, disturbance: Disturbance): Promise<Disturbance> {
    const { corrupt, delay } = disturbance
    const needed = corrupt > 0 || (delay !== undefined && !this.#parts.hasNetem)
    if (!needed || this.#parts.detours === undefined || link.from === 'clients') return disturbance
    return { ...disturbance, detour: await this.#parts.detours.lead(link, { corrupt, ...(this.#parts.hasNetem ? {} : { delay }) }) }
  }

  /** One change at a time: two at once could write an older state over a newer one. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(action)
    this.#lastChange = turn.catch(() => undefined)
    return turn
  }

  /** The filters of both ends of these links. */
  #filtersAt(links: readonly Link[]): NodeFilters[] {
    const ends = new Set(links.flatMap(({ from, to }) => [from, to]).filter((end) => end !== 'clients'))
    return [...ends].map((id) => {
      const filters = this.#filters.get(id)
      if (filters === undefined) throw new ClusterError('no-such-node', `There is no node ${id} in this cluster; its nodes are ${[...this.#filters.keys()].join(', ')}.`)
      return filters
    })
  }

  #until({ place }: NodeFilters): number {
    return this.#parts.wall(place.id) + this.#parts.leaseMs
  }

  #scheduleRenewal(): void {
    clearTimeout(this.#renewal)
    if (this.#closed || this.#disturbances.size === 0) return
    this.#renewal = setTimeout(() => void this.#renew(), this.#parts.leaseMs / RENEWALS)
  }

  async #renew(): Promise<void> {
    await this.#inTurn(async () => {
      const ends = new Set([...this.#disturbances.keys()].flatMap((key) => key.split(' ')))
      const disturbed = [...this.#filters.values()].filter(({ place }) => ends.has(place.id))
      const results = await Promise.allSettled(disturbed.map((filters) => filters.renew(this.#disturbances, this.#until(filters))))
      for (const result of results) {
        if (result.status === 'rejected' && !this.#closed) this.#parts.log.warn(`a link fault's lease could not be renewed: ${String(result.reason)}`)
      }
    })
    this.#scheduleRenewal()
  }
}

function isUndisturbed(disturbance: Disturbance): boolean {
  return Object.entries(undisturbed).every(([name, value]) => disturbance[name as keyof Disturbance] === value)
}
