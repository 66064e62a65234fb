/**
 * Clusters of our store on the simulator, for tests: a few lines from a preset and a seed to running nodes and clients.
 */
import type { Completion, Json } from '../../../checker/history/index.ts'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import type { Log, NodeId } from '../../../harness/env.ts'
import { seededRandom } from '../../../harness/random.ts'
import { simDriver } from '../../drivers/sim/driver.ts'
import type { SimCluster, SimNode, SimOptions } from '../../drivers/sim/driver.ts'
import type { Link } from '../../cluster.ts'
import { kvSystem } from '../../systems/kv.ts'
import { RespConnection } from '../../systems/resp-connection.ts'
import type { KvOptions } from '../../systems/kv.ts'
import type { Client, System } from '../../system.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What a simulated cluster is made of. */
export interface Simulation extends KvOptions {
  readonly nodes?: number
  /** Machines that may join; they are named on from the nodes. */
  readonly spares?: number
  readonly seed?: number
  readonly sim?: Omit<SimOptions, 'clock'>
  readonly clientDeadlineMs?: number
}

/** A cluster under test, and hands to work it. */
export class Bench {
  readonly cluster: SimCluster
  readonly system: System
  readonly clock: VirtualClock
  readonly #deadlineMs: number
  readonly #clients = new Map<NodeId, Client>()

  constructor(cluster: SimCluster, system: System, clock: VirtualClock, deadlineMs: number) {
    this.cluster = cluster
    this.system = system
    this.clock = clock
    this.#deadlineMs = deadlineMs
  }

  get ids(): readonly NodeId[] {
    return this.cluster.nodes.map((node) => node.id)
  }

  node(id: NodeId): SimNode {
    return this.cluster.nodes.find((node) => node.id === id)!
  }

  /** A client of its own; `on` shares one per node. */
  client(id: NodeId): Client {
    return this.system.client(this.cluster, id, { deadlineMs: this.#deadlineMs })
  }

  on(id: NodeId): Client {
    const client = this.#clients.get(id) ?? this.client(id)
    this.#clients.set(id, client)
    return client
  }

  write(id: NodeId, key: string, value: Json): Promise<Completion> {
    return this.on(id).invoke({ f: 'write', key, value })
  }

  read(id: NodeId, key: string): Promise<Completion> {
    return this.on(id).invoke({ f: 'read', key })
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.clock, ms)
  }

  /** Cuts every link between the two sides. */
  partition(left: readonly NodeId[], right: readonly NodeId[]): Promise<void> {
    const links: Link[] = left.flatMap((a) => right.flatMap((b) => [{ from: a, to: b }, { from: b, to: a }]))
    return this.cluster.links.cut(links)
  }

  /** What each replica holds for a key by itself, in the order of the nodes; nodes that are no replicas are left out. */
  async held(key: string): Promise<Json[]> {
    const peeks = await Promise.all(this.ids.map((id) => this.system.peek!(this.cluster, id, [key], 1000)))
    return peeks.flat().map(({ value }) => value)
  }

  /** What the node counts. */
  async stats(id: NodeId): Promise<Record<string, number>> {
    const connection = await RespConnection.open(this.cluster, id, 'admin', 1000)
    const words = ((await connection.ask(['STATS'], 1000)) as Uint8Array[]).map((word) => Buffer.from(word).toString())
    connection.close()
    return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, Number(words[i + 1])] as const] : [])))
  }

  /** Whether all replicas hold the same for each of the keys. */
  async agree(keys: readonly string[]): Promise<boolean> {
    const replicas = await Promise.all(this.ids.map((id) => this.system.peek!(this.cluster, id, keys, 1000)))
    const held = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]))
    for (const { key, value } of replicas.flat()) held.get(key as string)!.add(JSON.stringify(value))
    return [...held.values()].every((values) => values.size === 1)
  }

  /** Waits until `condition` holds; resolves to the virtual milliseconds that this took. */
  async until(condition: () => Promise<boolean>, limitMs: number): Promise<number> {
    const began = this.clock.now()
    while (!(await condition())) {
      if (this.clock.now() - began > limitMs * 1e6) throw new Error(`still not so after ${limitMs} ms of virtual time`)
      await this.sleep(50)
    }
    return (this.clock.now() - began) / 1e6
  }
}

/** Runs `body` against a simulated cluster, and takes that down afterwards. */
export function simulate<T>(simulation: Simulation, body: (bench: Bench) => Promise<T>): Promise<T> {
  const { nodes = 5, spares = 0, seed = 1, sim, clientDeadlineMs = 2000, ...options } = simulation
  const clock = new VirtualClock({ limitMs: 3_600_000 })
  const system = kvSystem(options)
  const machines = Array.from({ length: nodes + spares }, (_, index) => `n${index + 1}`)
  return clock.run(async () => {
    const cluster = await simDriver({ clock, ...sim }).start(system, { runId: 'test', nodes: machines.slice(0, nodes), spares: machines.slice(nodes), dir: '/nowhere', seed, random: seededRandom(seed), log: silent })
    try {
      return await body(new Bench(cluster, system, clock, clientDeadlineMs))
    } finally {
      await cluster.stop()
    }
  })
}
