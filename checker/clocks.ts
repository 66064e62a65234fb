/**
 * Vector clocks of happens-before, kept small (Mattern 1989; Fidge 1988): for each session the last write that happened
 * before, of every session. Writes are numbered in order of invocation and a session's in its own order, so one number
 * per session stands for all of its writes up to that one. A write keeps a copy until its last reader has passed.
 * Operations must be told in an order that keeps causes before effects (`causal-order.ts`).
 */
import type { Registers } from './registers.ts'

export class CausalClocks {
  readonly #registers: Registers
  readonly #sessions: Int32Array[]
  readonly #kept = new Map<number, Int32Array>()
  readonly #spare: Int32Array[] = []
  readonly #readers: Int32Array

  constructor(registers: Registers, source: Int32Array) {
    const { count, processes, happened } = registers
    this.#registers = registers
    this.#sessions = processes.map(() => new Int32Array(0))
    this.#readers = new Int32Array(count)
    for (let op = 0; op < count; op++) if (source[op]! >= 0 && happened[op] === 1) this.#readers[source[op]!]!++
  }

  /** What happened before the next operation of a session. Belongs to this object and changes as it goes on. */
  ofSession(session: number): Int32Array {
    let clock = this.#sessions[session]!
    if (clock.length === 0) clock = this.#sessions[session] = new Int32Array(this.#sessions.length).fill(-1)
    return clock
  }

  /** What happened before a write, itself included; only as long as a reader of it is still to come. */
  ofWrite(write: number): Int32Array {
    return this.#kept.get(write)!
  }

  /** The session writes. */
  wrote(write: number): void {
    const session = this.#registers.session[write]!
    const clock = this.ofSession(session)
    clock[session] = write
    const awaited = this.#readers[write]!
    if (awaited === 0) return
    const copy = this.#spare.pop() ?? new Int32Array(clock.length)
    copy.set(clock)
    this.#kept.set(write, copy)
  }

  /** The session reads what `from` wrote, and knows from now on what happened before that. O(sessions). */
  read(session: number, from: number): void {
    const clock = this.ofSession(session)
    const other = this.#kept.get(from)!
    if (this.#registers.session[from] !== session) for (let at = 0; at < clock.length; at++) clock[at] = Math.max(clock[at]!, other[at]!)
    const left = this.#readers[from]! - 1
    this.#readers[from] = left
    if (left > 0) return
    this.#kept.delete(from)
    this.#spare.push(other)
  }
}
