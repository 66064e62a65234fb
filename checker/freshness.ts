/**
 * When was a value certainly current, and when certainly no longer? From real time alone: a write that was invoked
 * after another had taken effect replaced it (or something newer had), whatever the store's order of the rest.
 */
import { INITIAL, NEVER } from './registers.ts'
import type { Registers } from './registers.ts'

/**
 * For each write the rank of the event by which it had certainly taken effect: its acknowledgement, or the completion
 * of a read that returned it, whichever came first. NEVER when neither did.
 */
export function settled({ count, write, source, end, happened }: Registers): Int32Array {
  const at = new Int32Array(count).fill(NEVER)
  for (let op = 0; op < count; op++) {
    if (happened[op] === 0) continue
    const of = write[op] === 1 ? op : source[op]!
    if (of >= 0 && end[op]! < at[of]!) at[of] = end[op]!
  }
  return at
}

/** When values were certainly overwritten, and by which write. */
export interface Overwritten {
  /** For each write the rank of the acknowledgement of the first write that began after this one had taken effect; NEVER when there is none. */
  readonly at: Int32Array
  /** For each write that other write, or -1. */
  readonly by: Int32Array
  /** The same for the initial value, by key. */
  readonly initialAt: Int32Array
  readonly initialBy: Int32Array
}

/** One sweep back through time, with the earliest acknowledgement of the writes yet to come on each key. */
export function overwritten(registers: Registers, settledAt: Int32Array): Overwritten {
  const { count, write, start, key, keys } = registers
  const at = new Int32Array(count).fill(NEVER)
  const by = new Int32Array(count).fill(-1)
  const initialAt = new Int32Array(keys.length).fill(NEVER)
  const initialBy = new Int32Array(keys.length).fill(-1)
  let last = 0
  for (let op = 0; op < count; op++) {
    if (write[op] === 1) last = Math.max(last, start[op]!, settledAt[op] === NEVER ? 0 : settledAt[op]!)
  }
  const starting = new Int32Array(last + 1).fill(-1)
  const settling = new Int32Array(last + 1).fill(-1)
  const alsoSettling = new Int32Array(count).fill(-1)
  for (let op = 0; op < count; op++) {
    if (write[op] === 0) continue
    starting[start[op]!] = op
    if (settledAt[op] === NEVER) continue
    alsoSettling[op] = settling[settledAt[op]!]!
    settling[settledAt[op]!] = op
  }
  for (let rank = last; rank >= 0; rank--) {
    for (let old = settling[rank]!; old >= 0; old = alsoSettling[old]!) {
      at[old] = initialAt[key[old]!]!
      by[old] = initialBy[key[old]!]!
    }
    const next = starting[rank]!
    if (next < 0 || registers.end[next]! >= initialAt[key[next]!]!) continue
    initialAt[key[next]!] = registers.end[next]!
    initialBy[key[next]!] = next
  }
  return { at, by, initialAt, initialBy }
}

/** The rank from which what a read returned was certainly overwritten, NEVER if it never was; and by which write. */
export function overwrittenFor(registers: Registers, { at, by, initialAt, initialBy }: Overwritten, read: number): readonly [rank: number, by: number] {
  const from = registers.source[read]!
  if (from >= 0) return [at[from]!, by[from]!]
  return from === INITIAL ? [initialAt[registers.key[read]!]!, initialBy[registers.key[read]!]!] : [NEVER, -1]
}
