/**
 * The four session guarantees (Terry et al. 1994), each a judgement of its own, and PRAM, which is the first three at
 * once. Definitions and search: `visibility.ts`.
 *
 * What breaks them, at the smallest:
 *
 *     read your writes       w(x,1)  r(x)=nil
 *     monotonic reads        r(x)=1  r(x)=nil                              r(x)=1  r(x)=2  r(x)=1
 *     monotonic writes       w(x,1)  w(y,2)            | r(y)=2  r(x)=nil
 *     writes follow reads    w(x,1)  | r(x)=1  w(y,2)  | r(y)=2  r(x)=nil
 */
import { guarantees } from './breach.ts'
import { smallestWitnesses } from './small-witness.ts'
import { visibilityOf } from './visibility.ts'
import { registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict, Model, Witness } from './verdict.ts'
import type { Guarantee } from './breach.ts'
import type { Broken } from './small-witness.ts'
import type { Visibility } from './visibility.ts'

const plain: Readonly<Record<Guarantee, string>> = {
  'read-your-writes': 'a session sees what it wrote',
  'monotonic-reads': 'a session never sees less than it has seen',
  'monotonic-writes': 'who sees a write sees what its session wrote before',
  'writes-follow-reads': 'who sees a write sees what its session had read before writing it',
}

const judgementOf = (guarantee: Guarantee): Judgement => ({
  name: guarantee,
  describes: `${plain[guarantee]}; exact for values written once, near-linear`,
  judge: (history, context) => judgeGuarantees(history, context, guarantee, [guarantee], plain[guarantee]),
})

/** A session sees what it wrote. */
export const readYourWrites = judgementOf('read-your-writes')
/** A session never sees less than it has seen. */
export const monotonicReads = judgementOf('monotonic-reads')
/** Who sees a write sees what its session wrote before. */
export const monotonicWrites = judgementOf('monotonic-writes')
/** Who sees a write sees what its session had read before writing it. */
export const writesFollowReads = judgementOf('writes-follow-reads')

/** Read your writes, monotonic reads and monotonic writes at once, for every session. */
export const pram: Judgement = {
  name: 'pram',
  describes: "every session sees every other session's writes in their order; the first three session guarantees at once",
  judge: (history, context) => judgeGuarantees(history, context, 'pram', guarantees.slice(0, 3), "every session sees each session's writes in order"),
}

/** The verdict on a model that consists of some of the guarantees. */
export function judgeGuarantees(history: History, context: JudgeContext, model: Model, parts: readonly Guarantee[], promise: string): JudgementVerdict {
  const registers = registersOf(history, context)
  const operations = registers.reads + registers.writes
  const base = { judgement: model, model, operations, witnesses: [] as Witness[], metrics: {} }
  const vacuous = registers.foreign.length > 0 ? whyIncomplete(history, registers) : whyVacuous(registers)
  if (vacuous !== undefined) return { ...base, verdict: 'unknown', reason: vacuous, summary: `Not judged: ${vacuous}.` }
  const visibility = visibilityOf(history, context)
  const { breaches, cycle } = brokenParts(visibility, parts)
  const judged = Math.max(...parts.map((part) => visibility.judged[part]))
  const metrics = { sessions: registers.processes.length, sessions_judged: judged, sessions_violated: new Set(breaches.map((b) => b.session)).size }
  if (breaches.length > 0 || cycle.length > 0) {
    const witnesses = smallestWitnesses(history, context, visibility, (one) => brokenParts(one, parts))
    return { ...base, metrics, verdict: 'violated', witnesses, summary: `${breaches.length > 0 ? `${metrics.sessions_violated} of ${metrics.sessions} sessions` : 'A cycle of causes'}: ${witnesses[0]!.explanation}.` }
  }
  const reason = whyIncomplete(history, registers)
    ?? (parts.includes('writes-follow-reads') ? visibility.exhausted : undefined)
    ?? (judged === 0 ? 'no session upholds the guarantees that this one rests on' : undefined)
  if (reason !== undefined) return { ...base, metrics, verdict: 'unknown', reason, summary: `Not refuted, but ${reason}.` }
  return { ...base, metrics, verdict: 'holds', summary: `In all ${judged} sessions ${promise}.` }
}

/** What of a history's breaches concerns these guarantees. */
function brokenParts({ breaches, cycle }: Visibility, parts: readonly Guarantee[]): Broken {
  return { breaches: breaches.filter((b) => b.breaks === 'every' || parts.includes(b.breaks)), cycle: parts.includes('writes-follow-reads') ? cycle : [] }
}
