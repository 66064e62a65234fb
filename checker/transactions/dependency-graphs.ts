/**
 * The dependency graphs of a history: certain dependencies, those that stronger levels force, those of one total order of
 * versions. Each holds the order of sessions and of real time too: a search leaves out what its family does not count.
 */
import { coreOf, Edges, graphOf, restricted, type Graph } from './graph.ts'
import { addRealTime, addSessions } from './time-order.ts'
import { families, type Family } from './cycles.ts'
import type { Analysis } from './analysis.ts'
import type { Transactions } from './transactions.ts'

/** Makes each graph once, when it is asked for, and of each only the part in which its cycles are. */
export class DependencyGraphs {
  readonly #transactions: Transactions
  readonly #analysis: Analysis
  /** Dependencies, sessions, real time: as families count them, one after the other. */
  readonly #parts: readonly Edges[]
  readonly #cores = new Map<string, Graph>()
  readonly #strengthened = new Map<Family, Edges>()
  /** The cycles of some order of versions: all that is certain is part of it. */
  #bounds: Graph | undefined

  constructor(transactions: Transactions, analysis: Analysis) {
    const { count } = transactions
    this.#transactions = transactions
    this.#analysis = analysis
    const sessions = new Edges(analysis.edges.nodes, count)
    addSessions(sessions, transactions, analysis.happened)
    const realTime = new Edges(sessions.nodes, count * 3)
    addRealTime(realTime, transactions, analysis.happened)
    this.#parts = [analysis.edges, sessions, realTime]
  }

  /** The cycles of what is certain wherever the history is read committed. */
  get base(): Graph {
    return this.#once('base', () => coreOf(this.#bounds === undefined ? graphOf(this.#parts, this.#transactions.count) : restricted(this.#parts, this.#bounds)))
  }

  /** The cycles of what is certain under parallel snapshot isolation and everything stronger, or under the form of snapshot isolation that counts the family's orders. */
  strong(family: Family): Graph {
    const edges = this.#strength(family)
    return edges.count === 0 ? this.base : this.#once(`strong ${family}`, () => coreOf(this.whole(edges)))
  }

  /** The cycles of one total order of versions. */
  completed(rank: (transaction: number) => number): Graph {
    const edges = this.more(0)
    this.#analysis.complete(edges, rank)
    if (edges.count === 0) return this.base
    const core = coreOf(this.whole(edges))
    this.#bounds ??= core
    return core
  }

  /** All that is certain under the strong levels of a family, and nothing of the orders that it does not count. */
  certain(family: Family): Graph {
    const counted = this.#parts.slice(0, 1 + Object.keys(families).indexOf(family))
    return graphOf([...counted, this.#strength(family)], this.#transactions.count)
  }

  /** For edges to be added to a graph. */
  more(expected: number): Edges {
    return new Edges(this.#parts.at(-1)!.nodes, expected)
  }

  /** What is certain wherever the history is read committed, and other edges beside it. */
  whole(edges: Edges): Graph {
    return graphOf([...this.#parts, edges], this.#transactions.count)
  }

  #strength(family: Family): Edges {
    let edges = this.#strengthened.get(family)
    if (edges === undefined) {
      this.#strengthened.set(family, (edges = this.more(0)))
      this.#analysis.strengthen(edges, family)
    }
    return edges
  }

  #once(name: string, make: () => Graph): Graph {
    let graph = this.#cores.get(name)
    if (graph === undefined) this.#cores.set(name, (graph = make()))
    return graph
  }
}
