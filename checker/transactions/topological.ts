/** An order of transactions that agrees with a dependency graph as far as it has no cycles, to try version orders with. */
import { components, type Graph } from './graph.ts'

/**
 * A rank by which every edge between different components goes up; where the graph leaves the order open, the smaller
 * `prefer` comes first (Kahn's algorithm over a heap). O(n log n).
 */
export function topologicalRank(graph: Graph, prefer: (transaction: number) => number): (transaction: number) => number {
  const { nodes, transactions, first, to } = graph
  const { of } = components(graph, 0xff)
  const waiting = new Int32Array(nodes)
  const counts = (node: number, target: number): boolean => of[node] === -1 || of[node] !== of[target]
  for (let node = 0; node < nodes; node++) for (let edge = first[node]!; edge < first[node + 1]!; edge++) if (counts(node, to[edge]!)) waiting[to[edge]!]!++
  // Auxiliary nodes go first: they stand for nothing and only hold others up.
  const weight = (node: number): number => (node < transactions ? prefer(node) : -1)
  const heap = new Heap(weight)
  for (let node = 0; node < nodes; node++) if (waiting[node] === 0) heap.push(node)
  const rank = new Float64Array(nodes)
  let at = 0
  for (let node = heap.pop(); node !== undefined; node = heap.pop()) {
    rank[node] = at++
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      const target = to[edge]!
      if (counts(node, target) && --waiting[target]! === 0) heap.push(target)
    }
  }
  return (transaction) => rank[transaction]!
}

/** A binary heap of nodes, smallest weight first. */
class Heap {
  readonly #weight: (node: number) => number
  readonly #nodes: number[] = []

  constructor(weight: (node: number) => number) {
    this.#weight = weight
  }

  push(node: number): void {
    const nodes = this.#nodes
    let at = nodes.push(node) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#weight(nodes[parent]!) <= this.#weight(node)) break
      nodes[at] = nodes[parent]!
      at = parent
    }
    nodes[at] = node
  }

  pop(): number | undefined {
    const nodes = this.#nodes
    const top = nodes[0]
    const last = nodes.pop()
    if (top === undefined || nodes.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= nodes.length) break
      if (child + 1 < nodes.length && this.#weight(nodes[child + 1]!) < this.#weight(nodes[child]!)) child++
      if (this.#weight(last!) <= this.#weight(nodes[child]!)) break
      nodes[at] = nodes[child]!
      at = child
    }
    nodes[at] = last!
    return top
  }
}
