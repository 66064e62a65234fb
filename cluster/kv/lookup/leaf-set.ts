/**
 * Prefix routing with leaf sets (Rowstron and Druschel, "Pastry: scalable, decentralized object location and routing
 * for large-scale peer-to-peer systems", Middleware 2001): a key belongs to the nodes whose tokens are numerically
 * closest to its own. A node knows its nearest neighbours on both sides, the leaf set, and for every length of common
 * prefix one node for each next digit. A lookup fixes one more digit with every hop, until a leaf set covers the token.
 *
 * Routing is recursive: every node passes the question on and the answer comes back the same way. Nodes are not chosen
 * by proximity, as Pastry does: here all are equally far. A node that others speak of is believed in when it has
 * answered itself, so that the dead do not come back by hearsay.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import { pick, shuffle } from '../../../harness/random.ts'
import { StoreError } from '../errors.ts'
import { TOKENS, clockwise, onArc } from '../partitioner.ts'
import { goAround } from './around.ts'
import { askOne, askPatiently, hasLeft } from './asking.ts'
import type { Conversation } from './asking.ts'
import { tokenOf } from './chord.ts'
import type { Location, OpenOverlay } from './lookup.ts'
import { LEAF_KNOWN, LEAF_ROUTE, LEAVING } from './messages.ts'

/** Leaves on either side. */
const SIDE = 4
/** b: bits of a digit. */
const DIGIT_BITS = 4
const DIGITS = 32 / DIGIT_BITS
/** A node that did not pass a question on is left aside for so long. */
const ASIDE_MS = 1_000
/** Every so many rounds somebody who was lost, or a seed, is asked. */
const REMEMBER_EVERY = 4
const LOST_MAX = 16

/** What a node of the overlay is made of. */
export interface LeafSetOptions {
  readonly self: NodeId
  readonly seeds: readonly NodeId[]
  readonly replicas: number
  readonly intervalMs: number
  readonly hopDeadlineMs: number
  /** How long a whole lookup may take. */
  readonly budgetMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Conversation
}

/** A location, and how often the question was passed on. */
export interface LeafRoute {
  readonly location: Location
  readonly hops: number
}

/** One node of the overlay. */
export class LeafSet implements OpenOverlay {
  readonly token: number
  readonly #options: LeafSetOptions
  /** Everyone known, whether as a leaf or for the routing table. */
  #leaves: readonly NodeId[] = []
  /** "common digits, next digit" -> node. */
  readonly #table = new Map<string, NodeId>()
  readonly #asideUntil = new Map<NodeId, number>()
  #lost: readonly NodeId[] = []
  #rounds = 0
  #timer: Timer | undefined
  #stopped = false
  #left = false

  constructor(options: LeafSetOptions) {
    this.#options = options
    this.token = tokenOf(options.self)
    options.rpc.serve(LEAF_ROUTE, async ([token, budgetMs]) => {
      const { location, hops } = await this.route(token, budgetMs)
      return [location.replicas, location.after, location.upTo, hops] as const
    })
    options.rpc.serve(LEAF_KNOWN, (_, from) => {
      this.#mustBeHere()
      this.#learn(from)
      return this.known()
    })
    options.rpc.serve(LEAVING, (_, from) => {
      this.#forget(from)
      return null
    })
  }

  known(): readonly NodeId[] {
    return [...new Set([...this.#leaves, ...this.#table.values()])]
  }

  async start(): Promise<void> {
    const { self, seeds, random } = this.#options
    for (const seed of shuffle(random, seeds)) if (seed !== self && (await this.#enter(seed))) break
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async around(): Promise<readonly NodeId[]> {
    const { self, rpc } = this.#options
    this.#mustBeHere()
    const behind = (node: NodeId, known: readonly NodeId[]): NodeId[] => inOrder(known.filter(other => other !== node), tokenOf(node))
    return goAround({ self, first: behind(self, this.#leaves), after: async node => {
      const known = await askPatiently(rpc, LEAF_KNOWN, node, null)
      return known && behind(node, known)
    } })
  }

  /** A node is the closest to what lies half-way to the nodes on either side. */
  placesIn(ring: readonly NodeId[]): ReadonlyMap<NodeId, number> {
    return new Map(ring.map((node, i) => [node, ring.length === 1 ? tokenOf(node) : middle(tokenOf(node), tokenOf(ring[(i + 1) % ring.length]!))]))
  }

  async leave(): Promise<void> {
    this.stop()
    this.#left = true
    await Promise.all(this.known().map(node => askPatiently(this.#options.rpc, LEAVING, node, null)))
  }

  #mustBeHere(): void {
    if (this.#left) throw hasLeft(this.#options.self)
  }

  async find(token: number): Promise<Location> {
    return (await this.route(token, this.#options.budgetMs)).location
  }

  /** Answers, or passes the question on and waits; around a node that is silent while there is time. Fails with UNAVAILABLE. */
  async route(token: number, budgetMs: number): Promise<LeafRoute> {
    const { self, rpc, clock } = this.#options
    const end = clock.now() + budgetMs * 1e6
    for (let tries = 0; ; tries++) {
      const next = this.#closer(token)
      if (next === self) return { location: this.#locate(token), hops: 0 }
      const leftMs = Math.floor((end - clock.now()) / 1e6)
      if (next === undefined || leftMs < 2 || tries > LOST_MAX) throw new StoreError('UNAVAILABLE', `definite: nobody who knows where token ${token} belongs answered within ${budgetMs} ms`)
      const answer = await askOne(rpc, clock, leftMs / 2, LEAF_ROUTE, next, [token, Math.floor(leftMs / 2)])
      if (answer === undefined || answer[0].length === 0) this.#asideUntil.set(next, clock.now() + ASIDE_MS * 1e6)
      else return { location: { replicas: answer[0], substitutes: [], after: answer[1], upTo: answer[2] }, hops: answer[3] + 1 }
    }
  }

  /** Who is to be asked about a token: this node itself when it is the closest that its leaf set knows of. */
  #closer(token: number): NodeId | undefined {
    const { self, clock } = this.#options
    const now = clock.now()
    const usable = (node: NodeId): boolean => (this.#asideUntil.get(node) ?? 0) <= now
    if (this.#left) return inDistance(this.known().filter(usable), token)[0]
    const own = distance(this.token, token)
    const closest = [self, ...this.#leaves.filter(usable)].reduce((best, node) => (distance(tokenOf(node), token) < distance(tokenOf(best), token) ? node : best))
    if (this.#covers(token)) return closest
    const common = commonDigits(this.token, token)
    const entry = this.#table.get(slot(common, token))
    if (entry !== undefined && usable(entry)) return entry
    // The rare case of the paper: anyone with as long a prefix who is closer.
    return this.known().find(node => usable(node) && commonDigits(tokenOf(node), token) >= common && distance(tokenOf(node), token) < own) ?? (closest === self ? undefined : closest)
  }

  /** Whether the closest node to the token must be among the leaves and this node. */
  #covers(token: number): boolean {
    if (this.#leaves.length < 2 * SIDE) return true
    const [first, last] = [this.#leaves[0]!, this.#leaves.at(-1)!]
    return onArc(token, tokenOf(first), tokenOf(last))
  }

  /** The replicas of a token that lies among the leaves: the N closest. They change half-way between the ones that come and go. */
  #locate(token: number): Location {
    const { self, replicas: N } = this.#options
    const order = [self, ...this.#leaves].sort((a, b) => tokenOf(a) - tokenOf(b))
    const replicas = inDistance(order, token).slice(0, N)
    if (order.length <= N) return { replicas, substitutes: [], after: 0, upTo: 0 }
    const at = (i: number): number => tokenOf(order[(i + order.length) % order.length]!)
    const start = order.findIndex((node, i) => replicas.includes(node) && !replicas.includes(order[(i - 1 + order.length) % order.length]!))
    return { replicas, substitutes: [], after: middle(at(start - 1), at(start + N - 1)), upTo: middle(at(start), at(start + N)) }
  }

  #schedule(): void {
    if (this.#stopped) return
    const { clock, intervalMs, random } = this.#options
    this.#timer = clock.after(intervalMs * (0.75 + random.float() / 2), () => {
      void this.#round().then(() => this.#schedule())
    })
  }

  /** Asks one leaf after the other, and now and then somebody from the table or who was lost, whom they know. */
  async #round(): Promise<void> {
    const { random, seeds, self } = this.#options
    this.#rounds++
    const leaf = this.#leaves[this.#rounds % Math.max(1, this.#leaves.length)]
    if (leaf !== undefined) await this.#consult(leaf)
    const others = this.#rounds % REMEMBER_EVERY === 0 ? [...this.#lost, ...seeds.filter(seed => seed !== self)] : [...this.#table.values()]
    if (others.length > 0) await this.#consult(pick(random, others))
  }

  /** Learns from another whom it knows; forgets it when it is silent. */
  async #consult(node: NodeId): Promise<boolean> {
    const { rpc, clock, hopDeadlineMs } = this.#options
    const known = await askOne(rpc, clock, hopDeadlineMs, LEAF_KNOWN, node, null)
    if (known === undefined) {
      this.#lose(node)
      return false
    }
    this.#learn(node)
    for (const other of known) {
      if (!this.#wants(other)) continue
      if ((await askOne(rpc, clock, hopDeadlineMs, LEAF_KNOWN, other, null)) !== undefined) this.#learn(other)
    }
    return true
  }

  /** Finds this node's neighbours through another. */
  async #enter(seed: NodeId): Promise<boolean> {
    const { rpc, clock, budgetMs, self } = this.#options
    if (!(await this.#consult(seed))) return false
    const route = await askOne(rpc, clock, budgetMs, LEAF_ROUTE, seed, [this.token, budgetMs])
    for (const node of route?.[0] ?? []) if (node !== self) await this.#consult(node)
    return true
  }

  /** Whether a node would have a place here. */
  #wants(node: NodeId): boolean {
    if (node === this.#options.self || this.#leaves.includes(node)) return false
    return !this.#table.has(this.#slotOf(node)) || this.#leavesOf([...this.#leaves, node]).includes(node)
  }

  #learn(node: NodeId): void {
    if (node === this.#options.self) return
    this.#lost = this.#lost.filter(other => other !== node)
    this.#asideUntil.delete(node)
    const key = this.#slotOf(node)
    if (!this.#table.has(key)) this.#table.set(key, node)
    if (!this.#leaves.includes(node)) this.#leaves = this.#leavesOf([...this.#leaves, node])
  }

  #forget(node: NodeId): void {
    this.#leaves = this.#leavesOf([...this.#leaves, ...this.#table.values()].filter(other => other !== node))
    if (this.#table.get(this.#slotOf(node)) === node) this.#table.delete(this.#slotOf(node))
  }

  #lose(node: NodeId): void {
    this.#forget(node)
    if (!this.#lost.includes(node)) this.#lost = [...this.#lost, node].slice(-LOST_MAX)
  }

  #slotOf(node: NodeId): string {
    return slot(commonDigits(this.token, tokenOf(node)), tokenOf(node))
  }

  /** The nearest on either side, in the order of the ring from the farthest before this node to the farthest after it. */
  #leavesOf(nodes: readonly NodeId[]): NodeId[] {
    const order = inOrder([...new Set(nodes)], this.token)
    if (order.length <= 2 * SIDE) return order
    return [...order.slice(-SIDE), ...order.slice(0, SIDE)]
  }
}

/** The shorter way between two tokens. */
function distance(a: number, b: number): number {
  const ahead = clockwise(a, b)
  return Math.min(ahead, TOKENS - ahead)
}

/** The nearest on either side first. */
function inDistance(nodes: readonly NodeId[], token: number): NodeId[] {
  return [...nodes].sort((a, b) => distance(tokenOf(a), token) - distance(tokenOf(b), token))
}

/** Clockwise from a token. */
function inOrder(nodes: readonly NodeId[], token: number): NodeId[] {
  return [...nodes].sort((a, b) => clockwise(token, tokenOf(a)) - clockwise(token, tokenOf(b)))
}

function middle(from: number, to: number): number {
  return (from + Math.floor(clockwise(from, to) / 2)) % TOKENS
}

function digit(token: number, index: number): number {
  return (token >>> (32 - DIGIT_BITS * (index + 1))) & (2 ** DIGIT_BITS - 1)
}

/** How many digits two tokens have in common from the front. */
function commonDigits(a: number, b: number): number {
  let common = 0
  while (common < DIGITS && digit(a, common) === digit(b, common)) common++
  return common
}

/** The place in the table for tokens that share so many digits with this node's and go on as this one. */
function slot(common: number, token: number): string {
  return `${common} ${common < DIGITS ? digit(token, common) : 0}`
}
