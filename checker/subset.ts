/**
 * Smaller witnesses: registers cut down to some of their operations, and the search for the fewest that still break a
 * model. Every model here can only be restored, never broken, by leaving out operations together with the reads of the
 * writes that are left out; so operations are dropped one after the other while what remains is still broken (Zeller
 * and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002), until none can be spared.
 */
import { THIN_AIR } from './registers.ts'
import type { Registers } from './registers.ts'

/** The registers with only these operations, all of which took place, and only their sessions, numbered anew in the same order; keys keep their numbers. */
export function subset(registers: Registers, operations: readonly number[]): Registers {
  const kept = [...new Set(operations)].sort((a, b) => a - b)
  const place = new Map(kept.map((op, at) => [op, at]))
  const pick = (column: Int32Array): Int32Array => {
    const picked = new Int32Array(kept.length)
    for (let at = 0; at < picked.length; at++) picked[at] = column[kept[at]!]!
    return picked
  }
  // A part has a few operations, a history hundreds of sessions: every step of a walk would look at all of them.
  const sessions = [...new Set(pick(registers.session))].sort((a, b) => a - b)
  const numbers = new Map(sessions.map((old, at) => [old, at]))
  const session = Int32Array.from(kept, (op) => numbers.get(registers.session[op]!)!)
  const last = new Map<number, number>()
  const previous = session.map((s, at) => {
    const before = last.get(s) ?? -1
    last.set(s, at)
    return before
  })
  const write = Uint8Array.from(kept, (op) => registers.write[op]!)
  const writes = write.reduce((sum, one) => sum + one, 0)
  return {
    ...registers,
    count: kept.length,
    row: pick(registers.row),
    start: pick(registers.start),
    end: pick(registers.end),
    write,
    key: pick(registers.key),
    session,
    processes: sessions.map((old) => registers.processes[old]!),
    previous,
    source: Int32Array.from(kept, (op) => (registers.source[op]! < 0 ? registers.source[op]! : place.get(registers.source[op]!) ?? THIN_AIR)),
    value: pick(registers.value),
    happened: new Uint8Array(kept.length).fill(1),
    reads: kept.length - writes,
    writes,
    ambiguous: 0,
  }
}

/** Operations judged in all while one witness is made smaller; when they are spent it stays as it is. */
const EFFORT_MAX = 3_000_000

/** The fewest of these operations, as far as dropping them piece by piece can tell, that still break the model. */
export function shrunk(registers: Registers, operations: readonly number[], breaks: (registers: Registers) => boolean): number[] {
  let effort = 0
  const broken = (part: readonly number[]): boolean => {
    effort += part.length
    return part.length > 0 && breaks(subset(registers, part))
  }
  let rest = [...new Set(operations)].sort((a, b) => a - b)
  if (!broken(rest)) return rest
  for (let size = Math.ceil(rest.length / 2); size >= 1; ) {
    const before = rest.length
    for (let at = rest.length; at > 0; at -= size) {
      if (effort >= EFFORT_MAX) return rest
      const dropped = new Set(rest.slice(Math.max(0, at - size), at))
      const fewer = rest.filter((op) => !dropped.has(op) && !dropped.has(registers.source[op]!))
      if (fewer.length < rest.length && broken(fewer)) rest = fewer
    }
    // A second round of single operations: what one needed another may have been.
    if (size > 1) size = Math.ceil(size / 2)
    else if (rest.length === before) break
  }
  return rest
}
