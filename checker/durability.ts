/**
 * Durability: is every acknowledged write still there, or replaced by something that may have replaced it?
 *
 * What is there at the end is what the replicas hold at the last look of the rest (see `replicas.ts`), or, where they
 * cannot be read, what clients read after `quiesce`. An acknowledged write of a key is *lost* when everything that is
 * there is certainly older than it: each value was written by a write that had taken effect (it was acknowledged, or
 * its value had been read) before the lost one was even invoked, or there is nothing and no delete explains that. No
 * order of conflicting writes that respects real time can have chosen the older one. A delete counts as a write: lost,
 * it has been resurrected.
 *
 * What this does not count: a write that overlapped the survivor, since the store's own conflict rule may have
 * dropped it (last write wins does so all the time); and a write that was lost and then overwritten by a later one
 * that survived, which the final state cannot show. All acknowledged writes newer than the survivor count, since each
 * was acknowledged, though the last of them may rightly have replaced the others. Under last write wins with skewed
 * clocks a newer write with an older timestamp is lost, and is counted.
 */
import { AMBIGUOUS, NEVER, registersOf } from './registers.ts'
import { settled } from './freshness.ts'
import { describer } from './describe.ts'
import { periodsOf } from './periods.ts'
import { replicasOf } from './replicas.ts'
import type { History, Json } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict, VerdictDocument, Witness } from './verdict.ts'
import type { Registers } from './registers.ts'

const WITNESSES = 10

/** No acknowledged write is lost. */
export const durability: Judgement = {
  name: 'durability',
  describes: 'no acknowledged write is gone while something certainly older is there; exact for values written once, linear',
  judge,
}

/** The summary of durability in `verdict.json`. */
export function durabilityOf(verdict: JudgementVerdict | undefined): VerdictDocument['durability'] {
  const { acknowledged = 0, lost = 0 } = (verdict?.metrics ?? {}) as Partial<VerdictDocument['durability']>
  return { acknowledged, lost }
}

/** What is there at the end for one key: codes of values; or why that is not known. */
type Final = { readonly type: 'values'; readonly values: readonly number[] } | { readonly type: 'unknown'; readonly why: string }

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const registers = registersOf(history, context)
  const finals = finalsOf(history, context, registers)
  const acknowledged = acknowledgedWrites(registers)
  const base = { judgement: 'durability', operations: acknowledged.length, witnesses: [] as Witness[] }
  if (registers.foreign.length > 0) return unknown(base, `not a register history: ${registers.foreign.join(', ')}`)
  if (acknowledged.length === 0) return unknown(base, 'vacuous: no write was acknowledged')
  const bounds = boundsOf(registers, finals)
  const lost = acknowledged.filter((write) => registers.start[write]! > bounds.rank[registers.key[write]!]!)
  const judged = acknowledged.filter((write) => bounds.known[registers.key[write]!]).length
  const metrics = {
    acknowledged: acknowledged.length,
    judged,
    lost: lost.length,
    keys_lost: new Set(lost.map((write) => registers.key[write])).size,
    lost_by_period: byPeriod(history, registers, lost, context),
  }
  if (lost.length > 0) {
    const witnesses = lastOfEachKey(registers, lost).slice(0, WITNESSES).map((write) => witness(history, registers, write, bounds.survivor[registers.key[write]!]!))
    return { ...base, metrics, witnesses, verdict: 'violated', summary: `${lost.length} of ${acknowledged.length} acknowledged writes lost: ${witnesses[0]!.explanation}.` }
  }
  const unseen = acknowledged.find((write) => !bounds.known[registers.key[write]!])
  if (unseen !== undefined) {
    const final = finals.get(registers.keys[registers.key[unseen]!]!)
    return { ...unknown(base, final?.type === 'unknown' ? final.why : 'what is there at the end was not read, or was written more than once'), metrics }
  }
  return { ...base, metrics, verdict: 'holds', summary: `None of ${acknowledged.length} acknowledged writes was lost.` }
}

function unknown(base: Pick<JudgementVerdict, 'judgement' | 'operations' | 'witnesses'>, reason: string): JudgementVerdict {
  return { ...base, metrics: {}, verdict: 'unknown', reason, summary: `Not judged: ${reason}.` }
}

function acknowledgedWrites({ count, write, end }: Registers): number[] {
  const found: number[] = []
  for (let op = 0; op < count; op++) if (write[op] === 1 && end[op] !== NEVER) found.push(op)
  return found
}

/** By key code. */
function finalsOf(history: History, context: JudgeContext, registers: Registers): Map<number, Final> {
  const replicas = replicasOf(history, context.faults)
  const finals = new Map<number, Final>()
  for (const { key, samples, replicas: nodes } of replicas.keys.values()) {
    const last = new Map<string, Json>()
    for (const sample of samples) if (sample.time >= replicas.restFrom) for (const [node, value] of sample.held) last.set(node, value)
    const silent = nodes.filter((node) => !last.has(node))
    finals.set(key, silent.length > 0 ? { type: 'unknown', why: `${silent.join(', ')} did not answer at the end` } : { type: 'values', values: [...last.values()].flatMap((value) => codesOf(history, registers, key, value)) })
  }
  if (replicas.keys.size > 0 || replicas.quiesce < 0) return finals
  const { count, row, write, key, value, happened, keys } = registers
  for (let op = 0; op < count; op++) {
    if (write[op] === 1 || happened[op] === 0 || row[op]! < replicas.quiesce) continue
    const final = finals.get(keys[key[op]!]!)
    finals.set(keys[key[op]!]!, { type: 'values', values: [...(final?.type === 'values' ? final.values : []), value[op]!] })
  }
  return finals
}

/** A list is a value if it was written as one, otherwise siblings. */
function codesOf(history: History, registers: Registers, key: number, value: Json): number[] {
  const whole = history.values.encode(value)
  if (!Array.isArray(value) || registers.writer(registers.keys.indexOf(key), whole) >= 0) return [whole]
  return value.map((one) => history.values.encode(one as Json))
}

/** Per key: a write that began after this rank is lost. */
interface Bounds {
  readonly rank: Int32Array
  readonly known: readonly boolean[]
  /** The youngest survivor, or -1. */
  readonly survivor: Int32Array
}

function boundsOf(registers: Registers, finals: ReadonlyMap<number, Final>): Bounds {
  const effective = settled(registers)
  const deletes = registers.keys.map((_, key) => registers.writer(key, -1))
  const rank = new Int32Array(registers.keys.length).fill(NEVER)
  const survivor = new Int32Array(registers.keys.length).fill(-1)
  const known = registers.keys.map((code, key) => {
    const final = finals.get(code)
    if (final?.type !== 'values' || final.values.length === 0) return false
    let newest = -1
    for (const value of new Set(final.values)) {
      const by = value === -1 ? deletes[key]! : registers.writer(key, value)
      if (by === AMBIGUOUS) return false
      // Nothing there and nothing deleted: older than every write. A value that nobody wrote is not ours to judge.
      const at = by >= 0 ? effective[by]! : value === -1 ? -1 : NEVER
      if (at > newest) survivor[key] = by
      newest = Math.max(newest, at)
    }
    rank[key] = newest
    return true
  })
  return { rank, known, survivor }
}

function byPeriod(history: History, registers: Registers, lost: readonly number[], context: JudgeContext): { period: string; lost: number }[] {
  const times = lost.map((write) => history.time[history.pair[registers.row[write]!]!]!)
  return periodsOf(context.faults).map(({ name, spans }) => ({ period: name, lost: times.filter((time) => spans.some(([from, to]) => from <= time && time <= to)).length }))
}

function lastOfEachKey(registers: Registers, lost: readonly number[]): number[] {
  const last = new Map<number, number>()
  for (const write of lost) last.set(registers.key[write]!, write)
  return [...last.values()]
}

function witness(history: History, registers: Registers, write: number, survivor: number): Witness {
  const name = history.values.decode(registers.keys[registers.key[write]!]!)
  const describe = describer(history, registers)
  const operations = [survivor, write].filter((op) => op >= 0).map((op) => registers.row[op]!).sort((a, b) => a - b)
  const left = survivor >= 0 ? `what is left is older: ${describe(survivor)}` : 'nothing is left'
  return { ...(name === null ? {} : { key: name as Witness['key'] }), operations, explanation: `${describe(write)} and was told that it succeeded; ${left}` }
}
