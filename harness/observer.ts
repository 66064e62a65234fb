/**
 * The observer reads replicas directly, past any coordination, and writes what each holds into the history: samples
 * while clients work (how far do replicas diverge?), and after the last heal until all agree (do they converge,
 * and when?). At the end it asks every node what it counted of its own work.
 */
import type { Event, Json } from '../checker/history/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { System } from '../cluster/system.ts'
import type { NodeId } from './env.ts'
import { sleep } from './clock.ts'

/** A replica that does not answer within this is left out of the sample. */
const PEEK_DEADLINE_MS = 500
/** A node that does not tell its counters within this is left out. */
const COUNTERS_DEADLINE_MS = 1_000
/** Time between two looks after the heal: the resolution of the time to converge. */
const CONVERGE_INTERVAL_MS = 50

/** What the observer needs. `now` is the history's clock, in nanoseconds. */
export interface ObserverOptions {
  readonly cluster: Cluster
  readonly system: System
  readonly keys: readonly Json[]
  readonly now: () => number
  readonly record: (event: Event) => void
}

export class Observer {
  readonly #options: ObserverOptions

  /** The keys as JSON: what tells them apart. */
  readonly #texts: readonly string[]

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#texts = options.keys.map((key) => JSON.stringify(key))
  }

  /** Reads every key on every replica once. Returns whether all replicas answered and agree on every key. */
  async sample(): Promise<boolean> {
    const { cluster, system, keys, now, record } = this.#options
    if (!system.peek || keys.length === 0) return false
    const columns = await Promise.all(cluster.nodes.map(async ({ id }): Promise<{ id: NodeId; held: ReadonlyMap<string, Json> } | undefined> => {
      try {
        const peeks = await system.peek!(cluster, id, keys, PEEK_DEADLINE_MS)
        return { id, held: new Map(peeks.map((p) => [JSON.stringify(p.key), p.value])) }
      } catch {
        return undefined
      }
    }))
    const answered = columns.filter((c) => c !== undefined)
    let agreed = answered.length === cluster.nodes.length
    const time = now()
    const without = answered.filter(({ held }) => held.size === 0).map(({ id }) => id)
    if (without.length > 0) record({ time, process: 'observer', type: 'ok', f: 'no-replica', value: without })
    keys.forEach((key, at) => {
      const value: Record<NodeId, Json> = {}
      let first: string | undefined
      for (const { id, held } of answered) {
        const one = held.get(this.#texts[at]!)
        if (one === undefined) continue
        value[id] = one
        const text = JSON.stringify(one)
        first ??= text
        agreed &&= text === first
      }
      record({ time, process: 'observer', type: 'ok', f: 'peek', key, value })
    })
    return agreed
  }

  /** Samples every `intervalMs` until `signal` says stop. */
  async watch(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.sample()
      await sleep(this.#options.cluster.clock, intervalMs, signal).catch(() => undefined)
    }
  }

  /** Marks that clients have stopped and faults are healed, then samples until all replicas agree or `deadlineMs` has passed. */
  async converge(deadlineMs: number, signal?: AbortSignal): Promise<boolean> {
    const { cluster, now, record } = this.#options
    record({ time: now(), process: 'observer', type: 'info', f: 'quiesce', value: cluster.nodes.map(({ id }) => id) })
    const end = now() + deadlineMs * 1e6
    for (;;) {
      if (await this.sample()) return true
      if (now() >= end || signal?.aborted) return false
      await sleep(cluster.clock, CONVERGE_INTERVAL_MS)
    }
  }
  /** Records what every node that answers counted, as one event. It stands at the time of asking, so that a node which does not answer makes the run no longer. */
  async counters(): Promise<void> {
    const { cluster, system, now, record } = this.#options
    if (!system.counters) return
    const time = now()
    const counted = await Promise.all(cluster.nodes.map(async ({ id }) => [id, await system.counters!(cluster, id, COUNTERS_DEADLINE_MS).catch(() => undefined)] as const))
    const value = Object.fromEntries(counted.flatMap(([id, counts]) => (counts === undefined ? [] : [[id, counts] as const])))
    if (Object.keys(value).length > 0) record({ time, process: 'observer', type: 'ok', f: 'counters', value })
  }
}
