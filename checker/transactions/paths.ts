/**
 * Shortest paths through a dependency graph. Edges out of auxiliary nodes cost nothing, so that the length of a path is
 * the number of its dependencies (breadth-first search with edges of weight 0 and 1).
 *
 * With `apart` no two anti-dependencies may follow each other: the search then walks over pairs of a node and whether an
 * anti-dependency led to it.
 */
import { JOIN, RW, type Graph } from './graph.ts'

/** Where a search may go. */
export interface Bounds {
  readonly mask: number
  /** Only nodes for which this is `component`. */
  readonly within: Int32Array
  readonly component: number
  /** No two anti-dependencies in a row, the one before the path's first node included. */
  readonly apart: boolean
}

/** Searches one graph again and again without clearing its memory in between. */
export class PathSearch {
  /** Edges looked at so far. */
  visits = 0
  readonly #graph: Graph
  readonly #stamp: Int32Array
  readonly #parent: Int32Array
  readonly #via: Int32Array
  #round = 0

  constructor(graph: Graph) {
    this.#graph = graph
    this.#stamp = new Int32Array(graph.nodes * 2)
    this.#parent = new Int32Array(graph.nodes * 2)
    this.#via = new Int32Array(graph.nodes * 2)
  }

  /**
   * The edges of a shortest path from the head of `edge` back to `origin`, where it began, of less than `lengthMax`
   * dependencies; undefined when there is none.
   */
  back(origin: number, edge: number, lengthMax: number, bounds: Bounds): number[] | undefined {
    const { to, kind } = this.#graph
    const begin = to[edge]! * 2 + (bounds.apart && kind[edge] === RW ? 1 : 0)
    this.#round++
    this.#stamp[begin] = this.#round
    this.#parent[begin] = -1
    let level = [begin]
    for (let length = 0; level.length > 0 && length < lengthMax; length++) {
      const next: number[] = []
      for (let state = level.pop(); state !== undefined; state = level.pop()) {
        const found = this.#expand(state, level, next, origin, bounds)
        if (found >= 0) return this.#path(found)
      }
      level = next
    }
    return undefined
  }

  /** Goes on from a state; returns the state at the origin when it is reached, otherwise -1. */
  #expand(state: number, level: number[], next: number[], origin: number, { mask, within, component, apart }: Bounds): number {
    const { first, to, kind } = this.#graph
    const node = state >> 1
    const after = state & 1
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      this.visits++
      const what = kind[edge]!
      const target = to[edge]!
      if ((what & mask) === 0 || within[target] !== component || (after === 1 && what === RW)) continue
      const reached = target * 2 + (apart && (what === RW || (what === JOIN && after === 1)) ? 1 : 0)
      if (this.#stamp[reached] === this.#round) continue
      this.#stamp[reached] = this.#round
      this.#parent[reached] = state
      this.#via[reached] = edge
      if (target === origin && (reached & 1) === 0) return reached
      if (what === JOIN) level.push(reached)
      else next.push(reached)
    }
    return -1
  }

  #path(end: number): number[] {
    const edges: number[] = []
    for (let state = end; this.#parent[state]! >= 0; state = this.#parent[state]!) edges.unshift(this.#via[state]!)
    return edges
  }
}
