/**
 * The dependency graphs of a history: of the dependencies alone, with the order of sessions, with real time; certain
 * ones, those that stronger levels force, and those of one total order of versions. All are laid out from the same parts.
 */
import { Edges, graphOf, type Graph } from './graph.ts'
import { addRealTime, addSessions } from './time-order.ts'
import type { Analysis } from './analysis.ts'
import type { Family } from './cycles.ts'
import type { Transactions } from './transactions.ts'

/** Makes each graph once, when it is asked for. */
export class DependencyGraphs {
  readonly #transactions: Transactions
  readonly #analysis: Analysis
  readonly #sessions: Edges
  readonly #realTime: Edges
  readonly #graphs = new Map<string, Graph>()

  constructor(transactions: Transactions, analysis: Analysis) {
    const { count } = transactions
    this.#transactions = transactions
    this.#analysis = analysis
    this.#sessions = new Edges(analysis.edges.nodes, count)
    addSessions(this.#sessions, transactions, analysis.happened)
    this.#realTime = new Edges(this.#sessions.nodes, count * 3)
    addRealTime(this.#realTime, transactions, analysis.happened)
  }

  /** What is certain wherever the history is read committed. */
  base(family: Family): Graph {
    return this.#once(`base ${family}`, () => graphOf(this.#parts(family), this.#transactions.count))
  }

  /** What is certain under parallel snapshot isolation and everything stronger, in this family. */
  strong(family: Family): Graph {
    return this.#once(`strong ${family}`, () => this.with(family, 0, (edges) => this.#analysis.strengthen(edges, family !== 'plain')))
  }

  /** One total order of versions. */
  completed(family: Family, rank: (transaction: number) => number): Graph {
    return this.with(family, 0, (edges) => this.#analysis.complete(edges, rank))
  }

  /** What is certain and what else is added, `expected` edges roughly. */
  with(family: Family, expected: number, add: (edges: Edges) => void): Graph {
    const parts = this.#parts(family)
    const edges = new Edges(parts.at(-1)!.nodes, expected)
    add(edges)
    if (edges.count === 0) return this.base(family)
    return graphOf([...parts, edges], this.#transactions.count)
  }

  #parts(family: Family): Edges[] {
    const parts = [this.#analysis.edges]
    if (family !== 'plain') parts.push(this.#sessions)
    if (family === 'realtime') parts.push(this.#realTime)
    return parts
  }

  #once(name: string, make: () => Graph): Graph {
    let graph = this.#graphs.get(name)
    if (graph === undefined) this.#graphs.set(name, (graph = make()))
    return graph
  }
}
