/**
 * A Chord ring on the light network, and the truth about it: who stands where, and where a token belongs.
 */
import { VirtualClock, sleep } from '../../../../harness/clock.ts'
import type { NodeId, Random } from '../../../../harness/env.ts'
import { pick, seededRandom, shuffle } from '../../../../harness/random.ts'
import { TOKENS } from '../../partitioner.ts'
import { Chord, tokenOf } from '../chord.ts'
import { LightNetwork } from './light-network.ts'

const INTERVAL_MS = 100
const HOP_DEADLINE_MS = 50
const SETTLE_ROUNDS_MAX = 400

/** What a ring is made of. */
export interface ChordRingOptions {
  readonly nodes: number
  readonly seed: number
}

/** How a number of lookups went. */
export interface Lookups {
  readonly right: number
  readonly meanHops: number
}

/** A ring whose every node runs the store's own Chord. */
export class ChordRing {
  readonly clock: VirtualClock
  readonly network: LightNetwork
  readonly #random: Random
  readonly #k: number
  readonly #alive = new Map<NodeId, Chord>()
  readonly #tokens = new Set<number>()
  #named = 0

  private constructor(clock: VirtualClock, { nodes, seed }: ChordRingOptions) {
    this.clock = clock
    this.#random = seededRandom(seed)
    this.network = new LightNetwork(clock, this.#random.fork('network'))
    this.#k = Math.max(1, Math.ceil(Math.log2(nodes)))
  }

  /** Builds the ring by letting it double, join by join, and runs `body` in its virtual time. */
  static run<T>(options: ChordRingOptions, body: (ring: ChordRing) => Promise<T>): Promise<T> {
    const clock = new VirtualClock({ limitMs: 3_600_000 })
    const ring = new ChordRing(clock, options)
    return clock.run(async () => {
      ring.join(1)
      while (ring.size < options.nodes) {
        ring.join(Math.min(ring.size, options.nodes - ring.size))
        await ring.#stand()
      }
      return body(ring)
    })
  }

  get size(): number {
    return this.#alive.size
  }

  /** Lets this many more nodes join at once, each through a node that is there. */
  join(count: number): void {
    const there = [...this.#alive.keys()]
    for (let i = 0; i < count; i++) this.#begin(this.#name(), there)
  }

  #begin(self: NodeId, there: readonly NodeId[]): void {
    const seeds = there.length === 0 ? [] : [pick(this.#random, there), pick(this.#random, there)]
    const chord = new Chord({
      self,
      seeds,
      successors: this.#k,
      replicas: 3,
      intervalMs: INTERVAL_MS,
      hopDeadlineMs: HOP_DEADLINE_MS,
      clock: this.clock,
      random: this.#random.fork(`${self} ${this.clock.now()}`),
      rpc: this.network.conversation(self),
    })
    this.#alive.set(self, chord)
    void chord.start()
  }

  /** Names whose tokens are taken are passed over: Chord has no place for two nodes at one token. */
  #name(): NodeId {
    for (;;) {
      const name = `n${++this.#named}`
      if (this.#tokens.has(tokenOf(name))) continue
      this.#tokens.add(tokenOf(name))
      return name
    }
  }

  /** Kills half of the nodes at once. Returns who they were. */
  killHalf(): NodeId[] {
    const doomed = shuffle(this.#random, [...this.#alive.keys()]).slice(0, Math.floor(this.#alive.size / 2))
    for (const node of doomed) {
      this.#alive.get(node)!.stop()
      this.#alive.delete(node)
      this.network.kill(node)
    }
    return doomed
  }

  /** Lets nodes that were killed form a ring of their own, as behind a partition, and be reachable again. */
  revive(nodes: readonly NodeId[]): void {
    for (const node of nodes) this.#begin(node, nodes)
  }

  /** Waits until every node stands where it should and fingers have had their turns, or for a long time. Resolves to the rounds this took. */
  async settle(): Promise<number> {
    const rounds = await this.#stand()
    await sleep(this.clock, 2 * INTERVAL_MS * Math.ceil(Math.log2(this.size + 1)))
    return rounds
  }

  async #stand(): Promise<number> {
    let rounds = 0
    for (; rounds < SETTLE_ROUNDS_MAX && this.misplaced() > 0; rounds++) await sleep(this.clock, INTERVAL_MS)
    return rounds
  }

  /** How many nodes do not know their true neighbours on both sides. */
  misplaced(): number {
    const order = this.#order()
    if (order.length === 1) return 0
    return order.filter((node, i) => {
      const chord = this.#alive.get(node)!
      return chord.successors[0] !== order[(i + 1) % order.length] || chord.predecessor !== order.at(i - 1)
    }).length
  }

  /** The most nodes that any node remembers. */
  stateMax(): number {
    return Math.max(...[...this.#alive.values()].map((chord) => chord.known().length))
  }

  /** Looks random tokens up from random nodes. */
  async lookups(count: number): Promise<Lookups> {
    const order = this.#order()
    let right = 0
    let hops = 0
    await Promise.all(Array.from({ length: count }, async () => {
      const token = Math.floor(this.#random.float() * TOKENS)
      const asker = this.#alive.get(pick(this.#random, order))!
      const owner = order[firstAtOrAfter(order, token)]
      const route = await asker.route(token).catch(() => undefined)
      hops += route?.hops ?? 0
      if (route?.location.replicas[0] === owner) right++
    }))
    return { right, meanHops: hops / count }
  }

  #order(): NodeId[] {
    return [...this.#alive.keys()].sort((a, b) => tokenOf(a) - tokenOf(b))
  }
}

function firstAtOrAfter(order: readonly NodeId[], token: number): number {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (tokenOf(order[middle]!) < token) low = middle + 1
    else high = middle
  }
  return low % order.length
}
