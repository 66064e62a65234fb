/**
 * Dependency graphs in typed arrays: edges are collected, then laid out by their origin (compressed sparse rows).
 *
 * Nodes are transactions, and behind them auxiliary nodes that stand for nobody: they keep what would be quadratic
 * linear (everything that came before in real time; all appends that no read shows). An edge out of an auxiliary node
 * has the kind JOIN and costs nothing.
 */

/** Kinds of edges, as bits of a mask. */
export const WW = 1
export const WR = 2
export const RW = 4
export const SESSION = 8
export const REALTIME = 16
/** Goes on from an auxiliary node. */
export const JOIN = 32
/** Forced by what a read should have seen (`saturation.ts`). */
export const FORCED = 64

/** Edges under construction. */
export class Edges {
  count = 0
  nodes: number
  from: Int32Array
  to: Int32Array
  kind: Uint8Array
  key: Int32Array

  /** `nodes`: how many there are already, transactions and those of other parts of the same graph; `expected`: how many edges there will be, roughly. */
  constructor(nodes: number, expected: number) {
    const size = Math.max(expected, 64)
    this.nodes = nodes
    this.from = new Int32Array(size)
    this.to = new Int32Array(size)
    this.kind = new Uint8Array(size)
    this.key = new Int32Array(size)
  }

  /** A new auxiliary node. */
  node(): number {
    return this.nodes++
  }

  /** `key`: the key that the dependency is about, -1 when it is about none. Edges to oneself are none. */
  add(from: number, to: number, kind: number, key: number): void {
    if (from === to) return
    if (this.count === this.from.length) this.#grow()
    this.from[this.count] = from
    this.to[this.count] = to
    this.kind[this.count] = kind
    this.key[this.count++] = key
  }

  #grow(): void {
    const size = this.count * 2
    const grown = { from: new Int32Array(size), to: new Int32Array(size), kind: new Uint8Array(size), key: new Int32Array(size) }
    grown.from.set(this.from)
    grown.to.set(this.to)
    grown.kind.set(this.kind)
    grown.key.set(this.key)
    Object.assign(this, grown)
  }
}

/** A graph to be searched. The edges out of node v are `first[v]` to `first[v + 1]`. */
export interface Graph {
  readonly nodes: number
  readonly transactions: number
  readonly first: Int32Array
  readonly to: Int32Array
  readonly kind: Uint8Array
  readonly key: Int32Array
  /** Of a part of another graph, by node: the node there. */
  readonly origin?: Int32Array
}

/** Lays edges out by origin, those of all parts together; nodes of a part are the transactions and auxiliary nodes of this and earlier parts. Linear. */
export function graphOf(parts: readonly Edges[], transactions: number): Graph {
  const nodes = parts.at(-1)!.nodes
  const first = new Int32Array(nodes + 1)
  let total = 0
  for (const { count, from } of parts) {
    for (let edge = 0; edge < count; edge++) first[from[edge]! + 1]!++
    total += count
  }
  for (let node = 0; node < nodes; node++) first[node + 1]! += first[node]!
  const graph = { nodes, transactions, first, to: new Int32Array(total), kind: new Uint8Array(total), key: new Int32Array(total) }
  const next = first.slice()
  for (const part of parts) layOut(part, next, graph)
  return graph
}

function layOut({ count, from, to, kind, key }: Edges, next: Int32Array, graph: Graph): void {
  for (let edge = 0; edge < count; edge++) {
    const at = next[from[edge]!]!++
    graph.to[at] = to[edge]!
    graph.kind[at] = kind[edge]!
    graph.key[at] = key[edge]!
  }
}

/** Strongly connected components. */
export interface Components {
  /** Component of each node, or -1 when it is alone in it (or was left out). */
  readonly of: Int32Array
  /** The components of two nodes or more. */
  readonly members: readonly (readonly number[])[]
}

/**
 * The strongly connected components over the edges whose kind is in `mask`, among the nodes for which `within` is not
 * -1 (all when absent). Tarjan, "Depth-First Search and Linear Graph Algorithms" (SIAM J. Comput. 1(2), 1972), with a
 * stack of its own. Linear.
 */
export function components(graph: Graph, mask: number, within?: Int32Array): Components {
  const { nodes, first, to, kind } = graph
  const index = new Int32Array(nodes)
  const low = new Int32Array(nodes)
  const next = new Int32Array(nodes)
  const onStack = new Uint8Array(nodes)
  const of = new Int32Array(nodes).fill(-1)
  const members: number[][] = []
  const stack: number[] = []
  const path: number[] = []
  let counter = 0
  for (let root = 0; root < nodes; root++) {
    if (index[root] !== 0 || (within !== undefined && within[root] === -1)) continue
    path.push(root)
    while (path.length > 0) {
      const node = path.at(-1)!
      if (index[node] === 0) {
        index[node] = low[node] = ++counter
        next[node] = first[node]!
        stack.push(node)
        onStack[node] = 1
      }
      let down = -1
      while (next[node]! < first[node + 1]!) {
        const edge = next[node]!++
        const target = to[edge]!
        if ((kind[edge]! & mask) === 0 || (within !== undefined && within[target] === -1)) continue
        if (index[target] === 0) {
          down = target
          break
        }
        if (onStack[target] === 1 && index[target]! < low[node]!) low[node] = index[target]!
      }
      if (down >= 0) {
        path.push(down)
        continue
      }
      path.pop()
      const parent = path.at(-1)
      if (parent !== undefined && low[node]! < low[parent]!) low[parent] = low[node]!
      if (low[node] !== index[node]) continue
      close(node, stack, onStack, of, members)
    }
  }
  return { of, members }
}

/** The edges of some parts that lie within a part of the graph that all of them belong to. Linear, and quick where that is small. */
export function restricted(parts: readonly Edges[], { nodes, transactions, origin }: Graph): Graph {
  const number = new Map(Array.from(origin!, (node, at) => [node, at]))
  const inside = new Uint8Array(parts.at(-1)!.nodes)
  for (const node of origin!) inside[node] = 1
  const edges = new Edges(nodes, 0)
  for (const { count, from, to, kind, key } of parts) {
    for (let edge = 0; edge < count; edge++) {
      if (inside[from[edge]!] === 1 && inside[to[edge]!] === 1) edges.add(number.get(from[edge]!)!, number.get(to[edge]!)!, kind[edge]!, key[edge]!)
    }
  }
  return { ...graphOf([edges], transactions), origin: origin! }
}

/**
 * The part of a graph in which all its cycles are: nodes of components, edges within them. Whoever looks for several kinds
 * of cycles looks there, and seldom has much to look at. Linear.
 */
export function coreOf(graph: Graph): Graph {
  const { nodes, first, to, kind, key } = graph
  const { of } = components(graph, 0xff)
  const number = new Int32Array(nodes)
  const origin = Int32Array.from({ length: of.reduce((sum, one) => (one < 0 ? sum : sum + 1), 0) })
  let [inside, transactions] = [0, 0]
  for (let node = 0; node < nodes; node++) {
    if (of[node]! < 0) continue
    if (node < graph.transactions) transactions++
    origin[inside] = graph.origin === undefined ? node : graph.origin[node]!
    number[node] = inside++
  }
  const edges = new Edges(inside, 0)
  for (let node = 0; node < nodes; node++) {
    if (of[node]! < 0) continue
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) if (of[to[edge]!] === of[node]) edges.add(number[node]!, number[to[edge]!]!, kind[edge]!, key[edge]!)
  }
  return { ...graphOf([edges], transactions), origin }
}

/** Takes a finished component off the stack. */
function close(root: number, stack: number[], onStack: Uint8Array, of: Int32Array, members: number[][]): void {
  if (stack.at(-1) === root) {
    stack.pop()
    onStack[root] = 0
    return
  }
  const component: number[] = []
  for (;;) {
    const node = stack.pop()!
    onStack[node] = 0
    of[node] = members.length
    component.push(node)
    if (node === root) break
  }
  members.push(component)
}
