/**
 * Zones that grow while the history is still being made (reads and writes of unique values; see zones.ts).
 *
 * Responses arrive in order of time, so a value's earliest response f is known at its first completed operation and
 * never changes, and values line up in order of f; only s, the latest invocation, grows. Values c and d cannot both be
 * iff f(c) < s(d) and f(d) < s(c), so after c grew it is enough to ask for the greatest s among the values with
 * f < s(c): a prefix of the line, whose running maximum is kept. Updates happen near the end of the line, so
 * recomputing the maximum costs about as many steps as there are processes.
 *
 * Memory: let t be the earliest invocation that is still open. A value d is dead once some e has f(e) < t and
 * s(e) > f(d): whoever reads d from now on began too late. Dead values leave the front of the line and are forgotten.
 */

/** Why two values (or one) cannot be; rows of the operations that say so. */
export interface LiveConflict {
  readonly rows: readonly number[]
  readonly reason: string
}

interface Value {
  readonly code: number
  /** Rank and row of the write's invocation; -1 for the initial value. */
  readonly written: number
  readonly writtenRow: number
  /** Place in the line, counted from the first value ever; -1 until an operation on it completes. */
  place: number
  first: number
  firstRow: number
  last: number
  lastRow: number
}

/** The zones of one key. */
export class LiveZones {
  readonly #values = new Map<number, Value>()
  /** Values in order of their first response, without the dead. */
  #line: Value[] = []
  /** Running maximum of `last` along the line: the greatest, whose it is, and the greatest of the others. */
  #most: number[] = []
  #mostOf: Value[] = []
  #second: number[] = []
  #forgotten = 0

  constructor(initial: number) {
    const value: Value = { code: initial, written: -1, writtenRow: -1, place: 0, first: -1, firstRow: -1, last: -1, lastRow: -1 }
    this.#values.set(initial, value)
    this.#line.push(value)
    this.#most.push(-1)
    this.#mostOf.push(value)
    this.#second.push(-1)
  }

  /** How many values are remembered. */
  get size(): number {
    return this.#values.size
  }

  /** A write is invoked. False when its value is alive already, so that readers could not be told apart. */
  invokeWrite(code: number, rank: number, row: number): boolean {
    if (this.#values.has(code)) return false
    this.#values.set(code, { code, written: rank, writtenRow: row, place: -1, first: -1, firstRow: -1, last: rank, lastRow: row })
    return true
  }

  /** A write failed: it certainly had no effect. A value that somebody read all the same was never written. */
  withdraw(code: number, row: number): LiveConflict | undefined {
    const value = this.#values.get(code)
    if (value === undefined || value.writtenRow !== row) return undefined
    if (value.place >= 0) return { rows: [value.firstRow], reason: 'unwritten' }
    this.#values.delete(code)
    return undefined
  }

  /** An operation on a value ends: its write is acknowledged, or a read returns it. */
  complete(code: number, invoked: number, invokedRow: number, rank: number): LiveConflict | undefined {
    const value = this.#values.get(code)
    if (value === undefined) return { rows: [invokedRow], reason: 'unwritten' }
    if (value.place < 0) {
      value.place = this.#forgotten + this.#line.length
      value.first = rank
      value.firstRow = invokedRow
      this.#line.push(value)
      this.#most.push(-1)
      this.#mostOf.push(value)
      this.#second.push(-1)
    }
    if (invoked > value.last) {
      value.last = invoked
      value.lastRow = invokedRow
    }
    this.#recompute(value.place - this.#forgotten)
    return this.#conflictOf(value)
  }

  /** Forgets the dead; `open` is the rank of the earliest open invocation, or of what comes next. */
  forget(open: number): void {
    let dead = 0
    const before = this.#before(open)
    while (dead < before && dead < this.#line.length - 1) {
      const value = this.#line[dead]!
      const most = this.#mostOf[before - 1] === value ? this.#second[before - 1]! : this.#most[before - 1]!
      if (most <= value.first) break
      dead++
    }
    if (dead < 32 || dead * 2 < this.#line.length) return
    for (let i = 0; i < dead; i++) this.#values.delete(this.#line[i]!.code)
    this.#line = this.#line.slice(dead)
    this.#most = this.#most.slice(dead)
    this.#mostOf = this.#mostOf.slice(dead)
    this.#second = this.#second.slice(dead)
    this.#forgotten += dead
    this.#recompute(0)
  }

  /** How many values of the line have their first response before a rank. */
  #before(rank: number): number {
    let k = this.#line.length
    while (k > 0 && this.#line[k - 1]!.first >= rank) k--
    return k
  }

  #recompute(from: number): void {
    for (let i = from; i < this.#line.length; i++) {
      const value = this.#line[i]!
      let most = i === 0 ? -1 : this.#most[i - 1]!
      let of = i === 0 ? value : this.#mostOf[i - 1]!
      let second = i === 0 ? -1 : this.#second[i - 1]!
      if (value.last > most) {
        second = most
        most = value.last
        of = value
      } else if (value.last > second) second = value.last
      this.#most[i] = most
      this.#mostOf[i] = of
      this.#second[i] = second
    }
  }

  #conflictOf(value: Value): LiveConflict | undefined {
    const before = this.#before(value.last)
    if (before === 0) return undefined
    const other = this.#mostOf[before - 1] === value ? this.#second[before - 1]! : this.#most[before - 1]!
    if (other <= value.first) return undefined
    const rival = this.#line.slice(0, before).find((one) => one !== value && one.last === other)!
    const rows = [...new Set([value, rival].flatMap((one) => [one.writtenRow, one.firstRow, one.lastRow]))].filter((row) => row >= 0)
    return { rows: rows.sort((a, b) => a - b), reason: 'overwritten' }
  }
}
