/**
 * Eventual convergence: when writing has stopped and every fault is healed, do all replicas come to hold the same,
 * and is that something that was really written? (Vogels, Eventually Consistent, 2009; Saito and Shapiro, Optimistic
 * Replication, 2005.) To hold nothing, as in the beginning, is agreement, too: that confirmed writes are gone is for
 * `durability` to say, which a store may not promise.
 *
 * For each key the replicas have converged from the first look of the rest (see `replicas.ts`) from which on no look
 * finds another value; a look at which a replica did not answer does not make agreement, and breaks it only by what it
 * shows. The time to converge counts from the beginning of the rest, to the resolution of the looks. A key whose
 * replicas still differ at the last look has diverged: eventual means "in time", and the time of the run is all that
 * there was.
 */
import { FAIL, INVOKE } from './history/index.ts'
import { periodsOf } from './periods.ts'
import { registersOf } from './registers.ts'
import { replicasOf, textOf } from './replicas.ts'
import type { History, Json } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict, VerdictDocument, Witness } from './verdict.ts'
import type { ReplicaHistory, Replicas, Sample } from './replicas.ts'

const WITNESSES = 10
/** Keys whose times are listed one by one. */
const KEYS_SHOWN = 200
const LOOK_NS = 1e8
const registerFunctions = new Set(['read', 'write', 'delete', 'cas'])

/** After the last heal and the last write all replicas come to agree on something that was written. */
export const convergence: Judgement = {
  name: 'convergence',
  atRest: true,
  describes: 'after the last heal and the last write every replica comes to hold the same value, one that was written, or nothing',
  judge: (history, context) => judge(history, context),
}

/** The summary of convergence in `verdict.json`. */
export function convergenceOf(verdict: JudgementVerdict | undefined): VerdictDocument['convergence'] {
  const { keys = 0, diverged_keys = 0, time_to_converge_ms = null } = (verdict?.metrics ?? {}) as Partial<VerdictDocument['convergence']>
  const agreed = diverged_keys > 0 ? false : time_to_converge_ms === null ? null : true
  return { agreed, time_to_converge_ms, keys, diverged_keys }
}

/** What became of one key. */
type Outcome =
  | { readonly type: 'agreed'; readonly afterMs: number; readonly value: Json; readonly sample: Sample }
  | { readonly type: 'diverged'; readonly sample: Sample }
  | { readonly type: 'unseen'; readonly why: string }

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const replicas = replicasOf(history, context.faults)
  const base = { judgement: 'convergence', model: 'eventual' as const, operations: [...replicas.keys.values()].reduce((sum, key) => sum + key.samples.length, 0) }
  if (replicas.keys.size === 0) return { ...base, witnesses: [], metrics: {}, verdict: 'unknown', reason: 'replicas were not read', summary: 'Not judged: replicas were not read.' }
  const written = writtenValues(history)
  const outcomes = [...replicas.keys.values()].map((key) => ({ key, outcome: outcomeOf(key, replicas) }))
  const diverged = outcomes.filter(({ outcome }) => outcome.type === 'diverged')
  // A workload of other objects keeps them in keys in a form of its own: only agreement can be judged.
  const foreign = registersOf(history, context).foreign.length > 0
  const invented = foreign ? [] : outcomes.filter(({ key, outcome }) => outcome.type === 'agreed' && !isWritten(written, key.key, outcome.value))
  const unseen = [...written.values.keys()].filter((key) => !replicas.keys.has(key)).length
  const unsettled = outcomes.find(({ outcome }) => outcome.type === 'unseen')?.outcome as { why: string } | undefined
  const reason = unsettled?.why ?? (unseen > 0 ? `${unseen} keys were written but their replicas were not read` : undefined)
  const times = outcomes.flatMap(({ outcome }) => (outcome.type === 'agreed' ? [outcome.afterMs] : [])).sort((a, b) => a - b)
  const metrics = {
    keys: outcomes.length,
    diverged_keys: diverged.length,
    invented_keys: invented.length,
    time_to_converge_ms: times.length === outcomes.length ? times.at(-1)! : null,
    converged_keys: times.length,
    time_to_converge_p50_ms: times.length === 0 ? null : times[Math.ceil(times.length / 2) - 1]!,
    counted_from_ns: replicas.restFrom,
    counted_from: replicas.restAfter,
    // A key that never converged took longer than it was watched: its time is censored there.
    by_key: outcomes.slice(0, KEYS_SHOWN).map(({ key, outcome }) => ({ key: history.values.decode(key.key) as string, converge_ms: outcome.type === 'agreed' ? outcome.afterMs : null, watched_ms: Math.max(0, (key.samples.at(-1)!.time - replicas.restFrom) / 1e6) })),
    divergence: divergence(replicas),
    disagreement: disagreement(replicas, context),
  }
  const witnesses = [...diverged, ...invented].slice(0, WITNESSES).map(({ key, outcome }) => witness(history, key, outcome))
  if (witnesses.length > 0) return { ...base, metrics, witnesses, verdict: 'violated', summary: `${diverged.length + invented.length} of ${outcomes.length} keys: ${witnesses[0]!.explanation}.` }
  if (reason !== undefined) return { ...base, metrics, witnesses, verdict: 'unknown', reason, summary: `Not judged: ${reason}.` }
  return { ...base, metrics, witnesses, verdict: 'holds', summary: `All replicas of ${outcomes.length} keys agree, ${(metrics.time_to_converge_ms! / 1000).toFixed(2)} s after ${replicas.restAfter}.` }
}

function outcomeOf({ samples, replicas }: ReplicaHistory, { restFrom }: Replicas): Outcome {
  const resting = samples.filter((sample) => sample.time >= restFrom)
  const last = resting.at(-1)
  if (!last) return { type: 'unseen', why: 'replicas were not read after the last heal and the last write' }
  let since: Sample | undefined
  let text: string | undefined
  for (let at = resting.length - 1; at >= 0 && resting[at]!.agreed; at--) {
    const { held } = resting[at]!
    const seen = [...held.values()].map(textOf)[0]
    if (seen !== undefined && text !== undefined && seen !== text) break
    text = seen ?? text
    if (replicas.length > 0 && replicas.every((node) => held.has(node))) since = resting[at]!
  }
  if (since) return { type: 'agreed', afterMs: (since.time - restFrom) / 1e6, value: [...since.held.values()][0]!, sample: since }
  if (!last.agreed) return { type: 'diverged', sample: last }
  const silent = replicas.filter((node) => !last.held.has(node))
  return { type: 'unseen', why: replicas.length === 0 ? 'no replica ever answered' : silent.length > 0 ? `${silent.join(', ')} did not answer at the end` : 'replicas agreed only at looks that not all of them answered' }
}

/** For each key the texts of all values that may have been written; null stands for a delete and for the beginning. `anything`: keys of other objects, of which only agreement is asked. */
function writtenValues(history: History): { readonly values: Map<number, Set<string>>; readonly anything: ReadonlySet<number> } {
  const written = new Map<number, Set<string>>()
  const anything = new Set<number>()
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    const f = history.functions[history.f[row]!]!
    const done = history.pair[row]!
    const key = history.key[row]!
    if (!registerFunctions.has(f)) anything.add(key)
    if (f === 'read' || !registerFunctions.has(f) || (done >= 0 && history.type[done] === FAIL)) continue
    const values = written.get(key) ?? new Set(['null'])
    const value = history.values.decode(history.value[row]!)
    values.add(textOf(f === 'delete' ? null : f === 'cas' && Array.isArray(value) ? (value[1] as Json) : value))
    written.set(key, values)
  }
  return { values: written, anything }
}

function isWritten({ values: written, anything }: ReturnType<typeof writtenValues>, key: number, value: Json): boolean {
  // An operation without a key, as a transaction, may have written any.
  if (value === null || anything.has(key) || anything.has(-1)) return true
  const values = written.get(key) ?? new Set<string>()
  return values.has(textOf(value)) || (Array.isArray(value) && value.length > 0 && value.every((one) => values.has(textOf(one as Json))))
}

/** Over time, faults included: of how many keys did replicas differ? Looks within a tenth of a second of each other are one. */
function divergence({ keys }: Replicas): { at_ms: number; keys: number; differed: number }[] {
  const looks = new Map<number, { keys: number; differed: number }>()
  for (const { samples } of keys.values()) {
    for (const { time, agreed } of samples) {
      const at = Math.floor(time / LOOK_NS) * (LOOK_NS / 1e6)
      const look = looks.get(at) ?? { keys: 0, differed: 0 }
      looks.set(at, look)
      look.keys++
      if (!agreed) look.differed++
    }
  }
  return [...looks].sort(([a], [b]) => a - b).map(([at_ms, look]) => ({ at_ms, ...look }))
}

/** Per period: how many looks found replicas that differed? */
function disagreement({ keys }: Replicas, context: JudgeContext): { period: string; looks: number; differed: number }[] {
  return periodsOf(context.faults).map(({ name, spans }) => {
    const looks = [...keys.values()].flatMap((key) => key.samples.filter((sample) => spans.some(([from, to]) => from <= sample.time && sample.time <= to)))
    return { period: name, looks: looks.length, differed: looks.filter((sample) => !sample.agreed).length }
  })
}

function witness(history: History, { key }: ReplicaHistory, outcome: Outcome): Witness {
  const name = history.values.decode(key)
  const { sample } = outcome as { sample: Sample }
  const shown = name === null ? 'the register' : typeof name === 'string' ? name : JSON.stringify(name)
  const explanation = outcome.type === 'agreed'
    ? `replicas agree that ${shown} is ${JSON.stringify(outcome.value)}, which ${outcome.value === null ? 'no delete explains' : 'nobody wrote'}`
    : `replicas of ${shown} still differ: ${[...sample.held].map(([node, value]) => `${node} ${JSON.stringify(value)}`).join(', ')}`
  return { ...(name === null ? {} : { key: name as Witness['key'] }), operations: [sample.row], explanation }
}
