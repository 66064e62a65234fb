/**
 * Which isolation levels do transactions still allow?
 *
 * Certain dependencies refute levels (`cycles.ts`); an order of versions under which nothing is refuted upholds them.
 * Where the reads show all orders (lists nearly always) the two meet, and every level is decided. The weak levels are
 * decided by saturation (`saturation.ts`). What remains open is unknown, and said to be.
 */
import type { History } from '../history/index.ts'
import { NEVER } from '../registers.ts'
import { INITIAL, type Analysis, type Anomaly } from './analysis.ts'
import { families, findCycles, forcedCycle, type CycleReport, type Family } from './cycles.ts'
import { Explainer } from './explain.ts'
import { DependencyGraphs } from './dependency-graphs.ts'
import { components, FORCED, JOIN, RW, WR, WW, type Graph } from './graph.ts'
import { anomalyNames, refutes, settleLevels, type AnomalyType } from './levels.ts'
import type { IsolationLevel } from '../verdict.ts'
import { analyzeLists } from './list-append.ts'
import { analyzeRegisters } from './rw-register.ts'
import { saturate, type Forced, type Saturation, type Visibility } from './saturation.ts'
import { serialRank } from './serial.ts'
import { topologicalRank } from './topological.ts'
import { transactionsOf, type Transactions } from './transactions.ts'
import { wordsFor } from './words.ts'

/** What was found. */
export interface Isolation {
  readonly transactions: Transactions
  /** Why nothing can be said, or undefined. */
  readonly reason: string | undefined
  readonly levels: Readonly<Record<IsolationLevel, 'holds' | 'violated' | 'unknown'>>
  /** Weakest levels first, shortest first. */
  readonly anomalies: readonly Anomaly[]
}

const nothingKnown = settleLevels(new Set(), new Set())
const everythingHolds = settleLevels(new Set(), new Set(['strict-serializable']))

/** Judges the transactions of a history. Linear where nothing is wrong. */
export function isolationOf(history: History): Isolation {
  const transactions = transactionsOf(history)
  if (transactions.foreign !== undefined) return { transactions, reason: transactions.foreign, levels: nothingKnown, anomalies: [] }
  const analysis = transactions.model === 'list-append' ? analyzeLists(history, transactions) : analyzeRegisters(history, transactions)
  if (analysis.ambiguous !== undefined) return { transactions, reason: analysis.ambiguous, levels: nothingKnown, anomalies: [] }
  const graphs = new DependencyGraphs(transactions, analysis)
  const completed = graphs.completed(completionRank(transactions))
  if (analysis.anomalies.length === 0 && completed.nodes === 0) return { transactions, reason: undefined, levels: everythingHolds, anomalies: [] }
  return new Inquiry(history, transactions, analysis, graphs).conclude(completed)
}

/** Orders transactions by when they were complete; what never was comes last. */
function completionRank({ start, end }: Transactions): (transaction: number) => number {
  return (transaction) => (end[transaction] === NEVER ? 2 ** 31 + start[transaction]! : end[transaction]!)
}

/** The levels that cycles decide, per family. */
const levelsOf: Readonly<Record<Family, { readonly apart: IsolationLevel; readonly none: readonly IsolationLevel[] }>> = {
  plain: { apart: 'snapshot-isolation', none: ['serializable', 'repeatable-read'] },
  process: { apart: 'strong-session-snapshot-isolation', none: ['strong-session-serializable'] },
  realtime: { apart: 'strong-snapshot-isolation', none: ['strict-serializable'] },
}

const weakest: readonly IsolationLevel[] = ['parallel-snapshot-isolation', 'read-committed', 'read-uncommitted']

const weakLevels: readonly { readonly level: IsolationLevel; readonly visibility: Visibility; readonly sessions: boolean; readonly type: AnomalyType }[] = [
  { level: 'monotonic-atomic-view', visibility: 'monotonic-atomic-view', sessions: false, type: 'non-monotonic-view' },
  { level: 'read-atomic', visibility: 'read-atomic', sessions: false, type: 'fractured-read' },
  { level: 'strong-session-read-committed', visibility: 'monotonic-atomic-view', sessions: true, type: 'non-monotonic-view-process' },
  { level: 'strong-session-read-atomic', visibility: 'read-atomic', sessions: true, type: 'fractured-read-process' },
  { level: 'causal', visibility: 'causal', sessions: true, type: 'causality-cycle' },
]

/** Something is wrong, or not everything is certain: which levels are refuted, and which upheld? */
class Inquiry {
  readonly #history: History
  readonly #transactions: Transactions
  readonly #analysis: Analysis
  readonly #graphs: DependencyGraphs
  readonly #anomalies: Anomaly[]
  readonly #refuted = new Set<IsolationLevel>()
  readonly #upheld = new Set<IsolationLevel>()

  constructor(history: History, transactions: Transactions, analysis: Analysis, graphs: DependencyGraphs) {
    this.#history = history
    this.#transactions = transactions
    this.#analysis = analysis
    this.#graphs = graphs
    this.#anomalies = [...analysis.anomalies]
  }

  /** `completed`: the cycles of the order of versions that is tried first. */
  conclude(completed: Graph): Isolation {
    for (const { type } of this.#anomalies) this.#refute(type)
    this.#findCycles()
    this.#upholdBy(completed)
    this.#saturate()
    this.#uphold()
    const strength = (anomaly: Anomaly): number => Object.keys(refutes).indexOf(anomaly.type)
    const anomalies = this.#anomalies.sort((a, b) => strength(a) - strength(b) || a.transactions.length - b.transactions.length)
    return { transactions: this.#transactions, reason: undefined, levels: settleLevels(this.#refuted, this.#upheld), anomalies }
  }

  #refute(type: AnomalyType): void {
    for (const level of refutes[type]) this.#refuted.add(level)
  }

  #findCycles(): void {
    const explainer = new Explainer(this.#history, this.#transactions, this.#analysis)
    const seen = new Set<string>()
    for (const family of Object.keys(families) as Family[]) {
      const { base } = this.#graphs
      const stronger = this.#graphs.strong(family)
      const parts: { graph: Graph; strong: boolean; report: CycleReport }[] = [
        { graph: base, strong: false, report: findCycles(base, family, ['G0', 'G1c']) },
        { graph: stronger, strong: true, report: findCycles(stronger, family, ['G-single', 'G-nonadjacent', 'G2-item']) },
      ]
      for (const { graph, strong, report } of parts) {
        for (const cycle of report.cycles) {
          const type = this.#ownType(cycle.type, strong, family)
          const anomaly = { ...explainer.anomaly(graph, { ...cycle, type }), type }
          // What a family before this one shows without an order, or with fewer, is no news.
          const name = `${type.replace(/-(process|realtime)$/, '')} ${[...anomaly.transactions].sort((a, b) => a - b).join(' ')}`
          if (seen.has(name)) continue
          seen.add(name)
          this.#anomalies.push(anomaly)
          this.#refute(type)
        }
      }
    }
  }

  /**
   * What a cycle refutes. Write dependencies of registers are inferred from what read committed needs, so that a cycle of
   * them refutes that and not less; those that stronger levels force refute no less than these levels, whose orders they rest on.
   */
  #ownType(type: AnomalyType, strong: boolean, family: Family): AnomalyType {
    const [name, suffix] = [type.replace(/-(process|realtime)$/, ''), /-(process|realtime)$/.exec(type)?.[0] ?? '']
    if (this.#transactions.model === 'list-append') return type
    if (!strong) return name === 'G0' ? (`G1c${suffix}` as AnomalyType) : type
    return `${name === 'G0' || name === 'G1c' ? 'G-single' : name}${family === 'plain' ? '' : `-${family}`}` as AnomalyType
  }

  #saturate(): void {
    for (const weak of weakLevels) {
      if (this.#settled[weak.level] === 'holds') continue
      const saturation = saturate(this.#transactions, this.#analysis, { ...weak, readers: this.#readers() })
      if (!saturation.complete) continue
      const anomaly = this.#weakAnomaly(weak, saturation)
      if (anomaly === undefined) {
        if (!this.#isRefuted(weak.level)) this.#upheld.add(weak.level)
        continue
      }
      this.#refute(weak.type)
      // The same operations break the weaker levels first, and are shown there.
      if (anomaly !== 'shown' && !this.#anomalies.some(({ explanation }) => explanation.endsWith(anomaly.explanation.replace(/^[^:]*: /, '')))) this.#anomalies.push(anomaly)
    }
  }

  /** Why what is forced cannot be: undefined when it can, `shown` when a cycle that was found before says it already. */
  #weakAnomaly({ type, sessions }: (typeof weakLevels)[number], { forced, cyclic }: Saturation): Anomaly | 'shown' | undefined {
    if (cyclic) return 'shown'
    const initial = forced.find(({ before }) => before === INITIAL)
    if (initial !== undefined) return this.#sawNothing(type, initial)
    const edges = this.#graphs.more(forced.length)
    for (const { after, before, key } of forced) edges.add(after, before, FORCED, key)
    const graph = forced.length === 0 ? this.#graphs.base : this.#graphs.whole(edges)
    const cycle = forcedCycle(graph, WW | WR | FORCED | families[sessions ? 'process' : 'plain'] | JOIN)
    if (cycle === undefined || cycle === 'shown') return cycle
    return { ...new Explainer(this.#history, this.#transactions, this.#analysis, forced).anomaly(graph, { ...cycle, type }), type }
  }

  #sawNothing(type: AnomalyType, { after, key, reader }: Forced): Anomaly {
    const words = wordsFor(this.#history, this.#transactions)
    const explanation = `${anomalyNames[type]}: ${words.name(reader)} read the initial value of ${words.key(key)}, although ${words.name(after)}, which wrote ${words.key(key)}, was visible to it`
    return { type, transactions: [after, reader], key, explanation }
  }

  /**
   * The transactions whose reads may force what is no dependency already; undefined: any. Where the order of versions is
   * known, who read an older one than it should have precedes whoever wrote the newer one, and that one precedes it: a cycle.
   */
  #readers(): readonly number[] | undefined {
    if (this.#analysis.precedes === undefined) return undefined
    const { origin, transactions } = this.#graphs.base
    return [...origin!.subarray(0, transactions)]
  }

  /** Whether the level, or a weaker one, is refuted. */
  #isRefuted(level: IsolationLevel): boolean {
    return settleLevels(this.#refuted, new Set())[level] === 'violated'
  }

  get #settled(): Isolation['levels'] {
    return settleLevels(this.#refuted, this.#upheld)
  }

  /** Tries orders of versions, until every level is decided. */
  #uphold(): void {
    const ranks = this.#ranks()
    while (Object.values(this.#settled).includes('unknown')) {
      const { done, value: rank } = ranks.next()
      if (done === true) return
      this.#upholdBy(this.#graphs.completed(rank))
    }
  }

  /** Upholds what passes under an order of versions, of which these are the cycles. */
  #upholdBy(core: Graph): void {
    for (const family of Object.keys(families) as Family[]) {
      for (const level of upheldBy(core, family)) if (!this.#isRefuted(level)) this.#upheld.add(level)
    }
  }

  /** Orders in which versions may stand: serial executions, then orders that agree with what is certain. */
  *#ranks(): Generator<(transaction: number) => number, undefined> {
    if (this.#analysis.openKeys === 0) return undefined
    const completion = completionRank(this.#transactions)
    const { start, end, model } = this.#transactions
    for (const family of model === 'rw-register' ? (['realtime', 'process', 'plain'] as const) : []) {
      for (const prefer of [completion, (t: number) => start[t]! + Math.min(end[t]!, start[t]! + 2 * this.#transactions.sessions), (t: number) => start[t]!]) {
        const rank = serialRank(this.#graphs.certain(family), this.#transactions, this.#analysis, prefer)
        if (rank !== undefined) yield rank
      }
    }
    for (const family of ['realtime', 'process', 'plain'] as const) yield topologicalRank(this.#graphs.certain(family), completion)
    yield (t) => start[t]!
    return undefined
  }
}

/** The levels that hold under a total order of versions: those whose cycles are not there. */
function upheldBy(graph: Graph, family: Family): IsolationLevel[] {
  const { apart, none } = levelsOf[family]
  const orders = families[family] | JOIN
  if (components(graph, WW | WR | RW | orders).members.length === 0) return [...none, apart, ...(family === 'plain' ? weakest : [])]
  const levels: IsolationLevel[] = []
  if (family === 'plain' && components(graph, WW | orders).members.length === 0) levels.push('read-uncommitted')
  if (components(graph, WW | WR | orders).members.length > 0) return levels
  if (family === 'plain') levels.push('read-committed')
  const { found, undecided } = findCycles(graph, family, ['G-single', 'G-nonadjacent'])
  if (family === 'plain' && !found.has('G-single') && !undecided.has('G-single')) levels.push('parallel-snapshot-isolation')
  if (found.size === 0 && undecided.size === 0) levels.push(apart)
  return levels
}
