/**
 * What the version orders of a history say, before any cycle is looked for: the dependencies that are certain, the
 * anomalies that need no cycle, and how the orders could be completed where reads do not show them whole.
 */
import type { Family } from './cycles.ts'
import type { Edges } from './graph.ts'
import type { AnomalyType } from './levels.ts'
import type { Witness } from '../verdict.ts'
import type { Transactions } from './transactions.ts'
import { WRITE } from './transactions.ts'

/** `source` of a micro-operation that read what no transaction wrote. */
export const INITIAL = -1
/** `source` of a micro-operation that is no read, or one of which nothing follows (its own value, a value of nobody). */
export const NO_SOURCE = -2

/** One way in which a history breaks a level. */
export interface Anomaly {
  readonly type: AnomalyType
  /** Of a cycle in its order, and then those whose reads force it; otherwise those involved. */
  readonly transactions: readonly number[]
  /** Index into the transactions' keys, -1 when it is about several. */
  readonly key: number
  readonly explanation: string
  /** Of a cycle: its dependencies in order, between transactions. */
  readonly edges?: NonNullable<Witness['edges']>
}

/** What is known of the dependencies. */
export interface Analysis {
  /** Dependencies that hold in every order of versions under which the history is read committed. */
  readonly edges: Edges
  /** Why reads cannot be traced to writes, or undefined. */
  readonly ambiguous: string | undefined
  /** Adds those that hold wherever it is under parallel snapshot isolation, or under the form of snapshot isolation that counts the family's orders. */
  strengthen(edges: Edges, family: Family): void
  /** 1: the transaction took place (it committed, or somebody saw its effects). */
  readonly happened: Uint8Array
  /** By micro-operation: the transaction whose write a read returned, INITIAL or NO_SOURCE. */
  readonly source: Int32Array
  readonly anomalies: readonly Anomaly[]
  /** Keys whose versions are not known to stand in one order. */
  readonly openKeys: number
  /** Where reads show the order of a key's versions: whether one that `a` wrote stands before one that `b` wrote. */
  precedes?(a: number, b: number, key: number): boolean
  /** Adds the dependencies of one total order of versions: where the reads leave it open, by `rank` of the writer. */
  complete(edges: Edges, rank: (transaction: number) => number): void
}

/** Finds the write of a value to a key, by open addressing. */
export class WriteIndex {
  readonly #transactions: Transactions
  readonly #slots: Int32Array
  /** By micro-operation: its transaction. */
  readonly transaction: Int32Array
  #doubled = -1

  constructor(transactions: Transactions) {
    this.#transactions = transactions
    const { count, first, kind } = transactions
    const total = first[count]!
    this.transaction = new Int32Array(total)
    this.#slots = new Int32Array(2 ** Math.max(4, Math.ceil(Math.log2(total * 2 + 1)))).fill(-1)
    for (let t = 0; t < count; t++) {
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
        this.transaction[micro] = t
        if (kind[micro] !== WRITE) continue
        const slot = this.#slot(transactions.key[micro]!, transactions.value[micro]!)
        if (this.#slots[slot]! < 0) this.#slots[slot] = micro
        else this.#doubled = micro
      }
    }
  }

  /** Which value was written twice to one key, so that nobody can tell who read from whom; undefined when none was. */
  get ambiguous(): string | undefined {
    if (this.#doubled < 0) return undefined
    const { keys, key, row } = this.#transactions
    return `a value was written twice to key ${JSON.stringify(keys[key[this.#doubled]!])} (the second time by T${row[this.transaction[this.#doubled]!]})`
  }

  /** The micro-operation that wrote it, or -1. */
  find(key: number, value: number): number {
    return this.#slots[this.#slot(key, value)]!
  }

  #slot(key: number, value: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(key, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const micro = this.#slots[slot]!
      if (micro < 0 || (this.#transactions.key[micro] === key && this.#transactions.value[micro] === value)) return slot
      slot = (slot + 1) & mask
    }
  }
}

/** Whether a write is the last that its transaction made to the key. */
export function isFinal({ first, kind, key }: Transactions, transaction: number, micro: number): boolean {
  for (let later = micro + 1; later < first[transaction + 1]!; later++) if (kind[later] === WRITE && key[later] === key[micro]) return false
  return true
}
