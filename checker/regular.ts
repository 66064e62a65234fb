/**
 * Regularity: a read returns the value of the last write before it, or of a write that overlaps it (Lamport, On
 * Interprocess Communication, 1986). With several writers there are several generalizations; this is the weakest of
 * those of Shao, Welch, Pierce and Lee (Multiwriter Consistency Conditions for Shared Memory Registers, 2011): each
 * read, taken alone, fits into some order of all writes to its key that keeps real time. Two reads need not agree
 * (new, then old), which is all that separates it from linearizability for a single writer.
 *
 * A write of unknown outcome overlaps everything after it. A read of value b is therefore refused in just three
 * cases: nobody wrote b; the write of b had not begun when the read ended; another write began after the write of b
 * had ended, and ended before the read began. One sweep over the events.
 */
import { INITIAL, NEVER, THIN_AIR, registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import { describer } from './describe.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'
import type { Registers } from './registers.ts'

const WITNESSES = 10

/** A read returns the last write before it, or one that overlaps it. */
export const regular: Judgement = {
  name: 'regular',
  describes: 'a read returns the last write before it or one that overlaps it (several writers: each read by itself); exact for values written once, linear',
  judge: (history, context) => judgeReads(history, context, { model: 'regular', refusedOf: refusedReads, promise: 'returned the last write before them or one that overlapped' }),
}

/** What a judgement asks of each read by itself. */
export interface ReadRule {
  readonly model: 'regular' | 'safe'
  /** The reads that break it. */
  readonly refusedOf: (registers: Registers) => readonly Refused[]
  /** What all reads did where it holds. */
  readonly promise: string
}

/** The verdict on a model that each read upholds or breaks by itself. */
export function judgeReads(history: History, context: JudgeContext, { model, refusedOf, promise }: ReadRule): JudgementVerdict {
  const registers = registersOf(history, context)
  const base = { judgement: model, model, operations: registers.reads + registers.writes, witnesses: [] as Witness[] }
  const vacuous = registers.foreign.length > 0 ? whyIncomplete(history, registers) : whyVacuous(registers)
  if (vacuous !== undefined) return { ...base, metrics: {}, verdict: 'unknown', reason: vacuous, summary: `Not judged: ${vacuous}.` }
  const refused = refusedOf(registers)
  const keys = new Set(refused.map((r) => registers.key[r.read]!))
  const metrics = { reads: registers.reads, reads_violated: refused.length, keys: registers.keys.length, keys_violated: keys.size }
  if (refused.length > 0) {
    const witnesses = refused.slice(0, WITNESSES).map((r) => witness(history, registers, r))
    return { ...base, metrics, verdict: 'violated', witnesses, summary: `${refused.length} of ${registers.reads} reads: ${witnesses[0]!.explanation}.` }
  }
  const reason = whyIncomplete(history, registers)
  if (reason !== undefined) return { ...base, metrics, verdict: 'unknown', reason, summary: `Not refuted, but ${reason}.` }
  return { ...base, metrics, verdict: 'holds', summary: `All ${registers.reads} reads ${promise}.` }
}

/** A read that fits into no order; `newer`: the write that had replaced what it returned, -1 when that is not the reason. */
export interface Refused {
  readonly read: number
  readonly newer: number
}

/** The reads that no order of the writes to their key explains, one read at a time. O(n). */
export function refusedReads(registers: Registers): Refused[] {
  const { count, write, start, end, source, happened } = registers
  const newest = newestBefore(registers)
  const refused: Refused[] = []
  for (let read = 0; read < count; read++) {
    if (write[read] === 1 || happened[read] === 0) continue
    const from = source[read]!
    const newer = newest[read]!
    if (from === THIN_AIR || (from >= 0 && start[from]! > end[read]!)) refused.push({ read, newer: -1 })
    else if (newer >= 0 && (from === INITIAL || (from >= 0 && start[newer]! > end[from]!))) refused.push({ read, newer })
  }
  return refused
}

/** For each read the write to its key that began last among those that had ended before the read began; -1 for none. */
function newestBefore({ count, write, start, end, key, keys, happened }: Registers): Int32Array {
  let last = 0
  for (let op = 0; op < count; op++) last = Math.max(last, start[op]!, end[op] === NEVER ? 0 : end[op]!)
  const reading = new Int32Array(last + 1).fill(-1)
  const ending = new Int32Array(last + 1).fill(-1)
  for (let op = 0; op < count; op++) {
    if (happened[op] === 0) continue
    if (write[op] === 0) reading[start[op]!] = op
    else if (end[op] !== NEVER) ending[end[op]!] = op
  }
  const newest = new Int32Array(count).fill(-1)
  const current = new Int32Array(keys.length).fill(-1)
  for (let rank = 0; rank <= last; rank++) {
    const done = ending[rank]!
    if (done >= 0 && (current[key[done]!]! < 0 || start[done]! > start[current[key[done]!]!]!)) current[key[done]!] = done
    const read = reading[rank]!
    if (read >= 0) newest[read] = current[key[read]!]!
  }
  return newest
}

function witness(history: History, registers: Registers, { read, newer }: Refused): Witness {
  const { row, key, keys, source } = registers
  const describe = describer(history, registers)
  const from = source[read]!
  const name = history.values.decode(keys[key[read]!]!)
  const operations = [from, newer, read].filter((op) => op >= 0).map((op) => row[op]!).sort((a, b) => a - b)
  const why = newer < 0 ? (from >= 0 ? ', before that write had begun' : ', a value that no write can have written') : `, although ${describe(newer)} before it${from >= 0 ? ', and after the write of that value' : ''}`
  return { ...(name === null ? {} : { key: name as Witness['key'] }), operations, explanation: `${describe(read)}${why}` }
}
