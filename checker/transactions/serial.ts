/**
 * Looks for a serial execution: one transaction after the other, each reading what is there. Where the order of a register's
 * versions is not known, such an execution is a proof that the history is serializable, and in which order versions stand.
 *
 * A transaction can be next when everything that certainly precedes it is done, its reads name the versions that are there,
 * and nobody still has to read a version that it overwrites. Transactions that only read go first, since that takes
 * nothing from the others; then writers of what nobody reads, for the same reason; then those of what a transaction reads
 * that could be next; then whoever was complete first. Where that leads nowhere the search goes back to the last choice, a
 * bounded number of times: that no execution is found proves nothing. O(n x open transactions) for each way tried.
 */
import { INITIAL, NO_SOURCE, type Analysis } from './analysis.ts'
import type { Graph } from './graph.ts'
import { READ, WRITE, type Transactions } from './transactions.ts'

/** More transactions that could be next than this are not looked through. */
const READY_MAX = 4_000
/** So often the search goes back. */
const RETREATS_MAX = 3_000
/** Up to this urgency (it only reads; nobody reads what it writes) a transaction takes nothing from the others. */
const HARMLESS = 1

/** A transaction that was carried out, what it replaced, and what could have been carried out instead. */
interface Step {
  readonly transaction: number
  readonly replaced: readonly number[]
  readonly others: number[]
}

/** The rank of every transaction in a serial execution that agrees with the graph, or undefined. */
export function serialRank(graph: Graph, transactions: Transactions, analysis: Analysis, prefer: (transaction: number) => number): ((transaction: number) => number) | undefined {
  const schedule = new Schedule(graph, transactions, analysis)
  const steps: Step[] = []
  const hopeless = new Set<string>()
  let deepest = -1
  for (let retreats = 0; steps.length < schedule.wanted; ) {
    if (schedule.ready.length > READY_MAX) return undefined
    let others = schedule.choices(prefer)
    if (others.length > 1 && steps.length <= deepest && hopeless.has(schedule.state())) others = []
    while (others.length === 0) {
      const last = steps.pop()
      if (last === undefined || ++retreats > RETREATS_MAX) return undefined
      schedule.undo(last)
      others = last.others
      if (others.length > 0) break
      hopeless.add(schedule.state())
      deepest = Math.max(deepest, steps.length)
    }
    const transaction = others.shift()!
    steps.push({ transaction, others, replaced: schedule.carryOut(transaction) })
  }
  const rank = new Int32Array(transactions.count)
  for (const [at, { transaction }] of steps.entries()) rank[transaction] = at
  return (transaction) => rank[transaction]!
}

class Schedule {
  /** Transactions whose predecessors are all done. */
  readonly ready: number[] = []
  readonly wanted: number
  readonly #graph: Graph
  readonly #transactions: Transactions
  readonly #analysis: Analysis
  readonly #waiting: Int32Array
  /** By key: whose version is there. */
  readonly #current: Int32Array
  /** By writer and key: how many reads of that version are still to come. */
  readonly #readers = new Map<number, number>()

  constructor(graph: Graph, transactions: Transactions, analysis: Analysis) {
    this.#graph = graph
    this.#transactions = transactions
    this.#analysis = analysis
    this.#waiting = new Int32Array(graph.nodes)
    this.#current = new Int32Array(transactions.keys.length).fill(INITIAL)
    for (const target of graph.to) this.#waiting[target]!++
    for (let t = 0; t < transactions.count; t++) for (const micro of this.#reads(t)) this.#count(analysis.source[micro]!, transactions.key[micro]!, 1)
    this.wanted = analysis.happened.reduce((sum, one) => sum + one, 0)
    for (let node = 0; node < graph.nodes; node++) if (this.#waiting[node] === 0 && this.#isOrigin(node)) this.#arrive(node)
  }

  /** The transactions that can be carried out next, the most urgent first; one alone where it takes nothing from the others. */
  choices(prefer: (transaction: number) => number): number[] {
    const needed = this.#needed()
    const possible = this.ready.filter((t) => this.#isPossible(t)).map((t) => ({ t, urgency: this.#urgency(t, needed) }))
    const harmless = possible.find(({ urgency }) => urgency <= HARMLESS)
    if (harmless !== undefined) return [harmless.t]
    return possible.sort((a, b) => a.urgency - b.urgency || prefer(a.t) - prefer(b.t)).map(({ t }) => t)
  }

  /** Carries a transaction out; returns whose versions it replaced. */
  carryOut(t: number): number[] {
    this.ready.splice(this.ready.indexOf(t), 1)
    for (const micro of this.#reads(t)) this.#count(this.#analysis.source[micro]!, this.#transactions.key[micro]!, -1)
    const replaced = this.#writes(t).map((micro) => {
      const key = this.#transactions.key[micro]!
      const before = this.#current[key]!
      this.#current[key] = t
      return before
    })
    this.#release(t)
    return replaced
  }

  /** Takes the last transaction back. */
  undo({ transaction, replaced }: Step): void {
    this.#withdraw(transaction)
    for (const [at, micro] of [...this.#writes(transaction).entries()].reverse()) this.#current[this.#transactions.key[micro]!] = replaced[at]!
    for (const micro of this.#reads(transaction)) this.#count(this.#analysis.source[micro]!, this.#transactions.key[micro]!, 1)
    this.ready.push(transaction)
  }

  /** What matters for the rest: what is done, and which versions are there that somebody still has to read. */
  state(): string {
    const held: number[] = []
    for (const [key, writer] of this.#current.entries()) if ((this.#readers.get(this.#version(writer, key)) ?? 0) > 0) held.push(key, writer)
    return `${[...this.ready].sort((a, b) => a - b).join(' ')};${held.join(' ')}`
  }

  #isOrigin(node: number): boolean {
    return node >= this.#transactions.count || this.#analysis.happened[node] === 1
  }

  /** Auxiliary nodes are passed through at once. */
  #arrive(node: number): void {
    if (node < this.#transactions.count) this.ready.push(node)
    else this.#release(node)
  }

  #release(node: number): void {
    const pending = [node]
    for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
      for (let edge = this.#graph.first[from]!; edge < this.#graph.first[from + 1]!; edge++) {
        const target = this.#graph.to[edge]!
        if (--this.#waiting[target]! > 0) continue
        if (target < this.#transactions.count) this.ready.push(target)
        else pending.push(target)
      }
    }
  }

  /** The opposite of `#release`. */
  #withdraw(node: number): void {
    const pending = [node]
    for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
      for (let edge = this.#graph.first[from]!; edge < this.#graph.first[from + 1]!; edge++) {
        const target = this.#graph.to[edge]!
        if (this.#waiting[target]!++ > 0) continue
        if (target < this.#transactions.count) this.ready.splice(this.ready.indexOf(target), 1)
        else pending.push(target)
      }
    }
  }

  #isPossible(t: number): boolean {
    const { key } = this.#transactions
    const own = this.#reads(t)
    if (own.some((micro) => this.#current[key[micro]!] !== this.#analysis.source[micro])) return false
    return this.#writes(t).every((micro) => {
      const mine = own.filter((read) => key[read] === key[micro]).length
      return (this.#readers.get(this.#version(this.#current[key[micro]!]!, key[micro]!)) ?? 0) <= mine
    })
  }

  /** The versions that transactions wait for which could be next otherwise. */
  #needed(): ReadonlySet<number> {
    const needed = new Set<number>()
    for (const t of this.ready) for (const micro of this.#reads(t)) needed.add(this.#version(this.#analysis.source[micro]!, this.#transactions.key[micro]!))
    return needed
  }

  #urgency(t: number, needed: ReadonlySet<number>): number {
    const versions = this.#writes(t).map((micro) => this.#version(t, this.#transactions.key[micro]!))
    if (versions.length === 0) return 0
    if (versions.every((version) => (this.#readers.get(version) ?? 0) === 0)) return 1
    return versions.some((version) => needed.has(version)) ? 2 : 3
  }

  #count(writer: number, key: number, by: number): void {
    const version = this.#version(writer, key)
    this.#readers.set(version, (this.#readers.get(version) ?? 0) + by)
  }

  #version(writer: number, key: number): number {
    return (writer + 1) * this.#transactions.keys.length + key
  }

  #reads(t: number): number[] {
    return this.#micros(t, (micro) => this.#transactions.kind[micro] === READ && this.#analysis.source[micro] !== NO_SOURCE)
  }

  #writes(t: number): number[] {
    return this.#micros(t, (micro) => this.#transactions.kind[micro] === WRITE)
  }

  #micros(t: number, wanted: (micro: number) => boolean): number[] {
    const found: number[] = []
    for (let micro = this.#transactions.first[t]!; micro < this.#transactions.first[t + 1]!; micro++) if (wanted(micro)) found.push(micro)
    return found
  }
}
