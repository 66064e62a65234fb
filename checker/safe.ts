/**
 * Safety, the weakest register that is one: a read that overlaps no write returns the last write before it; one that
 * does may return anything (Lamport, On Interprocess Communication, 1986; with several writers Shao, Welch, Pierce and
 * Lee, Multiwriter Consistency Conditions for Shared Memory Registers, 2011, each read by itself as in `regular.ts`).
 *
 * "Anything" is any value of the register's domain, and we take that to be what some client wrote to the key, before
 * or after, or the initial value: a value from nowhere breaks every rung. A write of unknown outcome may be going on for ever,
 * seen or not, so it overlaps every read that ends after its invocation. That is exact: in the history in which every
 * such write took place and never ended, the fewest reads are bound.
 */
import { NEVER, THIN_AIR } from './registers.ts'
import { judgeReads, refusedReads } from './regular.ts'
import type { Judgement } from './judgement.ts'
import type { Refused } from './regular.ts'
import type { Registers } from './registers.ts'

/** A read that overlaps no write returns the last one. */
export const safe: Judgement = {
  name: 'safe',
  describes: 'a read that overlaps no write returns the last write before it; exact for values written once, linear',
  judge: (history, context) => judgeReads(history, context, { model: 'safe', refusedOf: unsafeReads, promise: 'that overlapped no write returned the last one' }),
}

function unsafeReads(registers: Registers): Refused[] {
  const refused = refusedReads(registers)
  if (refused.length === 0) return refused
  const latest = latestEndBegun(registers)
  const { source, start, end } = registers
  return refused.filter(({ read }) => source[read] === THIN_AIR || (end[read] !== NEVER && latest[read]! < start[read]!))
}

/** For each read the latest end of the writes to its key that had begun when the read ended; -1 when there was none. */
function latestEndBegun({ count, write, start, end, key, keys }: Registers): Int32Array {
  let last = 0
  for (let op = 0; op < count; op++) last = Math.max(last, start[op]!, end[op] === NEVER ? 0 : end[op]!)
  const at = new Int32Array(last + 1).fill(-1)
  // The read half of a compare-and-set overlaps its write half, and so is bound to nothing here.
  for (let op = 0; op < count; op++) at[write[op] === 1 ? start[op]! : end[op]!] = op
  const begun = new Int32Array(keys.length).fill(-1)
  const latest = new Int32Array(count).fill(-1)
  for (let rank = 0; rank <= last; rank++) {
    const op = at[rank]!
    if (op < 0) continue
    if (write[op] === 1) begun[key[op]!] = Math.max(begun[key[op]!]!, end[op]!)
    else latest[op] = begun[key[op]!]!
  }
  return latest
}
