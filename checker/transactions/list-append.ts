/**
 * Lists that are appended to: every read shows the whole order of versions up to itself, so that (almost) nothing need
 * be guessed. Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 14(3),
 * 2020), section 4: traceable objects, recoverable versions.
 *
 * Per key the longest committed read is the order of versions; every other read must be a prefix of it. Appends of
 * committed transactions that no read shows come after it, in an order that nobody knows. Elements of aborted
 * transactions are no versions: whoever saw one is an anomaly of its own. Linear in the elements read.
 *
 * Equal values have equal codes, so that everything here is integers in columns; texts are made for anomalies only.
 */
import { INITIAL, isFinal, NO_SOURCE, WriteIndex, type Analysis, type Anomaly } from './analysis.ts'
import { Fan } from './fan.ts'
import { Edges, RW, WR, WW } from './graph.ts'
import { versionOrders, type VersionOrders } from './version-orders.ts'
import type { History } from '../history/index.ts'
import type { AnomalyType } from './levels.ts'
import { ABORTED, COMMITTED, listLength, READ, UNKNOWN, WRITE, type Transactions } from './transactions.ts'
import { listText, wordsFor, type Words } from './words.ts'

/** Reads version orders and dependencies off the lists. `history` is asked for values only. */
export function analyzeLists(history: History, transactions: Transactions): Analysis {
  return new Lists(history, transactions).analyze()
}

class Lists {
  readonly #transactions: Transactions
  readonly #words: Words
  readonly #index: WriteIndex
  readonly #orders: VersionOrders
  readonly #happened: Uint8Array
  readonly #source: Int32Array
  readonly #edges: Edges
  readonly #anomalies: Anomaly[] = []
  /** By place in the orders: the transaction that appended it; -1 when that took no place among the versions. */
  readonly #writer: Int32Array
  /** By place: 1 when its transaction appended to the key again afterwards. */
  readonly #intermediate: Uint8Array
  /** By place: the last place up to it in its order that an aborted transaction wrote, or -1. */
  readonly #aborted: Int32Array
  /** By micro-operation: the place of its element in its key's order, or -1. */
  readonly #place: Int32Array
  /** By key, where there are any: transactions whose appends no read shows, each once. */
  readonly #unread = new Map<number, number[]>()
  /** By key: of these, those that read the last version before they appended. */
  readonly #updates = new Map<number, number[]>()

  constructor(history: History, transactions: Transactions) {
    const { count, first, status } = transactions
    this.#transactions = transactions
    this.#words = wordsFor(history, transactions)
    this.#index = new WriteIndex(transactions)
    this.#orders = versionOrders(transactions)
    const places = this.#orders.element.length
    this.#writer = new Int32Array(places).fill(-1)
    this.#intermediate = new Uint8Array(places)
    this.#aborted = new Int32Array(places).fill(-1)
    this.#happened = status.map((one) => (one === COMMITTED ? 1 : 0))
    this.#source = new Int32Array(first[count]!).fill(NO_SOURCE)
    this.#edges = new Edges(count, first[count]! * 2)
    this.#place = new Int32Array(first[count]!).fill(-1)
  }

  analyze(): Analysis {
    const keys = this.#transactions.keys.length
    for (let key = 0; key < keys; key++) this.#resolve(key)
    this.#findUnread()
    for (let key = 0; key < keys; key++) this.#chain(key)
    this.#followReads()
    for (const [key, updates] of this.#updates) this.#lostUpdates(updates, key)
    const open = [...this.#unread].filter(([, unread]) => unread.length > 1)
    return {
      edges: this.#edges,
      happened: this.#happened,
      source: this.#source,
      anomalies: this.#anomalies,
      ambiguous: this.#index.ambiguous,
      strengthen: () => undefined,
      openKeys: open.length,
      precedes: (a, b, key) => this.#first(a, key) < this.#last(b, key),
      complete: (edges, rank) => {
        for (const [key, unread] of open) {
          const ordered = [...unread].sort((a, b) => rank(a) - rank(b))
          for (let at = 1; at < ordered.length; at++) edges.add(ordered[at - 1]!, ordered[at]!, WW, key)
        }
      },
    }
  }

  /** The first place at which a transaction's elements stand in a key's order; Infinity when there is none. */
  #first(t: number, on: number): number {
    const { first, kind, key } = this.#transactions
    let found = Infinity
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === WRITE && key[micro] === on && this.#place[micro]! >= 0) found = Math.min(found, this.#place[micro]!)
    return found
  }

  /** The last one, or -1. */
  #last(t: number, on: number): number {
    const { first, kind, key } = this.#transactions
    let found = -1
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === WRITE && key[micro] === on) found = Math.max(found, this.#place[micro]!)
    return found
  }

  #note(type: AnomalyType, transactions: readonly number[], key: number, explanation: string): void {
    this.#anomalies.push({ type, transactions, key, explanation })
  }

  /** Whose elements are they? */
  #resolve(key: number): void {
    const { status } = this.#transactions
    const { first, element } = this.#orders
    let aborted = -1
    for (let place = first[key]!; place < first[key + 1]!; place++) {
      const micro = this.#index.find(key, element[place]!)
      const writer = micro < 0 ? -1 : this.#index.transaction[micro]!
      if (writer >= 0 && status[writer] === ABORTED) aborted = place
      this.#aborted[place] = aborted
      if (micro < 0 || this.#place[micro]! >= 0) {
        this.#noteForeign(key, place, writer)
        continue
      }
      this.#place[micro] = place
      if (status[writer] === ABORTED) continue
      if (status[writer] === UNKNOWN) this.#happened[writer] = 1
      this.#writer[place] = writer
      this.#intermediate[place] = isFinal(this.#transactions, writer, micro) ? 0 : 1
    }
  }

  /** An element that nobody appended, or that stands there a second time. */
  #noteForeign(key: number, place: number, writer: number): void {
    const words = this.#words
    const read = this.#orders.longest[key]!
    const reader = this.#index.transaction[read]!
    const value = words.value(this.#orders.element[place]!)
    const seen = `${words.name(reader)} ${words.micro(read)}`
    if (writer < 0) this.#note('thin-air', [reader], key, `${seen}, and nobody appended ${value} to ${words.key(key)}`)
    else this.#note('duplicate-elements', [reader, writer], key, `${seen}, where ${value} stands twice, and ${words.name(writer)} appended it once`)
  }

  /** Appends that took place and that no read shows. */
  #findUnread(): void {
    const { kind, key } = this.#transactions
    for (let micro = 0; micro < this.#source.length; micro++) {
      if (kind[micro] !== WRITE || this.#place[micro]! >= 0) continue
      const t = this.#index.transaction[micro]!
      if (this.#happened[t] === 0) continue
      const unread = this.#unread.get(key[micro]!)
      if (unread === undefined) this.#unread.set(key[micro]!, [t])
      else if (unread.at(-1) !== t) unread.push(t)
    }
  }

  /** Write dependencies along the order, aborted elements in between. */
  #chain(key: number): void {
    const { first, element } = this.#orders
    const words = this.#words
    let before = -1
    let noted = -1
    for (let place = first[key]!; place < first[key + 1]!; place++) {
      const writer = this.#writer[place]!
      if (writer < 0) continue
      const aborted = this.#aborted[place]!
      if (aborted > noted) {
        const micro = this.#index.find(key, element[aborted]!)
        const by = this.#index.transaction[micro]!
        this.#note('dirty-update', [by, writer], key, `${words.name(by)} ${words.micro(micro)} and failed, and ${words.name(writer)} appended ${words.value(element[place]!)} behind it`)
        noted = aborted
      }
      if (before >= 0) this.#edges.add(before, writer, WW, key)
      before = writer
    }
    if (before >= 0) for (const t of this.#unread.get(key) ?? []) this.#edges.add(before, t, WW, key)
  }

  /** Everything that follows from each read. */
  #followReads(): void {
    const { count, first, kind, key } = this.#transactions
    const fans = new Map<number, Fan>()
    for (let t = 0; t < count; t++) {
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
        if (kind[micro] !== READ) continue
        this.#internal(t, micro)
        if (this.#orders.shows(key[micro]!, this.#transactions.value[micro]!)) {
          this.#abortedRead(t, micro)
          this.#depend(t, micro, fans)
        } else this.#incompatible(t, micro)
      }
    }
  }

  #incompatible(t: number, micro: number): void {
    const words = this.#words
    const longest = this.#orders.longest[this.#transactions.key[micro]!]!
    const other = this.#index.transaction[longest]!
    this.#note('incompatible-order', [t, other], this.#transactions.key[micro]!, `${words.name(t)} ${words.micro(micro)}, and ${words.name(other)} ${words.micro(longest)}: neither is the beginning of the other`)
  }

  /** The dependencies of a read that shows the beginning of its key's order. */
  #depend(t: number, micro: number, fans: Map<number, Fan>): void {
    const key = this.#transactions.key[micro]!
    const begin = this.#orders.first[key]!
    const end = this.#orders.first[key + 1]!
    const beyond = begin + listLength(this.#transactions, micro)
    let at = beyond - 1
    while (at >= begin && (this.#writer[at] === t || this.#writer[at] === -1)) at--
    const writer = at < begin ? -1 : this.#writer[at]!
    this.#source[micro] = writer < 0 ? INITIAL : writer
    if (writer >= 0) {
      this.#edges.add(writer, t, WR, key)
      if (this.#intermediate[at] === 1) this.#intermediateRead(t, micro, at)
    }
    if (beyond > begin && this.#writer[beyond - 1] === t) return
    let next = beyond
    while (next < end && this.#writer[next] === -1) next++
    if (next < end) this.#edges.add(t, this.#writer[next]!, RW, key)
    else this.#dependUnread(t, key, fans)
  }

  /** Who read the last version comes before everybody whose append no read shows. */
  #dependUnread(t: number, key: number, fans: Map<number, Fan>): void {
    const unread = this.#unread.get(key)
    if (unread === undefined) return
    let fan = fans.get(key)
    if (fan === undefined) fans.set(key, (fan = new Fan(this.#edges, unread, key)))
    fan.from(t)
    if (!fan.has(t)) return
    const updates = this.#updates.get(key)
    if (updates === undefined) this.#updates.set(key, [t])
    else if (updates.at(-1) !== t) updates.push(t)
  }

  #intermediateRead(t: number, micro: number, place: number): void {
    const words = this.#words
    const key = this.#transactions.key[micro]!
    const writer = this.#writer[place]!
    this.#note('G1b', [writer, t], key, `${words.name(t)} ${words.micro(micro)}, and ${words.name(writer)} appended to ${words.key(key)} again after ${words.value(this.#orders.element[place]!)}`)
  }

  #abortedRead(t: number, micro: number): void {
    const key = this.#transactions.key[micro]!
    const length = listLength(this.#transactions, micro)
    const place = length === 0 ? -1 : this.#aborted[this.#orders.first[key]! + length - 1]!
    if (place < 0) return
    const words = this.#words
    const by = this.#index.find(key, this.#orders.element[place]!)
    const writer = this.#index.transaction[by]!
    this.#note('G1a', [writer, t], key, `${words.name(t)} ${words.micro(micro)}, and ${words.name(writer)} ${words.micro(by)} and failed`)
  }

  /** A transaction must see what it saw before, followed by what it appended itself; and not what it appends only later. */
  #internal(t: number, micro: number): void {
    const { first, kind, key } = this.#transactions
    const on = key[micro]!
    let seen = micro - 1
    let appended = 0
    for (; seen >= first[t]! && !(key[seen] === on && kind[seen] === READ); seen--) if (key[seen] === on) appended++
    const before = seen < first[t]! ? -1 : seen
    if ((before < 0 && appended === 0) || this.#continues(micro, before, appended)) this.#future(t, micro)
    else this.#noteInternal(t, micro, before)
  }

  /** Whether the list read is the one of `before` (anything when that is -1) and the `appended` elements since. */
  #continues(micro: number, before: number, appended: number): boolean {
    const { kind, key, value, values } = this.#transactions
    const length = listLength(this.#transactions, micro)
    const kept = length - appended
    if (before >= 0 ? kept !== listLength(this.#transactions, before) : kept < 0) return false
    for (let at = length - 1, own = micro - 1; at >= kept; own--) {
      if (key[own] !== key[micro] || kind[own] !== WRITE) continue
      if (values.at(value[micro]!, at) !== value[own]) return false
      at--
    }
    return before < 0 || this.#begins(micro, before)
  }

  /** Whether a list begins with another that is not longer. */
  #begins(micro: number, before: number): boolean {
    const { value, values } = this.#transactions
    const length = listLength(this.#transactions, before)
    for (let at = 0; at < length; at++) if (values.at(value[micro]!, at) !== values.at(value[before]!, at)) return false
    return true
  }

  #noteInternal(t: number, micro: number, before: number): void {
    const { first, kind, key, value, values } = this.#transactions
    const words = this.#words
    const own: unknown[] = []
    for (let at = Math.max(before + 1, first[t]!); at < micro; at++) if (key[at] === key[micro] && kind[at] === WRITE) own.push(values.decode(value[at]!))
    const expected = before < 0 ? `it had appended ${listText(own)} itself` : `it had ${words.micro(before)} before${own.length > 0 ? ` and appended ${listText(own)}` : ''}`
    this.#note('internal', [t], key[micro]!, `${words.name(t)} ${words.micro(micro)}, although ${expected}`)
  }

  #future(t: number, micro: number): void {
    const { first, kind, key, value, values } = this.#transactions
    const length = listLength(this.#transactions, micro)
    for (let later = micro + 1; later < first[t + 1]!; later++) {
      if (kind[later] !== WRITE || key[later] !== key[micro]) continue
      for (let at = length - 1; at >= 0; at--) {
        if (values.at(value[micro]!, at) !== value[later]) continue
        this.#note('internal', [t], key[micro]!, `${this.#words.name(t)} ${this.#words.micro(micro)} before it ${this.#words.micro(later)}`)
        return
      }
    }
  }

  /** Two transactions that both continued from the last version and that nobody saw: in either order one is lost. */
  #lostUpdates(updates: readonly number[], key: number): void {
    if (updates.length < 2) return
    const [a, b] = updates as [number, number]
    const words = this.#words
    this.#note('lost-update', [a, b], key, `${words.name(a)} and ${words.name(b)} both read the same version of ${words.key(key)} and appended to it`)
  }
}
