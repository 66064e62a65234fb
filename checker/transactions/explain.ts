/**
 * Cycles in words, as Elle explains them: who comes before whom and why, edge by edge, and that this is a contradiction.
 */
import type { History } from '../history/index.ts'
import { INITIAL, type Analysis, type Anomaly } from './analysis.ts'
import { FORCED, JOIN, REALTIME, RW, SESSION, WR, type Graph } from './graph.ts'
import { anomalyNames } from './levels.ts'
import { NEVER } from '../registers.ts'
import { READ, WRITE, type Transactions } from './transactions.ts'
import { wordsFor, type Words } from './words.ts'
import type { Cycle } from './cycles.ts'
import type { Forced } from './saturation.ts'

/** One dependency of a cycle, from a transaction to a transaction. */
interface Step {
  readonly from: number
  readonly to: number
  readonly kind: number
  readonly key: number
}

/** Says why a cycle cannot be. */
export class Explainer {
  readonly #history: History
  readonly #transactions: Transactions
  readonly #analysis: Pick<Analysis, 'source'>
  readonly #words: Words
  readonly #forced: readonly Forced[]

  /** `forced`: why edges of that kind are there. */
  constructor(history: History, transactions: Transactions, analysis: Pick<Analysis, 'source'>, forced: readonly Forced[] = []) {
    this.#forced = forced
    this.#history = history
    this.#transactions = transactions
    this.#analysis = analysis
    this.#words = wordsFor(history, transactions)
  }

  /** A cycle as an anomaly. */
  anomaly(graph: Graph, cycle: Cycle): Anomaly {
    const steps = stepsOf(graph, cycle)
    const keys = new Set(steps.flatMap(({ key }) => (key < 0 ? [] : [key])))
    const pattern = patternOf(steps, this.#transactions)
    const reasons = steps.map((step) => this.#because(step))
    const edges = steps.map(({ from, to, kind, key }) => ({ from, to, kind: kindName(kind), because: this.#reason(from, to, kind, key) }))
    const readers = steps.flatMap((step) => (step.kind === FORCED ? [this.#forcedBy(step.from, step.to, step.key)] : []))
    return {
      type: cycle.type,
      transactions: [...new Set([...steps.map(({ from }) => from), ...readers])],
      key: keys.size === 1 ? [...keys][0]! : -1,
      explanation: `${pattern ?? anomalyNames[cycle.type]}: ${reasons.join('; ')}: a contradiction`,
      edges,
    }
  }

  #because({ from, to, kind, key }: Step): string {
    const { name } = this.#words
    return `${name(from)} < ${name(to)} because ${this.#reason(from, to, kind, key)}`
  }

  #reason(from: number, to: number, kind: number, key: number): string {
    const { name } = this.#words
    switch (kind) {
      case FORCED:
        return this.#shouldHaveSeen(from, to, key)
      case SESSION:
        return `process ${this.#history.process[this.#transactions.row[from]!]} carried out ${name(from)} first`
      case REALTIME:
        return this.#inRealTime(from, to)
      case WR:
        return `${name(to)} ${this.#read(to, key, from)}, which ${name(from)} wrote`
      case RW:
        return `${name(from)} ${this.#read(from, key, undefined)} and did not see that ${name(to)} ${this.#wrote(to, key)}`
      default:
        return `${name(to)} ${this.#wrote(to, key)} after ${name(from)} ${this.#wrote(from, key)}`
    }
  }

  #shouldHaveSeen(after: number, before: number, on: number): string {
    const { name, key } = this.#words
    const reader = this.#forcedBy(after, before, on)
    return `${name(reader)} ${this.#read(reader, on, before)}, which ${name(before)} wrote, although ${name(after)}, which wrote ${key(on)} too, was visible to it`
  }

  /** Whose read forces one before the other. */
  #forcedBy(after: number, before: number, on: number): number {
    return this.#forced.find((one) => one.after === after && one.before === before && one.key === on)!.reader
  }

  #inRealTime(from: number, to: number): string {
    const { name } = this.#words
    const { row } = this.#transactions
    const done = this.#history.pair[row[from]!]!
    const [before, after] = [this.#history.timeAt(done), this.#history.timeAt(row[to]!)]
    return `${name(from)} was complete${after > before ? ` ${((after - before) / 1e6).toFixed(3)} ms` : ''} before ${name(to)} began`
  }

  /** What a transaction read of a key; of several reads the one from that source, or the last. */
  #read(transaction: number, key: number, source: number | undefined): string {
    const found = this.#micros(transaction, key, READ)
    const chosen = found.find((micro) => this.#analysis.source[micro] === source) ?? found.filter((micro) => this.#analysis.source[micro]! >= INITIAL).at(-1) ?? found.at(-1)
    return chosen === undefined ? `read ${this.#words.key(key)}` : this.#words.micro(chosen)
  }

  #wrote(transaction: number, key: number): string {
    const found = this.#micros(transaction, key, WRITE).at(-1)
    return found === undefined ? `wrote ${this.#words.key(key)}` : this.#words.micro(found)
  }

  #micros(transaction: number, on: number, what: number): number[] {
    const { first, kind, key } = this.#transactions
    const found: number[] = []
    for (let micro = first[transaction]!; micro < first[transaction + 1]!; micro++) if (kind[micro] === what && key[micro] === on) found.push(micro)
    return found
  }
}

/** A kind of dependency as witnesses name it. */
function kindName(kind: number): NonNullable<Anomaly['edges']>[number]['kind'] {
  switch (kind) {
    case FORCED:
      return 'forced'
    case SESSION:
      return 'process'
    case REALTIME:
      return 'realtime'
    case WR:
      return 'wr'
    case RW:
      return 'rw'
    default:
      return 'ww'
  }
}

/** The dependencies of a cycle, auxiliary nodes and runs of one order left out. */
function stepsOf({ to, kind, key, origin }: Graph, { edges, origins }: Cycle): Step[] {
  const named = (node: number): number => (origin === undefined ? node : origin[node]!)
  const steps: { from: number; to: number; kind: number; key: number }[] = []
  for (const [at, edge] of edges.entries()) {
    const last = steps.at(-1)
    if (kind[edge] === JOIN) last!.to = named(to[edge]!)
    else steps.push({ from: named(origins[at]!), to: named(to[edge]!), kind: kind[edge]!, key: key[edge]! })
  }
  return steps.reduce<Step[]>((shorter, step) => {
    const last = shorter.at(-1)
    if (last?.kind === SESSION && step.kind === SESSION) return [...shorter.slice(0, -1), { ...last, to: step.to }]
    return [...shorter, step]
  }, [])
}

/** The well-known names of small cycles. */
function patternOf(steps: readonly Step[], { end }: Transactions): string | undefined {
  const kinds = steps.map(({ kind }) => kind)
  const anti = steps.filter(({ kind }) => kind === RW)
  if (steps.length === 2 && anti.length === 2 && anti[0]!.key !== anti[1]!.key) return 'write skew (G2-item)'
  if (steps.length === 2 && anti.length === 1 && anti[0]!.key === steps.find(({ kind }) => kind !== RW)!.key && !kinds.includes(WR)) return 'lost update (G-single)'
  if (steps.length === 4 && anti.length === 2 && kinds.filter((kind) => kind === WR).length === 2 && kinds[0] !== kinds[1] && kinds[1] !== kinds[2]) return 'long fork (G-nonadjacent)'
  if (steps.length === 2 && kinds.includes(REALTIME) && anti.length === 1 && end[steps[0]!.from] !== NEVER) return 'stale read (G-single-realtime)'
  return undefined
}
