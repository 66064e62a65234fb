/**
 * Chord (Stoica et al., "Chord: a scalable peer-to-peer lookup protocol for internet applications", IEEE/ACM
 * Transactions on Networking 11(1), 2003): nodes stand on the ring at the hash of their names, a key belongs to the
 * first node at or after its token, and each node knows only its predecessor, its k successors and its fingers, entry i
 * of which is the first node at or after its own token + 2^i. A lookup halves the distance with every hop.
 *
 * `stabilize` and `notify` mend the ring while nodes come and go. Two additions, because the paper's ring falls apart
 * where networks are cut: a node that has lost all its successors finds a place again through anyone it remembers, and
 * nodes that were lost are asked again now and then, so that two rings become one after a partition (Shafaat, Ghodsi
 * and Haridi, "Handling network partitions and mergers in structured overlay networks", P2P 2007).
 *
 * Routing is iterative: whoever looks asks hop by hop, and goes around nodes that are silent.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import { pick, shuffle } from '../../../harness/random.ts'
import { StoreError } from '../errors.ts'
import { murmur3 } from '../hash.ts'
import type { Kind } from '../messages.ts'
import { TOKENS, clockwise, onArc } from '../partitioner.ts'
import { goAround } from './around.ts'
import { askOne, askPatiently, hasLeft } from './asking.ts'
import type { Conversation } from './asking.ts'
import type { Location, OpenOverlay } from './lookup.ts'
import { CHORD_NEIGHBOURS, CHORD_NOTIFY, CHORD_STEP, LEAVING } from './messages.ts'

/** m: the ring has 2^m tokens. */
const BITS = 32
/** Nodes named as closer in one step, so that there is a way around those that are down. */
const ALTERNATIVES = 3
/** Fingers looked up in one round. */
const FINGERS_AT_ONCE = 1
/** Every so many rounds somebody who was lost is asked again. */
const REMEMBER_EVERY = 4
/** Nodes that are passed on the way back to the successor in one round. */
const STEPS_BACK_MAX = 16
/** Rounds without a word from the predecessor after which it counts as gone. */
const SILENT_ROUNDS = 4

/** What a Chord node is made of. */
export interface ChordOptions {
  readonly self: NodeId
  /** Nodes to join through. */
  readonly seeds: readonly NodeId[]
  /** k: how many successors are remembered. */
  readonly successors: number
  /** How many of them, the owner included, are a key's replicas. */
  readonly replicas: number
  readonly intervalMs: number
  readonly hopDeadlineMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Conversation
}

/** Where a node stands on the ring. */
export function tokenOf(node: NodeId): number {
  return murmur3(node)
}

/** What one node says about a token. */
interface Step {
  readonly from: NodeId
  readonly found: boolean
  readonly nodes: readonly NodeId[]
}

/** One node of the ring. */
export class Chord implements OpenOverlay {
  readonly token: number
  readonly #options: ChordOptions
  /** Nearest first; none: this node is alone, and its own successor. */
  #successors: readonly NodeId[] = []
  /** Whether the list of successors goes all the way around. */
  #whole = true
  #predecessor: NodeId | undefined
  #heardAt = 0
  readonly #fingers = new Array<NodeId | undefined>(BITS).fill(undefined)
  #nextFinger = 0
  #lost: NodeId[] = []
  #rounds = 0
  #timer: Timer | undefined
  #stopped = false
  #left = false

  constructor(options: ChordOptions) {
    this.#options = options
    this.token = tokenOf(options.self)
    options.rpc.serve(CHORD_STEP, token => {
      const { found, nodes } = this.#step(token)
      return [found, nodes] as const
    })
    options.rpc.serve(CHORD_NEIGHBOURS, (_, from) => {
      this.#mustBeHere()
      if (from === this.#predecessor) this.#heardAt = options.clock.now()
      return [this.#predecessor ?? '', this.#successors] as const
    })
    options.rpc.serve(CHORD_NOTIFY, (_, from) => this.#notified(from))
    options.rpc.serve(LEAVING, (_, from) => {
      this.#forget(from)
      return null
    })
  }

  get successors(): readonly NodeId[] {
    return this.#successors
  }

  get predecessor(): NodeId | undefined {
    return this.#predecessor
  }

  known(): readonly NodeId[] {
    const all = new Set([...this.#successors, ...this.#fingers.filter(finger => finger !== undefined), ...this.#lost])
    if (this.#predecessor !== undefined) all.add(this.#predecessor)
    return [...all]
  }

  async start(): Promise<void> {
    await this.#join(shuffle(this.#options.random, this.#options.seeds))
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async around(): Promise<readonly NodeId[]> {
    const { self, rpc } = this.#options
    this.#mustBeHere()
    if (this.#successors.length === 0 && !this.#whole) throw new StoreError('UNAVAILABLE', `definite: ${self} has lost all its successors`)
    return goAround({ self, first: this.#successors, after: async node => (await askPatiently(rpc, CHORD_NEIGHBOURS, node, null))?.[1] })
  }

  placesIn(ring: readonly NodeId[]): ReadonlyMap<NodeId, number> {
    return new Map(ring.map(node => [node, tokenOf(node)]))
  }

  async leave(): Promise<void> {
    const { rpc } = this.#options
    this.stop()
    this.#left = true
    const others = [...new Set([...this.#successors, ...(this.#predecessor === undefined ? [] : [this.#predecessor])])]
    await Promise.all(others.map(node => askPatiently(rpc, LEAVING, node, null)))
  }

  #mustBeHere(): void {
    if (this.#left) throw hasLeft(this.#options.self)
  }

  find(token: number): Promise<Location> {
    return this.route(token).then(({ location }) => location)
  }

  /** A lookup, and how many nodes had to be asked for it. Fails with UNAVAILABLE when nobody who knows can be reached. */
  async route(token: number): Promise<{ readonly location: Location; readonly hops: number }> {
    if (!this.#left && this.#predecessor !== undefined && onArc(token, tokenOf(this.#predecessor), this.token)) {
      return { location: this.#located([this.#options.self, ...this.#successors], tokenOf(this.#predecessor)), hops: 0 }
    }
    const { found, hops } = await this.#walk(token, this.#step(token))
    if (found === undefined) throw new StoreError('UNAVAILABLE', `definite: nobody who knows where token ${token} belongs can be reached, ${hops} nodes were asked`)
    return { location: this.#located(found.nodes, tokenOf(found.from)), hops }
  }

  #located(nodes: readonly NodeId[], after: number): Location {
    return { replicas: nodes.slice(0, this.#options.replicas), substitutes: [], after, upTo: tokenOf(nodes[0]!) }
  }

  /** Asks node after node, always the closest before the token, until one says that it stands right before it. */
  async #walk(token: number, first: Step): Promise<{ readonly found: Step | undefined; readonly hops: number }> {
    const { self } = this.#options
    const asked = new Set([self])
    const closer = new Map<NodeId, number>()
    let step: Step | undefined = first
    for (let hops = 0; ; hops++) {
      if (step?.found === true) return { found: step, hops }
      for (const node of step?.nodes ?? []) if (!asked.has(node)) closer.set(node, clockwise(tokenOf(node), token) || TOKENS)
      const next = nearest(closer)
      if (next === undefined) return { found: undefined, hops }
      asked.add(next)
      closer.delete(next)
      const answer: readonly [boolean, readonly NodeId[]] | undefined = await this.#ask(CHORD_STEP, next, token)
      if (answer === undefined) this.#dropFinger(next)
      step = answer === undefined || (answer[0] && answer[1].length === 0) ? undefined : { from: next, found: answer[0], nodes: answer[1] }
    }
  }

  /** What this node can say about a token. What lies between it and its successor is the successor's, also when it has left. */
  #step(token: number): Step {
    const { self } = this.#options
    const successor = this.#successors[0] ?? (this.#whole ? self : undefined)
    if (successor !== undefined && onArc(token, this.token, tokenOf(successor))) {
      return { from: self, found: true, nodes: this.#whole && !this.#left ? [...this.#successors, self] : this.#successors }
    }
    const ahead = clockwise(this.token, token)
    const closer = new Map<NodeId, number>()
    for (const node of [...this.#successors, ...this.#fingers]) {
      if (node === undefined) continue
      const distance = clockwise(this.token, tokenOf(node))
      if (distance > 0 && distance < ahead) closer.set(node, ahead - distance)
    }
    const nodes = [...closer.keys()].sort((a, b) => closer.get(a)! - closer.get(b)!).slice(0, ALTERNATIVES)
    return { from: self, found: false, nodes }
  }

  #ask<Request, Reply>(kind: Kind<Request, Reply>, node: NodeId, request: Request): Promise<Reply | undefined> {
    const { rpc, clock, hopDeadlineMs } = this.#options
    return askOne(rpc, clock, hopDeadlineMs, kind, node, request)
  }

  #schedule(): void {
    if (this.#stopped) return
    const { clock, intervalMs, random } = this.#options
    this.#timer = clock.after(intervalMs * (0.75 + random.float() / 2), () => {
      void this.#round().then(() => this.#schedule())
    })
  }

  async #round(): Promise<void> {
    const { clock, intervalMs } = this.#options
    this.#rounds++
    if (this.#predecessor !== undefined && clock.now() - this.#heardAt > SILENT_ROUNDS * intervalMs * 1e6) this.#predecessor = undefined
    await this.#stabilize()
    for (let i = 0; i < FINGERS_AT_ONCE; i++) await this.#fixFinger()
    if (this.#successors.length === 0 || this.#rounds % REMEMBER_EVERY === 0) await this.#remember()
  }

  /** Asks the first successor that answers who stands before it: if somebody stands in between, that is the successor, or somebody before that. */
  async #stabilize(): Promise<void> {
    // A node that is alone is its own successor, and learns from its predecessor that it is alone no more.
    const candidates = this.#successors.length === 0 && this.#predecessor !== undefined ? [this.#predecessor] : this.#successors
    for (const node of candidates) {
      const neighbours = await this.#ask(CHORD_NEIGHBOURS, node, null)
      if (neighbours === undefined) {
        this.#lose(node)
        continue
      }
      await this.#goBack(node, neighbours)
      if (this.#stopped) return
      await this.#ask(CHORD_NOTIFY, this.#successors[0]!, null)
      return
    }
    if (candidates.length > 0 || !this.#whole) await this.#join([...this.known()].sort((a, b) => clockwise(this.token, tokenOf(a)) - clockwise(this.token, tokenOf(b))))
  }

  /** Adopts this node, or the first of those before it that has nobody between itself and this one: a node that has lost all its successors comes back from far away. */
  async #goBack(from: NodeId, its: readonly [before: NodeId | '', after: readonly NodeId[]]): Promise<void> {
    let [node, [before, after]] = [from, its]
    for (let steps = 0; steps < STEPS_BACK_MAX; steps++) {
      const between = this.#nearerThan(node, before)
      if (between === undefined) break
      const nearer = await this.#ask(CHORD_NEIGHBOURS, between, null)
      if (nearer === undefined) {
        this.#lose(between)
        break
      }
      node = between
      ;[before, after] = nearer
    }
    this.#adopt(node, after)
  }

  /**
   * Somebody who stands between this node and its successor: the successor's predecessor, or anyone known. Looking at
   * all of them is what unwinds a ring that goes around twice, in which everyone is content with its neighbours
   * (Liben-Nowell, Balakrishnan and Karger, "Analysis of the evolution of peer-to-peer systems", PODC 2002).
   */
  #nearerThan(successor: NodeId, before: NodeId | ''): NodeId | undefined {
    const distance = (node: NodeId): number => clockwise(this.token, tokenOf(node)) || TOKENS
    const believed = this.known().filter(node => !this.#lost.includes(node))
    const between = [...believed, ...(before === '' ? [] : [before])].filter(node => node !== this.#options.self && distance(node) < distance(successor))
    return between.length === 0 ? undefined : between.reduce((best, node) => (distance(node) < distance(best) ? node : best))
  }

  #adopt(successor: NodeId, after: readonly NodeId[]): void {
    const { self, successors: k } = this.#options
    const next = [...new Set([successor, ...after])]
    const end = next.indexOf(self)
    this.#whole = end >= 0 && end <= k
    this.#successors = (end < 0 ? next : next.slice(0, end)).slice(0, k)
    this.#lost = this.#lost.filter(node => !this.#successors.includes(node))
  }

  #notified(from: NodeId): null {
    const before = this.#predecessor
    if (from !== this.#options.self && (before === undefined || onArc(tokenOf(from), tokenOf(before), this.token))) this.#predecessor = from
    if (from === this.#predecessor) this.#heardAt = this.#options.clock.now()
    return null
  }

  /** Finds this node's place through the first of these that knows it; alone if none does. */
  async #join(through: readonly NodeId[]): Promise<void> {
    this.#successors = []
    this.#whole = false
    for (const node of through) if (node !== this.#options.self && (await this.#enter(node))) return
    this.#whole = true
  }

  /** Looks this node's own token up, beginning at another: whoever stands there, if nearer than the successor, is the successor. */
  async #enter(through: NodeId): Promise<boolean> {
    const { self } = this.#options
    const { found } = await this.#walk(this.token, { from: self, found: false, nodes: [through] })
    // Those who are said to follow may be dead: then the other itself is a successor, far away, whose predecessors lead back.
    for (const successor of [...(found?.nodes ?? []), through]) {
      const current = this.#successors[0]
      if (successor === self) continue
      if (current !== undefined && (successor === current || !onArc(tokenOf(successor), this.token, tokenOf(current)))) return true
      const neighbours = await this.#ask(CHORD_NEIGHBOURS, successor, null)
      if (neighbours === undefined) continue
      this.#adopt(successor, neighbours[1])
      return true
    }
    return false
  }

  async #fixFinger(): Promise<void> {
    const successor = this.#successors[0]
    if (successor === undefined) return
    // The fingers that lie before the successor are the successor.
    const reach = clockwise(this.token, tokenOf(successor))
    for (let i = 0; i < BITS; i++) {
      this.#nextFinger = (this.#nextFinger + 1) % BITS
      if (2 ** this.#nextFinger > reach) break
      this.#fingers[this.#nextFinger] = successor
    }
    const finger = this.#nextFinger
    const start = (this.token + 2 ** finger) % TOKENS
    const { found } = await this.#walk(start, this.#step(start))
    if (found !== undefined) this.#fingers[finger] = found.nodes[0] === this.#options.self ? undefined : found.nodes[0]
  }

  /** Asks somebody who was lost, or a seed: after a partition there may be another ring, to become one with. */
  async #remember(): Promise<void> {
    const { self, seeds, random } = this.#options
    const others = [...new Set([...this.#lost, ...seeds])].filter(node => node !== self && !this.#successors.includes(node))
    if (others.length > 0) await this.#enter(pick(random, others))
  }

  #dropFinger(node: NodeId): void {
    for (let i = 0; i < BITS; i++) if (this.#fingers[i] === node) this.#fingers[i] = undefined
  }

  #forget(node: NodeId): void {
    this.#successors = this.#successors.filter(other => other !== node)
    this.#dropFinger(node)
    if (this.#predecessor === node) this.#predecessor = undefined
  }

  #lose(node: NodeId): void {
    const { successors: k, self } = this.#options
    this.#forget(node)
    // Whoever has lost everyone is not alone for that: it must ask its way back before it speaks for the whole ring.
    if (this.#successors.length === 0) this.#whole = false
    if (node !== self && !this.#lost.includes(node)) this.#lost = [...this.#lost, node].slice(-k)
  }
}

function nearest(closer: ReadonlyMap<NodeId, number>): NodeId | undefined {
  let best: NodeId | undefined
  for (const [node, distance] of closer) if (best === undefined || distance < closer.get(best)!) best = node
  return best
}
