/**
 * Zones that grow while the history is still being made (registers and CAS registers of unique values; see zones.ts).
 *
 * Responses arrive in order of time, so a chain's earliest response f is known at its first completed operation and
 * never changes, and chains line up in order of f; only s, the latest invocation, grows. Chains c and d cannot both be
 * iff f(c) < s(d) and f(d) < s(c), so after c grew it is enough to ask for the greatest s among the chains with
 * f < s(c): a prefix of the line, whose running maximum is kept. Updates happen near the end of the line, so
 * recomputing the maximum costs about as many steps as there are processes.
 *
 * A compare-and-set that took effect (it was acknowledged, or its value was seen) puts the value it made behind the chain that ends in
 * the value it expected. Within a chain an operation on a value must not have been invoked after one on a later value ended.
 *
 * Memory: let t be the earliest invocation that is still open. A chain d is dead once some e has f(e) < t and
 * s(e) > f(d), and a value of a chain once one behind it was seen before t: whoever reads it from now on began too late. Dead
 * chains leave the front of the line, dead values the front of their chain, and are forgotten.
 */

/** Why operations cannot be; rows of those that say so. */
export interface LiveConflict {
  readonly rows: readonly number[]
  readonly reason: 'unwritten' | 'overwritten' | 'consumed'
}

interface Value {
  readonly code: number
  /** Row of the invocation that makes it; -1 for the initial value. */
  readonly writtenRow: number
  /** What the compare-and-set that makes it expects. */
  readonly expects: number | undefined
  /** The compare-and-set took effect: the value stands behind the one that it expected. */
  joined: boolean
  /** Row of the compare-and-set that took effect on this value; -1. */
  consumedRow: number
  chain: Chain
  /** Place in the chain, counted from the first value that it ever had. */
  at: number
  /** Rank of the first response on it; Infinity. */
  first: number
}

interface Chain {
  values: Value[]
  /** How many values were forgotten. */
  base: number
  /** Place in the line, counted from the first chain ever; -1 until an operation on it completes. */
  place: number
  first: number
  firstRow: number
  last: number
  lastRow: number
}

const NOT_YET = Infinity

/** The zones of one key. */
export class LiveZones {
  readonly #values = new Map<number, Value>()
  /** Chains in order of their first response, without the dead. */
  #line: Chain[] = []
  /** Running maximum of `last` along the line: the greatest, whose it is, and the greatest of the others. */
  #most: number[] = []
  #mostOf: Chain[] = []
  #second: number[] = []
  #forgotten = 0

  constructor(initial: number) {
    const value = this.#newValue(initial, undefined, -1, -1)
    value.first = -1
    this.#place(value.chain, -1, -1)
  }

  /** How many values are remembered. */
  get size(): number {
    return this.#values.size
  }

  /** A write or a compare-and-set is invoked. False when its value is alive already, so that readers could not be told apart. */
  invokeWrite(code: number, rank: number, row: number, expects?: number): boolean {
    if (this.#values.has(code) || expects === code) return false
    this.#newValue(code, expects, rank, row)
    return true
  }

  #newValue(code: number, expects: number | undefined, rank: number, row: number): Value {
    const chain: Chain = { values: [], base: 0, place: -1, first: NOT_YET, firstRow: -1, last: rank, lastRow: row }
    const value: Value = { code, writtenRow: row, expects, joined: false, consumedRow: -1, chain, at: 0, first: NOT_YET }
    chain.values.push(value)
    this.#values.set(code, value)
    return value
  }

  /** A write or compare-and-set failed: it certainly had no effect. A value that somebody saw all the same was never made. */
  withdraw(code: number, row: number): LiveConflict | undefined {
    const value = this.#values.get(code)
    if (value === undefined || value.writtenRow !== row) return undefined
    const seen = [value.chain.place >= 0 ? value.chain.firstRow : -1, value.consumedRow].filter((one) => one >= 0)
    if (seen.length > 0 || value.joined) return { rows: [row, ...seen], reason: 'unwritten' }
    this.#values.delete(code)
    return undefined
  }

  /** An operation on a value ends: its write or compare-and-set is acknowledged, or a read returns it. */
  complete(code: number, invoked: number, invokedRow: number, rank: number): LiveConflict | undefined {
    const value = this.#values.get(code)
    if (value === undefined) return { rows: [invokedRow], reason: 'unwritten' }
    const conflict = this.#tookEffect(value)
    if (conflict !== undefined) return conflict
    const { chain } = value
    const behind = this.#seenBehind(value, invoked)
    if (behind !== undefined) return { rows: ascending([value.writtenRow, behind.writtenRow, invokedRow]), reason: 'overwritten' }
    if (value.first === NOT_YET) value.first = rank
    if (chain.place < 0) this.#place(chain, rank, invokedRow)
    if (invoked > chain.last) {
      chain.last = invoked
      chain.lastRow = invokedRow
    }
    this.#recompute(chain.place - this.#forgotten)
    return this.#conflictOf(chain)
  }

  /** Forgets the dead; `open` is the rank of the earliest open invocation, or of what comes next. */
  forget(open: number): void {
    let dead = 0
    const before = this.#before(open)
    while (dead < before && dead < this.#line.length - 1) {
      const chain = this.#line[dead]!
      const most = this.#mostOf[before - 1] === chain ? this.#second[before - 1]! : this.#most[before - 1]!
      if (most <= chain.first) break
      dead++
    }
    if (this.#line.length < 32) for (const chain of this.#line) this.#forgetFront(chain, open)
    if (dead < 32 || dead * 2 < this.#line.length) return
    for (let i = 0; i < dead; i++) for (const { code } of this.#line[i]!.values) this.#values.delete(code)
    this.#line = this.#line.slice(dead)
    this.#most = this.#most.slice(dead)
    this.#mostOf = this.#mostOf.slice(dead)
    this.#second = this.#second.slice(dead)
    this.#forgotten += dead
    this.#recompute(0)
  }

  #forgetFront(chain: Chain, open: number): void {
    if (chain.values.length < 64) return
    let dead = chain.values.length - 1
    while (dead > 0 && chain.values[dead]!.first >= open) dead--
    if (dead < 32 || dead * 2 < chain.values.length) return
    for (let i = 0; i < dead; i++) this.#values.delete(chain.values[i]!.code)
    chain.values = chain.values.slice(dead)
    chain.base += dead
  }

  #place(chain: Chain, rank: number, row: number): void {
    chain.place = this.#forgotten + this.#line.length
    chain.first = rank
    chain.firstRow = row
    this.#line.push(chain)
    this.#most.push(-1)
    this.#mostOf.push(chain)
    this.#second.push(-1)
  }

  /** Joins a value that a compare-and-set made to the chain of the one that it expected, and that one likewise. */
  #tookEffect(value: Value): LiveConflict | undefined {
    if (value.expects === undefined || value.joined) return undefined
    value.joined = true
    const from = this.#values.get(value.expects)
    if (from === undefined) return { rows: [value.writtenRow], reason: 'unwritten' }
    if (from.consumedRow >= 0) return { rows: ascending([from.writtenRow, from.consumedRow, value.writtenRow]), reason: 'consumed' }
    from.consumedRow = value.writtenRow
    const conflict = this.#tookEffect(from)
    if (conflict !== undefined) return conflict
    // A ring: it stands behind itself already.
    if (from.chain === value.chain) return { rows: ascending([from.writtenRow, value.writtenRow]), reason: 'unwritten' }
    this.#join(from.chain, value)
    return undefined
  }

  /** Puts a value behind the last of a chain. Nothing has ended on it yet, so that it was a chain by itself and stood in no line; the line is brought up to date by `complete`. */
  #join(chain: Chain, value: Value): void {
    const { last, lastRow } = value.chain
    value.at = chain.base + chain.values.length
    value.chain = chain
    chain.values.push(value)
    if (last > chain.last) [chain.last, chain.lastRow] = [last, lastRow]
  }

  /** A later value of the chain on which an operation ended before this rank. */
  #seenBehind({ chain, at }: Value, invoked: number): Value | undefined {
    for (let i = at - chain.base + 1; i < chain.values.length; i++) if (chain.values[i]!.first < invoked) return chain.values[i]
    return undefined
  }

  /** How many chains of the line have their first response before a rank. */
  #before(rank: number): number {
    let k = this.#line.length
    while (k > 0 && this.#line[k - 1]!.first >= rank) k--
    return k
  }

  #recompute(from: number): void {
    for (let i = from; i < this.#line.length; i++) {
      const chain = this.#line[i]!
      let most = i === 0 ? -1 : this.#most[i - 1]!
      let of = i === 0 ? chain : this.#mostOf[i - 1]!
      let second = i === 0 ? -1 : this.#second[i - 1]!
      if (chain.last > most) {
        second = most
        most = chain.last
        of = chain
      } else if (chain.last > second) second = chain.last
      this.#most[i] = most
      this.#mostOf[i] = of
      this.#second[i] = second
    }
  }

  #conflictOf(chain: Chain): LiveConflict | undefined {
    const before = this.#before(chain.last)
    if (before === 0) return undefined
    const other = this.#mostOf[before - 1] === chain ? this.#second[before - 1]! : this.#most[before - 1]!
    if (other <= chain.first) return undefined
    const rival = this.#line.slice(0, before).find((one) => one !== chain && one.last === other)!
    return { rows: ascending([chain, rival].flatMap(({ values, firstRow, lastRow }) => [values[0]!.writtenRow, firstRow, lastRow])), reason: 'overwritten' }
  }
}

function ascending(rows: readonly number[]): number[] {
  return [...new Set(rows)].filter((row) => row >= 0).sort((a, b) => a - b)
}
