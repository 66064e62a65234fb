/**
 * Lists that are appended to: every read shows the whole order of versions up to itself, so that (almost) nothing need
 * be guessed. Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 14(3),
 * 2020), section 4: traceable objects, recoverable versions.
 *
 * Per key the longest committed read is the order of versions; every other read must be a prefix of it. Appends of
 * committed transactions that no read shows come after it, in an order that nobody knows. Elements of aborted
 * transactions are no versions: whoever saw one is an anomaly of its own. Linear in the elements read.
 */
import type { History, Json } from '../history/index.ts'
import { INITIAL, isFinal, NO_SOURCE, WriteIndex, type Analysis, type Anomaly } from './analysis.ts'
import { Fan } from './fan.ts'
import { Edges, RW, WR, WW } from './graph.ts'
import type { AnomalyType } from './levels.ts'
import { ABORTED, COMMITTED, listRead, READ, UNKNOWN, WRITE, type Transactions } from './transactions.ts'
import { listText, wordsFor, type Words } from './words.ts'

/** One key's versions. */
interface Order {
  /** The longest list that a committed transaction read. */
  list: readonly Json[]
  /** The micro-operation that read it, -1 when there is none. */
  micro: number
  /** By position: the transaction that appended it; -1 when that took no place among the versions. */
  writer: Int32Array
  /** By position: 1 when its transaction appended to the key again afterwards. */
  intermediate: Uint8Array
  /** Transactions whose appends no read shows, each once. */
  unread: number[]
  /** Of these, those that read the last version before they appended. */
  updates: number[]
}

/** Reads version orders and dependencies off the lists. `history` is asked for values only. */
export function analyzeLists(history: History, transactions: Transactions): Analysis {
  return new Lists(history, transactions).analyze()
}

class Lists {
  readonly #history: History
  readonly #transactions: Transactions
  readonly #words: Words
  readonly #index: WriteIndex
  readonly #orders: Order[]
  readonly #happened: Uint8Array
  readonly #source: Int32Array
  readonly #edges: Edges
  readonly #anomalies: Anomaly[] = []
  /** By micro-operation: 1 when the element stands in its key's order. */
  readonly #shown: Uint8Array

  constructor(history: History, transactions: Transactions) {
    const { count, first, keys, status } = transactions
    this.#history = history
    this.#transactions = transactions
    this.#words = wordsFor(history, transactions)
    this.#index = new WriteIndex(transactions)
    this.#orders = keys.map(() => ({ list: [], micro: -1, writer: new Int32Array(0), intermediate: new Uint8Array(0), unread: [], updates: [] }))
    this.#happened = status.map((one) => (one === COMMITTED ? 1 : 0))
    this.#source = new Int32Array(first[count]!).fill(NO_SOURCE)
    this.#edges = new Edges(count)
    this.#shown = new Uint8Array(first[count]!)
  }

  analyze(): Analysis {
    this.#findLongest()
    this.#orders.forEach((order, key) => this.#resolve(order, key))
    this.#findUnread()
    this.#orders.forEach((order, key) => this.#chain(order, key))
    this.#followReads()
    this.#orders.forEach((order, key) => this.#lostUpdates(order, key))
    return {
      edges: this.#edges,
      happened: this.#happened,
      source: this.#source,
      anomalies: this.#anomalies,
      ambiguous: this.#index.ambiguous,
      strengthen: () => undefined,
      openKeys: this.#orders.filter(({ unread }) => unread.length > 1).length,
      complete: (edges, rank) => {
        this.#orders.forEach(({ unread }, key) => {
          const ordered = unread.length > 1 ? [...unread].sort((a, b) => rank(a) - rank(b)) : []
          for (let at = 1; at < ordered.length; at++) edges.add(ordered[at - 1]!, ordered[at]!, WW, key)
        })
      },
    }
  }

  #note(type: AnomalyType, transactions: readonly number[], key: number, explanation: string): void {
    this.#anomalies.push({ type, transactions, key, explanation })
  }

  #findLongest(): void {
    const { kind, key, lists, value } = this.#transactions
    for (let micro = 0; micro < this.#source.length; micro++) {
      if (kind[micro] !== READ || value[micro]! < 0) continue
      const list = lists[value[micro]!]!
      const order = this.#orders[key[micro]!]!
      if (list.length > order.list.length) Object.assign(order, { list, micro })
    }
  }

  /** Whose elements are they? */
  #resolve(order: Order, key: number): void {
    const { status } = this.#transactions
    const { list, micro: read } = order
    order.writer = new Int32Array(list.length).fill(-1)
    order.intermediate = new Uint8Array(list.length)
    for (let at = 0; at < list.length; at++) {
      const micro = this.#index.find(key, this.#history.values.encode(list[at]))
      const reader = this.#index.transaction[read]!
      const words = this.#words
      if (micro < 0) {
        this.#note('thin-air', [reader], key, `${words.name(reader)} ${words.micro(read)}, and nobody appended ${JSON.stringify(list[at])} to ${words.key(key)}`)
        continue
      }
      const writer = this.#index.transaction[micro]!
      if (this.#shown[micro] === 1) {
        this.#note('duplicate-elements', [reader, writer], key, `${words.name(reader)} ${words.micro(read)}, where ${JSON.stringify(list[at])} stands twice, and ${words.name(writer)} appended it once`)
        continue
      }
      this.#shown[micro] = 1
      if (status[writer] === ABORTED) continue
      if (status[writer] === UNKNOWN) this.#happened[writer] = 1
      order.writer[at] = writer
      order.intermediate[at] = isFinal(this.#transactions, writer, micro) ? 0 : 1
    }
  }

  /** Appends that took place and that no read shows. */
  #findUnread(): void {
    const { kind, key } = this.#transactions
    for (let micro = 0; micro < this.#source.length; micro++) {
      if (kind[micro] !== WRITE || this.#shown[micro] === 1) continue
      const t = this.#index.transaction[micro]!
      if (this.#happened[t] === 0) continue
      const { unread } = this.#orders[key[micro]!]!
      if (unread.at(-1) !== t) unread.push(t)
    }
  }

  /** Write dependencies along the order, aborted elements in between. */
  #chain(order: Order, key: number): void {
    let before = -1
    let aborted = -1
    for (let at = 0; at < order.list.length; at++) {
      const writer = order.writer[at]!
      if (writer < 0) {
        const micro = this.#index.find(key, this.#history.values.encode(order.list[at]))
        if (micro >= 0 && this.#transactions.status[this.#index.transaction[micro]!] === ABORTED) aborted = micro
        continue
      }
      if (aborted >= 0) {
        const by = this.#index.transaction[aborted]!
        this.#note('dirty-update', [by, writer], key, `${this.#words.name(by)} ${this.#words.micro(aborted)} and failed, and ${this.#words.name(writer)} appended ${JSON.stringify(order.list[at])} behind it`)
        aborted = -1
      }
      if (before >= 0) this.#edges.add(before, writer, WW, key)
      before = writer
    }
    if (before >= 0) for (const t of order.unread) this.#edges.add(before, t, WW, key)
  }

  /** Everything that follows from each read. */
  #followReads(): void {
    const { count, first, kind, key } = this.#transactions
    const fan = new Map<number, Fan>()
    for (let t = 0; t < count; t++) {
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
        if (kind[micro] !== READ) continue
        const order = this.#orders[key[micro]!]!
        const list = listRead(this.#transactions, micro)
        this.#internal(t, micro, list)
        if (!this.#isPrefix(list, order.list)) {
          const other = this.#index.transaction[order.micro]!
          this.#note('incompatible-order', [t, other], key[micro]!, `${this.#words.name(t)} ${this.#words.micro(micro)}, and ${this.#words.name(other)} ${this.#words.micro(order.micro)}: neither is the beginning of the other`)
          continue
        }
        this.#abortedRead(t, micro, list)
        this.#depend(t, micro, list.length, order, fan)
      }
    }
  }

  /** The dependencies of a read that shows the first `length` elements of an order. */
  #depend(t: number, micro: number, length: number, order: Order, fans: Map<number, Fan>): void {
    const key = this.#transactions.key[micro]!
    let at = length - 1
    while (at >= 0 && (order.writer[at] === t || order.writer[at] === -1)) at--
    const writer = at < 0 ? -1 : order.writer[at]!
    const own = length > 0 && order.writer[length - 1] === t
    this.#source[micro] = writer < 0 ? INITIAL : writer
    if (writer >= 0) {
      this.#edges.add(writer, t, WR, key)
      if (order.intermediate[at] === 1) {
        this.#note('G1b', [writer, t], key, `${this.#words.name(t)} ${this.#words.micro(micro)}, and ${this.#words.name(writer)} appended to ${this.#words.key(key)} again after ${JSON.stringify(order.list[at])}`)
      }
    }
    if (own) return
    let next = length
    while (next < order.list.length && order.writer[next] === -1) next++
    if (next < order.list.length) {
      this.#edges.add(t, order.writer[next]!, RW, key)
      return
    }
    if (order.unread.length === 0) return
    let fan = fans.get(key)
    if (fan === undefined) fans.set(key, (fan = new Fan(this.#edges, order.unread, key)))
    fan.from(t)
    if (fan.has(t) && order.updates.at(-1) !== t) order.updates.push(t)
  }

  #abortedRead(t: number, micro: number, list: readonly Json[]): void {
    const key = this.#transactions.key[micro]!
    const order = this.#orders[key]!
    for (let at = list.length - 1; at >= 0; at--) {
      if (order.writer[at] !== -1) continue
      const by = this.#index.find(key, this.#history.values.encode(list[at]))
      if (by < 0) continue
      const writer = this.#index.transaction[by]!
      if (this.#transactions.status[writer] !== ABORTED) continue
      this.#note('G1a', [writer, t], key, `${this.#words.name(t)} ${this.#words.micro(micro)}, and ${this.#words.name(writer)} ${this.#words.micro(by)} and failed`)
      return
    }
  }

  /** A transaction must see what it saw before, followed by what it appended itself. */
  #internal(t: number, micro: number, list: readonly Json[]): void {
    const { first, kind, key, value } = this.#transactions
    const on = key[micro]!
    const own: Json[] = []
    let before: readonly Json[] | undefined
    let seen = micro - 1
    for (; seen >= first[t]!; seen--) {
      if (key[seen] !== on) continue
      if (kind[seen] === READ) {
        before = listRead(this.#transactions, seen)
        break
      }
      own.unshift(this.#history.values.decode(value[seen]!))
    }
    const consistent = before === undefined ? own.length <= list.length && this.#same(list.slice(list.length - own.length), own) : this.#same(list, [...before, ...own])
    if (!consistent) {
      const expected = before === undefined ? `it had appended ${listText(own)} itself` : `it had ${this.#words.micro(seen)} before${own.length > 0 ? ` and appended ${listText(own)}` : ''}`
      this.#note('internal', [t], on, `${this.#words.name(t)} ${this.#words.micro(micro)}, although ${expected}`)
    } else this.#future(t, micro, list)
  }

  /** Nor may it see what it appends only later. */
  #future(t: number, micro: number, list: readonly Json[]): void {
    const { first, kind, key, value } = this.#transactions
    for (let later = micro + 1; later < first[t + 1]!; later++) {
      if (kind[later] !== WRITE || key[later] !== key[micro]) continue
      const element = this.#history.values.decode(value[later]!)
      if (!list.some((one) => this.#equal(one, element))) continue
      this.#note('internal', [t], key[micro]!, `${this.#words.name(t)} ${this.#words.micro(micro)} before it ${this.#words.micro(later)}`)
      return
    }
  }

  #isPrefix(list: readonly Json[], longest: readonly Json[]): boolean {
    if (list === longest) return true
    if (list.length > longest.length) return false
    for (let at = 0; at < list.length; at++) if (!this.#equal(list[at]!, longest[at]!)) return false
    return true
  }

  #same(a: readonly Json[], b: readonly Json[]): boolean {
    return a.length === b.length && this.#isPrefix(a, b)
  }

  #equal(a: Json, b: Json): boolean {
    return a === b || (typeof a === 'object' && typeof b === 'object' && this.#history.values.encode(a) === this.#history.values.encode(b))
  }

  /** Two transactions that both continued from the last version and that nobody saw: in either order one is lost. */
  #lostUpdates({ updates }: Order, key: number): void {
    if (updates.length < 2) return
    const [a, b] = updates as [number, number]
    this.#note('lost-update', [a, b], key, `${this.#words.name(a)} and ${this.#words.name(b)} both read the same version of ${this.#words.key(key)} and appended to it`)
  }
}
