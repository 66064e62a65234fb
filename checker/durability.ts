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
 * Where several writes may have left the same value (deletes do), the youngest is taken to have.
 *
 * Beside it, writes of unknown outcome that took effect after all are *recovered*; and where replicas keep siblings
 * (version vectors), concurrent writes that should be among them and are not are counted as dropped.
 *
 * What this does not count: a write that overlapped the survivor, since the store's own conflict rule may have
 * dropped it (last write wins does so all the time); and a write that was lost and then overwritten by a later one
 * that survived, which the final state cannot show. All acknowledged writes newer than the survivor count, since each
 * was acknowledged, though the last of them may rightly have replaced the others. Under last write wins with skewed
 * clocks a newer write with an older timestamp is lost, and is counted.
 */
import { NEVER, registersOf } from './registers.ts'
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
  atRest: true,
  describes: 'no acknowledged write is gone while something certainly older is there, no delete undone; linear',
  judge,
}

/** The summary of durability in `verdict.json`. */
export function durabilityOf(verdict: JudgementVerdict | undefined): VerdictDocument['durability'] {
  const { acknowledged = 0, lost = 0 } = (verdict?.metrics ?? {}) as Partial<VerdictDocument['durability']>
  return { acknowledged, lost }
}

/** What is there at the end for one key: codes of values; or why that is not known. */
type Final = { readonly type: 'values'; readonly values: readonly number[]; /** Some replica answered with a list of siblings. */ readonly listed: boolean } | { readonly type: 'unknown'; readonly why: string }

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const registers = registersOf(history, context)
  const finals = finalsOf(history, context, registers)
  const acknowledged = acknowledgedWrites(registers)
  const base = { judgement: 'durability', operations: acknowledged.length, witnesses: [] as Witness[] }
  if (registers.foreign.length > 0) return unknown(base, `not a register history: ${registers.foreign.join(', ')}`)
  if (acknowledged.length === 0) return unknown(base, 'vacuous: no write was acknowledged')
  const bounds = boundsOf(history, context, registers, finals)
  const lost = acknowledged.filter((write) => registers.start[write]! > bounds.rank[registers.key[write]!]!)
  const judged = acknowledged.filter((write) => bounds.known[registers.key[write]!]).length
  const deleted = history.functions.indexOf('delete')
  const resurrected = lost.filter((write) => history.f[registers.row[write]!] === deleted)
  const recovered = recoveredWrites(registers, bounds)
  const siblings = siblingsOf(registers, acknowledged, finals, bounds)
  const metrics = {
    acknowledged: acknowledged.length,
    judged,
    lost: lost.length,
    resurrected: resurrected.length,
    recovered: recovered.length,
    keys_lost: new Set(lost.map((write) => registers.key[write])).size,
    sibling_keys: siblings.keys,
    siblings_dropped: siblings.dropped,
    lost_by_period: byPeriod(history, registers, context, { lost, resurrected, recovered }),
  }
  if (lost.length > 0) {
    const witnesses = lastOfEachKey(registers, lost).slice(0, WITNESSES).map((write) => witness(history, registers, write, bounds.survivor[registers.key[write]!]!))
    return { ...base, metrics, witnesses, verdict: 'violated', summary: `${lost.length} of ${acknowledged.length} acknowledged writes lost: ${witnesses[0]!.explanation}.` }
  }
  const unseen = acknowledged.find((write) => !bounds.known[registers.key[write]!])
  if (unseen !== undefined) {
    const final = finals.get(registers.keys[registers.key[unseen]!]!)
    return { ...unknown(base, final?.type === 'unknown' ? final.why : 'what is there at the end was not read'), metrics }
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
    for (const sample of samples) if (sample.time >= replicas.restFrom) for (const [node, value] of sample.held) if (nodes.includes(node)) last.set(node, value)
    const silent = nodes.filter((node) => !last.has(node))
    finals.set(key, silent.length > 0 ? { type: 'unknown', why: `${silent.join(', ')} did not answer at the end` } : { type: 'values', listed: [...last.values()].some((value) => codesOf(history, registers, key, value)[0] !== history.values.encode(value)), values: [...last.values()].flatMap((value) => codesOf(history, registers, key, value)) })
  }
  if (replicas.keys.size > 0 || replicas.quiesce < 0) return finals
  const { count, row, write, key, value, happened, keys } = registers
  for (let op = 0; op < count; op++) {
    if (write[op] === 1 || happened[op] === 0 || row[op]! < replicas.quiesce) continue
    const final = finals.get(keys[key[op]!]!)
    finals.set(keys[key[op]!]!, { type: 'values', listed: false, values: [...(final?.type === 'values' ? final.values : []), value[op]!] })
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
  /** Codes of the values that are there. */
  readonly left: readonly (ReadonlySet<number> | undefined)[]
  /** The youngest survivor, or -1. */
  readonly survivor: Int32Array
}

function boundsOf(history: History, context: JudgeContext, registers: Registers, finals: ReadonlyMap<number, Final>): Bounds {
  const { count, write, key, value, keys, start } = registers
  const effective = settled(registers)
  const left = keys.map((code) => {
    const final = finals.get(code)
    return final?.type === 'values' && final.values.length > 0 ? new Set(final.values) : undefined
  })
  // The youngest write that may have left what is there. What was there before every write is older than all of them.
  const rank = new Int32Array(keys.length).fill(-1)
  const survivor = new Int32Array(keys.length).fill(-1)
  const explained = left.map(() => new Set([history.values.encode(context.initial ?? null)]))
  for (let op = 0; op < count; op++) {
    const k = key[op]!
    if (write[op] === 0 || !left[k]?.has(value[op]!)) continue
    explained[k]!.add(value[op]!)
    // A value that was read before it was written is no reason to call its write older than itself.
    const since = Math.max(effective[op]!, start[op]!)
    if (since <= rank[k]!) continue
    rank[k] = since
    survivor[k] = op
  }
  // A value that nobody wrote is not ours to judge.
  for (const [k, values] of left.entries()) if (values === undefined || [...values].some((one) => !explained[k]!.has(one))) rank[k] = NEVER
  return { rank, known: left.map((values) => values !== undefined), left, survivor }
}

/** Writes of unknown outcome that took effect: they were read, or are there at the end. */
function recoveredWrites({ count, write, end, happened, key, value }: Registers, { left }: Bounds): number[] {
  const found: number[] = []
  for (let op = 0; op < count; op++) if (write[op] === 1 && end[op] === NEVER && (happened[op] === 1 || left[key[op]!]?.has(value[op]!))) found.push(op)
  return found
}

/**
 * For stores that keep siblings: keys with several at the end, and acknowledged writes that should be among them and are
 * not, because nothing that began after they had taken effect, and no session that had read them, replaced them.
 */
function siblingsOf(registers: Registers, acknowledged: readonly number[], finals: ReadonlyMap<number, Final>, { left }: Bounds): { readonly keys: number; readonly dropped: number } {
  const { keys, key, value, start, write, count, source, session, happened } = registers
  const listed = keys.map((code, k) => finals.get(code)?.type === 'values' && (finals.get(code) as { listed: boolean }).listed && left[k]!.size > 0)
  if (!listed.some(Boolean)) return { keys: 0, dropped: 0 }
  const effective = settled(registers)
  const replaced = new Set<number>()
  const newest = new Int32Array(keys.length).fill(-1)
  const seen = new Map<number, number[]>()
  for (let op = 0; op < count; op++) {
    const slot = session[op]! * keys.length + key[op]!
    if (happened[op] === 0) continue
    if (write[op] === 0 && source[op]! >= 0) seen.set(slot, [...(seen.get(slot) ?? []), source[op]!])
    if (write[op] === 0) continue
    for (const one of seen.get(slot) ?? []) replaced.add(one)
    seen.set(slot, [op])
    newest[key[op]!] = Math.max(newest[key[op]!]!, start[op]!)
  }
  const dropped = acknowledged.filter((op) => listed[key[op]!] && !left[key[op]!]!.has(value[op]!) && !replaced.has(op) && newest[key[op]!]! <= effective[op]!)
  return { keys: listed.filter((one, k) => one && left[k]!.size > 1).length, dropped: dropped.length }
}

/** By the period in which they were acknowledged or, without an acknowledgement, invoked. */
function byPeriod(history: History, registers: Registers, context: JudgeContext, counted: Readonly<Record<string, readonly number[]>>): Record<string, string | number>[] {
  const time = (write: number): number => {
    const row = registers.row[write]!
    return registers.end[write] === NEVER ? history.timeAt(row) : history.timeAt(history.pair[row]!)
  }
  const times = Object.entries(counted).map(([name, writes]) => [name, writes.map(time)] as const)
  return periodsOf(context.faults).map(({ name, spans }) => ({
    period: name,
    ...Object.fromEntries(times.map(([what, moments]) => [what, moments.filter((one) => spans.some(([from, to]) => from <= one && one <= to)).length])),
  }))
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
  const undone = history.functions[history.f[registers.row[write]!]!] === 'delete' ? 'the delete is undone: ' : ''
  const left = survivor >= 0 ? `${undone}what is left is older: ${describe(survivor)}` : 'nothing is left'
  return { ...(name === null ? {} : { key: name as Witness['key'] }), operations, explanation: `${describe(write)} and was told that it succeeded; ${left}` }
}
