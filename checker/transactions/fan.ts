/**
 * Anti-dependencies of many readers on many writers, where the writers' order is not known: linear instead of
 * quadratic, by two chains of auxiliary nodes (all targets up to one, all targets since one).
 */
import { JOIN, RW } from './graph.ts'
import type { Edges } from './graph.ts'

/** From how many targets on the chains are worth their nodes. */
const CHAINED_MIN = 3

/** One anti-dependency to every one of some transactions but oneself, in linear size: two chains of auxiliary nodes. */
export class Fan {
  readonly #edges: Edges
  readonly #targets: readonly number[]
  readonly #position: ReadonlyMap<number, number>
  readonly #key: number
  readonly #upTo: number[] = []
  readonly #since: number[] = []

  constructor(edges: Edges, targets: readonly number[], key: number) {
    this.#edges = edges
    this.#targets = targets
    this.#key = key
    this.#position = new Map(targets.map((target, at) => [target, at]))
    if (targets.length < CHAINED_MIN) return
    for (let at = 0; at < targets.length; at++) this.#upTo.push(this.#joint(targets[at]!, this.#upTo[at - 1]))
    for (let at = targets.length - 1; at >= 0; at--) this.#since[at] = this.#joint(targets[at]!, this.#since[at + 1])
  }

  #joint(target: number, beyond: number | undefined): number {
    const node = this.#edges.node()
    this.#edges.add(node, target, JOIN, this.#key)
    if (beyond !== undefined) this.#edges.add(node, beyond, JOIN, this.#key)
    return node
  }

  has(transaction: number): boolean {
    return this.#position.has(transaction)
  }

  from(transaction: number): void {
    const last = this.#targets.length - 1
    if (this.#targets.length < CHAINED_MIN) {
      for (const target of this.#targets) this.#edges.add(transaction, target, RW, this.#key)
      return
    }
    const at = this.#position.get(transaction)
    if (at === undefined) this.#edges.add(transaction, this.#upTo[last]!, RW, this.#key)
    else {
      if (at > 0) this.#edges.add(transaction, this.#upTo[at - 1]!, RW, this.#key)
      if (at < last) this.#edges.add(transaction, this.#since[at + 1]!, RW, this.#key)
    }
  }
}
