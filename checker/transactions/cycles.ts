/**
 * Cycles of dependencies, by class: of write dependencies alone (G0), with read dependencies (G1c), with one
 * anti-dependency (G-single), with several of which no two are adjacent (G-nonadjacent), with any (G2-item); each also
 * with the order of sessions and with real time. Adya 1999, chapter 4; Elle (VLDB 2020), section 5; Cerone and Gotsman 2018.
 *
 * Where there is no cycle at all, one search for strongly connected components says so. Otherwise everything goes on
 * inside the components, and from each the shortest cycle of each class is reported. G0, G1c, G-nonadjacent and G2-item
 * are decided exactly and in linear time; G-single asks for a path per anti-dependency, within a bound.
 */
import { components, FORCED, JOIN, REALTIME, RW, SESSION, WR, WW, type Components, type Graph } from './graph.ts'
import { PathSearch } from './paths.ts'
import type { AnomalyType } from './levels.ts'

/** Which orders count beside the dependencies. */
export const families = { plain: 0, process: SESSION, realtime: SESSION | REALTIME } as const
export type Family = keyof typeof families

const classes = ['G0', 'G1c', 'G-single', 'G-nonadjacent', 'G2-item'] as const
type CycleClass = (typeof classes)[number]

/** One cycle: edges of the graph, the first going out of a transaction. */
export interface Cycle {
  readonly type: AnomalyType
  readonly edges: readonly number[]
  /** Where each edge begins. */
  readonly origins: readonly number[]
}

/** The cycles of a family. */
export interface CycleReport {
  /** The shortest of each component and class. */
  readonly cycles: readonly Cycle[]
  /** Classes that were found. */
  readonly found: ReadonlySet<CycleClass>
  /** Classes for whose absence the bound was too small. */
  readonly undecided: ReadonlySet<CycleClass>
}

/** Edges that a search for one class may look at. */
const VISITS_MAX = 30_000_000
/** Components of which cycles are reported. */
const COMPONENTS_MAX = 50

/** Finds the cycles of a family; `wanted` restricts the classes. */
export function findCycles(graph: Graph, family: Family, wanted: readonly CycleClass[] = classes): CycleReport {
  const orders = families[family] | JOIN
  const all = components(graph, WW | WR | RW | orders)
  const report = { cycles: [] as Cycle[], found: new Set<CycleClass>(), undecided: new Set<CycleClass>() }
  if (all.members.length === 0) return report
  const search = new Search(graph, orders, all)
  for (const one of wanted) {
    const { cycles, complete } = search.find(one)
    for (const cycle of cycles) report.found.add(cycle.type.replace(/-(process|realtime)$/, '') as CycleClass)
    report.cycles.push(...cycles)
    if (!complete) report.undecided.add(one)
  }
  return report
}

/** The shortest cycle through a forced edge; undefined when there is no cycle at all, `shown` when none goes through one. */
export function forcedCycle(graph: Graph, mask: number): Pick<Cycle, 'edges' | 'origins'> | 'shown' | undefined {
  const all = components(graph, mask)
  if (all.members.length === 0) return undefined
  return new Search(graph, 0, all).through(FORCED, mask, all, false).cycles[0] ?? 'shown'
}

/** Looks for cycles within the components of one family. */
class Search {
  readonly #graph: Graph
  readonly #orders: number
  readonly #all: Components
  readonly #paths: PathSearch

  constructor(graph: Graph, orders: number, all: Components) {
    this.#graph = graph
    this.#orders = orders
    this.#all = all
    this.#paths = new PathSearch(graph)
  }

  find(one: CycleClass): { cycles: Cycle[]; complete: boolean } {
    switch (one) {
      case 'G0':
        return this.through(WW, WW | this.#orders, components(this.#graph, WW | this.#orders, this.#all.of), false)
      case 'G1c':
        return this.through(WR, WW | WR | this.#orders, components(this.#graph, WW | WR | this.#orders, this.#all.of), false)
      case 'G-single':
        return this.through(RW, WW | WR | this.#orders, this.#all, false)
      case 'G-nonadjacent': {
        const apart = componentsApart(this.#graph, WW | WR | RW | this.#orders, this.#all)
        return apart === undefined ? { cycles: [], complete: true } : this.through(RW, WW | WR | RW | this.#orders, apart, true)
      }
      case 'G2-item':
        return this.through(RW, WW | WR | RW | this.#orders, this.#all, false)
    }
  }

  /** In each component the shortest cycle that begins with an edge of kind `start` and goes on over `mask`. */
  through(start: number, mask: number, { of, members }: Components, apart: boolean): { cycles: Cycle[]; complete: boolean } {
    const cycles: Cycle[] = []
    const limit = this.#paths.visits + VISITS_MAX
    let complete = true
    for (const [component, nodes] of members.entries()) {
      const cycle = this.#shortest(nodes, start, { mask, within: of, component, apart }, limit)
      if (cycle !== undefined) cycles.push(cycle)
      if (cycles.length >= COMPONENTS_MAX) break
      if (this.#paths.visits > limit) {
        complete = cycles.length > 0
        break
      }
    }
    return { cycles, complete }
  }

  #shortest(nodes: readonly number[], start: number, bounds: { mask: number; within: Int32Array; component: number; apart: boolean }, limit: number): Cycle | undefined {
    const { first, kind, to, transactions } = this.#graph
    let best: number[] | undefined
    let bestLength = Infinity
    let from = -1
    for (const node of nodes) {
      if (node >= transactions) continue
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        if (kind[edge] !== start || bounds.within[to[edge]!] !== bounds.component) continue
        const path = this.#paths.back(node, edge, bestLength - 2, bounds)
        if (path !== undefined) {
          best = [edge, ...path]
          bestLength = best.filter((one) => kind[one] !== JOIN).length
          from = node
        }
        if (bestLength <= 2 || this.#paths.visits > limit) return best && this.#cycle(from, best)
      }
    }
    return best && this.#cycle(from, best)
  }

  /** Names a cycle by what it is made of. */
  #cycle(from: number, edges: readonly number[]): Cycle {
    const { kind, to } = this.#graph
    const origins = edges.map((_, at) => (at === 0 ? from : to[edges[at - 1]!]!))
    const kinds = edges.map((edge) => kind[edge]!).filter((one) => one !== JOIN)
    const anti = kinds.filter((one) => one === RW).length
    const adjacent = kinds.some((one, at) => one === RW && kinds[(at + 1) % kinds.length] === RW)
    const name: CycleClass = anti === 0 ? (kinds.includes(WR) ? 'G1c' : 'G0') : anti === 1 ? 'G-single' : adjacent ? 'G2-item' : 'G-nonadjacent'
    const suffix = kinds.includes(REALTIME) ? '-realtime' : kinds.includes(SESSION) ? '-process' : ''
    return { type: `${name}${suffix}` as AnomalyType, edges, origins }
  }
}

/**
 * The components with a closed walk in which no two anti-dependencies follow each other: strongly connected components
 * over pairs of a node and whether an anti-dependency led to it. Undefined when there are none.
 */
function componentsApart(graph: Graph, mask: number, { of, members }: Components): Components | undefined {
  const edges = { first: new Int32Array(graph.nodes * 2 + 1), to: [] as number[], kind: [] as number[] }
  for (let node = 0; node < graph.nodes; node++) {
    for (const after of [0, 1]) {
      for (let edge = graph.first[node]!; of[node] !== -1 && edge < graph.first[node + 1]!; edge++) {
        const what = graph.kind[edge]!
        const target = graph.to[edge]!
        if ((what & mask) === 0 || of[target] !== of[node] || (after === 1 && what === RW)) continue
        edges.to.push(target * 2 + (what === RW || (what === JOIN && after === 1) ? 1 : 0))
        edges.kind.push(what)
      }
      edges.first[node * 2 + after + 1] = edges.to.length
    }
  }
  const product: Graph = { nodes: graph.nodes * 2, transactions: graph.nodes * 2, first: edges.first, to: Int32Array.from(edges.to), kind: Uint8Array.from(edges.kind), key: new Int32Array(0) }
  const walks = new Set<number>()
  for (const [state] of components(product, mask).members) walks.add(of[state! >> 1]!)
  return walks.size === 0 ? undefined : { of, members: members.map((nodes, component) => (walks.has(component) ? nodes : [])) }
}
