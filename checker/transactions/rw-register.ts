/**
 * Registers that are overwritten: a read names the write that it saw, but the order of writes is only partly known.
 *
 * What is certain: the initial value comes first; a transaction that read a version and then wrote the key put its own
 * after it (anything else would be a circular information flow); and whatever causality forces. The last is the
 * saturation of Biswas and Enea (OOPSLA 2019, section 4): where t2 wrote x and comes before t3, which reads x from t1,
 * t2's version comes before t1's. Under levels that count real time, so does that (`real-time-versions.ts`), and nothing
 * comes between updates of one another (`update-chains.ts`). Where nothing more is known, an order is tried: if the history passes under it, it
 * holds; what no order of ours passes is unknown, because trying all is NP-complete (Papadimitriou 1979).
 */
import type { History } from '../history/index.ts'
import { INITIAL, isFinal, NO_SOURCE, WriteIndex, type Analysis, type Anomaly } from './analysis.ts'
import { Fan } from './fan.ts'
import { Edges, RW, WR, WW } from './graph.ts'
import { realTimePrecedences, type Precedence } from './real-time-versions.ts'
import { saturate } from './saturation.ts'
import { ABORTED, COMMITTED, READ, UNKNOWN, WRITE, type Transactions } from './transactions.ts'
import { UpdateChains } from './update-chains.ts'
import { wordsFor, type Words } from './words.ts'

/** Reads dependencies off the values. */
export function analyzeRegisters(history: History, transactions: Transactions): Analysis {
  return new Registers(history, transactions).analyze()
}

class Registers {
  readonly #transactions: Transactions
  readonly #words: Words
  readonly #index: WriteIndex
  readonly #happened: Uint8Array
  readonly #source: Int32Array
  readonly #edges: Edges
  readonly #anomalies: Anomaly[] = []
  /** By key: transactions that installed a version. */
  readonly #writers: number[][]
  /** By key: what read which version: pairs (source, reader). */
  readonly #readers: (readonly [source: number, reader: number])[][]
  /** By key: `a` before `b`, pairs. */
  readonly #before: (readonly [a: number, b: number])[][]
  readonly #byVersion = new Map<number, Map<number, number[]>>()

  constructor(history: History, transactions: Transactions) {
    const { count, first, keys, status } = transactions
    this.#transactions = transactions
    this.#words = wordsFor(history, transactions)
    this.#index = new WriteIndex(transactions)
    this.#happened = status.map((one) => (one === COMMITTED ? 1 : 0))
    this.#source = new Int32Array(first[count]!).fill(NO_SOURCE)
    this.#edges = new Edges(count, first[count]!)
    this.#writers = keys.map(() => [])
    this.#readers = keys.map(() => [])
    this.#before = keys.map(() => [])
  }

  analyze(): Analysis {
    this.#findSources()
    this.#collectVersions()
    const certain = [...this.#before.entries()].flatMap(([key, pairs]) => pairs.map(([a, b]): Precedence => [a, b, key]))
    this.#addPrecedences(this.#edges, certain)
    this.#beforeAnyWrite()
    this.#lostUpdates()
    return {
      edges: this.#edges,
      ambiguous: this.#index.ambiguous,
      strengthen: (edges, family) => {
        const sessions = family !== 'plain'
        const { forced } = saturate(this.#transactions, { happened: this.#happened, source: this.#source }, { visibility: sessions ? 'causal' : 'read-atomic', sessions })
        const causal = forced.filter(({ before }) => before !== INITIAL).map(({ after, before, key }): Precedence => [after, before, key])
        const real = family === 'realtime' ? realTimePrecedences(this.#transactions, this.#writers, this.#readers) : []
        const chains = new UpdateChains(this.#before, this.#transactions.count)
        this.#addPrecedences(edges, [...causal, ...real].map((one) => chains.stretched(one)))
      },
      happened: this.#happened,
      source: this.#source,
      anomalies: this.#anomalies,
      openKeys: this.#writers.filter(({ length }) => length > 1).length,
      complete: (edges, rank) => this.#writers.forEach((writers, key) => this.#completeKey(edges, key, [...writers].sort((a, b) => rank(a) - rank(b)))),
    }
  }

  #findSources(): void {
    const { count, first, kind } = this.#transactions
    for (let t = 0; t < count; t++) {
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === READ) this.#resolve(t, micro)
    }
  }

  /** Which write did it see, and may it have? */
  #resolve(t: number, micro: number): void {
    const { key, value, status } = this.#transactions
    const words = this.#words
    const on = key[micro]!
    const before = this.#lastTouch(t, micro)
    if (before >= 0 && value[before] !== value[micro]) {
      this.#note('internal', [t], on, `${words.name(t)} ${words.micro(before)} and then ${words.micro(micro)}`)
    }
    const by = this.#index.find(on, value[micro]!)
    const afterOwn = this.#writesBefore(t, micro)
    if (by < 0) {
      if (value[micro] === -1) this.#source[micro] = afterOwn ? NO_SOURCE : INITIAL
      else this.#note('thin-air', [t], on, `${words.name(t)} ${words.micro(micro)}, which nobody wrote`)
      return
    }
    const writer = this.#index.transaction[by]!
    if (writer === t) {
      if (by > micro) this.#note('internal', [t], on, `${words.name(t)} ${words.micro(micro)} before it wrote it itself`)
      return
    }
    if (status[writer] === ABORTED) {
      this.#note('G1a', [writer, t], on, `${words.name(t)} ${words.micro(micro)}, and ${words.name(writer)} ${words.micro(by)} and failed`)
      return
    }
    if (status[writer] === UNKNOWN) this.#happened[writer] = 1
    if (afterOwn) return
    if (!isFinal(this.#transactions, writer, by)) this.#note('G1b', [writer, t], on, `${words.name(t)} ${words.micro(micro)}, which ${words.name(writer)} wrote and then overwrote itself`)
    this.#source[micro] = writer
    this.#edges.add(writer, t, WR, on)
  }

  /** The micro-operation on the same key before this one in the transaction, or -1. */
  #lastTouch(t: number, micro: number): number {
    const { first, key } = this.#transactions
    for (let at = micro - 1; at >= first[t]!; at--) if (key[at] === key[micro]) return at
    return -1
  }

  #writesBefore(t: number, micro: number): boolean {
    const { first, kind, key } = this.#transactions
    for (let at = first[t]!; at < micro; at++) if (kind[at] === WRITE && key[at] === key[micro]) return true
    return false
  }

  #collectVersions(): void {
    const { count, first, kind, key } = this.#transactions
    for (let t = 0; t < count; t++) {
      if (this.#happened[t] === 0) continue
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
        const on = key[micro]!
        const source = this.#source[micro]!
        if (kind[micro] === READ) {
          if (source !== NO_SOURCE) this.#readers[on]!.push([source, t])
          if (source >= 0 && this.#writesAfter(t, micro)) this.#before[on]!.push([source, t])
        } else if (this.#writers[on]!.at(-1) !== t) this.#writers[on]!.push(t)
      }
    }
  }

  #writesAfter(t: number, micro: number): boolean {
    const { first, kind, key } = this.#transactions
    for (let later = micro + 1; later < first[t + 1]!; later++) if (kind[later] === WRITE && key[later] === key[micro]) return true
    return false
  }

  /** Version `a` of the key comes before version `b`: so does whoever read `a` before whoever wrote `b`. */
  #addPrecedences(edges: Edges, precedences: readonly Precedence[]): void {
    const readers = this.#readersOf
    for (const [a, b, key] of precedences) {
      edges.add(a, b, WW, key)
      for (const reader of readers(key, a)) edges.add(reader, b, RW, key)
    }
  }

  /** Who read the initial value comes before everybody who wrote the key. */
  #beforeAnyWrite(): void {
    this.#readers.forEach((readers, key) => {
      const fan = new Fan(this.#edges, this.#writers[key]!, key)
      for (const [source, reader] of readers) if (source === INITIAL) fan.from(reader)
    })
  }

  readonly #readersOf = (key: number, source: number): readonly number[] => {
    let known = this.#byVersion.get(key)
    if (known === undefined) {
      known = new Map()
      for (const [version, reader] of this.#readers[key]!) {
        const list = known.get(version)
        if (list === undefined) known.set(version, [reader])
        else list.push(reader)
      }
      this.#byVersion.set(key, known)
    }
    return known.get(source) ?? []
  }

  #completeKey(edges: Edges, key: number, writers: readonly number[]): void {
    const next = new Map(writers.map((writer, at) => [writer, writers[at + 1]]))
    for (let at = 1; at < writers.length; at++) edges.add(writers[at - 1]!, writers[at]!, WW, key)
    for (const [source, reader] of this.#readers[key]!) {
      const overwriting = source === INITIAL ? writers[0] : next.get(source)
      if (overwriting !== undefined) edges.add(reader, overwriting, RW, key)
    }
  }

  /** Two transactions that both read a version and wrote the key: in either order one update is lost. */
  #lostUpdates(): void {
    this.#readers.forEach((readers, key) => {
      const writers = new Set(this.#writers[key])
      const first = new Map<number, number>()
      for (const [source, reader] of readers) {
        if (!writers.has(reader)) continue
        const other = first.get(source)
        if (other === undefined) first.set(source, reader)
        else if (other !== reader) {
          const version = source === INITIAL ? 'its initial value' : `the version of ${this.#words.name(source)}`
          this.#note('lost-update', [other, reader], key, `${this.#words.name(other)} and ${this.#words.name(reader)} both read ${this.#words.key(key)} in ${version} and wrote it`)
        }
      }
    })
  }

  #note(type: Anomaly['type'], transactions: readonly number[], key: number, explanation: string): void {
    this.#anomalies.push({ type, transactions, key, explanation })
  }
}
