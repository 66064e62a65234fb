/**
 * All judgements together: from a history to the document that reports, exit codes and CI read.
 *
 * A run is judged against what its system promises, or what was asked for instead. The verdict is the merge of what
 * that rests on: the promised rung of the ladder; for `eventual` convergence itself; wherever replicas were observed, convergence and
 * durability too, since no model is worth much whose writes are gone; and always vacuity. The other rungs are
 * decided as well and reported beside it: a store that promises to converge passes when it converges, and its report
 * still says which stronger models it broke. Equal histories give equal documents.
 */
import { HistoryError, OBSERVER } from './history/index.ts'
import { availabilityOf } from './availability.ts'
import { bankTotal } from './bank-total.ts'
import { causal } from './causal.ts'
import { counterBounds } from './counter-bounds.ts'
import { countersIn } from './counters.ts'
import { longFork } from './long-fork.ts'
import { queueTotal } from './queue-total.ts'
import { setFull } from './set-full.ts'
import { causalConvergence } from './causal-convergence.ts'
import { causalMemory } from './causal-memory.ts'
import { cutShort } from './cut-short.ts'
import { convergence, convergenceOf } from './convergence.ts'
import { deltaAtomicity } from './delta-atomicity.ts'
import { durability, durabilityOf } from './durability.ts'
import { exceptions } from './exceptions.ts'
import { faultWindows } from './faults.ts'
import { kAtomicity } from './k-atomicity.ts'
import { ladderOf, strongestOf } from './ladder.ts'
import { latencyOf } from './latency.ts'
import { linearizable } from './linearizable.ts'
import { monotonicReads, monotonicWrites, pram, readYourWrites, writesFollowReads } from './sessions.ts'
import { outcomes, vacuity } from './vacuity.ts'
import { regular } from './regular.ts'
import { safe } from './safe.ts'
import { sentenceOf } from './sentence.ts'
import { sequential } from './sequential.ts'
import { staleness } from './staleness.ts'
import { requests } from './terms.ts'
import { isolationIn, transactional } from './transactional.ts'
import { weakCausal } from './weak-causal.ts'
import { mergeVerdicts } from './verdict.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict, Model, RunDescription, VerdictDocument } from './verdict.ts'

/** What to judge against, and how long to try: without `elapsedMs` no time passes, and `timeLimitMs` limits nothing. */
export interface JudgeOptions extends Partial<JudgeContext> {
  /** Null for an imported history. */
  readonly run: RunDescription | null
  readonly promised: Model
  /** That was asked for, whatever the system promises. Default: the system promises it. */
  readonly expected?: boolean
  /** The system does not promise to keep acknowledged writes, so their loss breaks no promise. Default: it does. */
  readonly losesWrites?: boolean
  /** Default: `registerJudgements`. Vacuity is always judged. */
  readonly judgements?: readonly Judgement[]
  /** Called before each judgement: which one, how many are done, of how many. */
  readonly onJudgement?: (name: string, done: number, total: number) => void
}

/** All judgements of histories of reads, writes, deletes and compare-and-sets on registers. */
export function registerJudgements(options: Pick<JudgeContext, 'nilReads'> = {}): Judgement[] {
  return [
    linearizable(options.nilReads === 'unknown' ? { nilReads: 'unknown' } : {}),
    sequential,
    regular,
    causalConvergence,
    causalMemory,
    causal,
    weakCausal,
    pram,
    readYourWrites,
    monotonicReads,
    monotonicWrites,
    writesFollowReads,
    safe,
    convergence,
    durability,
    staleness,
    kAtomicity,
    deltaAtomicity,
  ]
}

/** Every judgement there is, for `--judge`; one that finds nothing to judge in a history says so. */
export const judgements = (options: Pick<JudgeContext, 'nilReads'> = {}): Judgement[] => [
  ...registerJudgements(options),
  // A linearizable set loses no element, a linearizable counter is never out of bounds, transactions that are linearizable are
  // strictly serializable: what breaks one of these breaks the rung.
  ...[transactional('strict-serializable'), setFull(), counterBounds(), queueTotal(), bankTotal(), longFork()].map(refutingLinearizability),
  exceptions,
  vacuity,
]

function refutingLinearizability(judgement: Judgement): Judgement {
  return {
    ...judgement,
    async judge(history, context) {
      const verdict = await judgement.judge(history, context)
      return verdict.verdict === 'violated' ? { ...verdict, model: 'linearizable' } : verdict
    },
  }
}

/** Judges a history. Never throws for what a judgement does: a judgement that fails is unknown, with the reason. */
export async function judge(history: History, options: JudgeOptions): Promise<VerdictDocument> {
  const { run, promised, expected = false, losesWrites = false, judgements: chosen = registerJudgements(options), onJudgement, ...given } = options
  const context: JudgeContext = { faults: faultWindows(history), timeLimitMs: 60_000, memoryLimitMb: 1_024, elapsedMs: () => 0, ...given }
  const verdicts: JudgementVerdict[] = []
  const all = [...chosen.filter((one) => one.name !== vacuity.name), vacuity]
  for (const judgement of all) {
    onJudgement?.(judgement.name, verdicts.length, all.length)
    verdicts.push(await judged(judgement, history, context))
  }
  const operations = outcomes(history)
  const shown = operations.ok === 0 ? verdicts.map((one) => withoutAnswers(one, verdicts.at(-1)!)) : verdicts
  const ladder = ladderOf(shown)
  const basis = basisOf(history, promised, losesWrites ? shown.filter((one) => one.judgement !== durability.name) : shown, ladder)
  const verdict = mergeVerdicts(basis.map((part) => part.verdict))
  const promiseVerdict = mergeVerdicts(basis.filter(({ requested }) => !requested).map((part) => part.verdict))
  const reason = [verdict, promiseVerdict].includes('unknown') ? [...new Set(basis.flatMap((part) => (part.verdict === 'unknown' ? [part.reason] : [])))].join('; ') : undefined
  const document: Omit<VerdictDocument, 'sentence'> = {
    schema: 'splitbrain-verdict/1',
    verdict,
    ...(reason === undefined ? {} : { reason }),
    promised,
    ...(expected ? { expected } : {}),
    promise_verdict: promiseVerdict,
    ...(losesWrites ? { loses_writes: true } : {}),
    strongest: operations.ok === 0 ? null : strongestOf(ladder),
    run,
    ...(history.truncated ? { truncated: true } : {}),
    operations,
    ladder,
    ...isolationIn(verdicts),
    judgements: verdicts,
    faults: [...context.faults],
    availability: availabilityOf(history, context.faults),
    latency: latencyOf(history, context.faults),
    ...countersIn(history),
    convergence: convergenceOf(verdicts.find((one) => one.judgement === convergence.name)),
    durability: durabilityOf(verdicts.find((one) => one.judgement === durability.name)),
  }
  return { ...document, sentence: sentenceOf(document, history) }
}

async function judged(judgement: Judgement, history: History, context: JudgeContext): Promise<JudgementVerdict> {
  try {
    const verdict = atRest(judgement, await judgement.judge(history, context), history)
    return judgement.binding === undefined ? verdict : { ...verdict, binding: judgement.binding }
  } catch (error) {
    // What a judgement cannot read is not for it: a set's operations are none of a register's.
    const reason = error instanceof HistoryError ? error.message : `the judgement failed: ${error instanceof Error ? error.message : String(error)}`
    return { judgement: judgement.name, verdict: 'unknown', reason, summary: `Not judged: ${reason}.`, operations: 0, witnesses: [], metrics: {} }
  }
}

/** What is missing in a run that was cut short might still have come. */
function atRest({ atRest: needsRest }: Judgement, verdict: JudgementVerdict, history: History): JudgementVerdict {
  const cut = needsRest === true && verdict.verdict === 'violated' ? cutShort(history) : undefined
  if (cut === undefined) return verdict
  const reason = `${cut}, before all that was written could be everywhere`
  return { ...verdict, verdict: 'unknown', reason, witnesses: [], metrics: {}, summary: `Not judged: ${reason}.` }
}

/** Of a history in which nothing succeeded: it breaks no model, and no answer of a store was seen that could show one. */
function withoutAnswers(one: JudgementVerdict, { reason = 'no operation succeeded' }: JudgementVerdict): JudgementVerdict {
  if (one.model === undefined || one.model === 'eventual' || one.verdict !== 'holds') return one
  return { ...one, verdict: 'unknown', reason, summary: 'Not judged: no operation succeeded.' }
}

/** One thing that the verdict rests on. */
interface Part {
  readonly verdict: JudgementVerdict['verdict']
  readonly reason: string
  /** It is no part of the promise, but was asked for beside it. */
  readonly requested: boolean
}

/** Why nobody judged what is promised. */
function notJudged(promised: Model, verdicts: readonly JudgementVerdict[]): string {
  const why = verdicts.some(({ binding }) => binding === false) ? ": the workload's objects take several operations of this store, which promises nothing of them together" : ''
  return `${promised} was not judged${why}`
}

function basisOf(history: History, promised: Model, verdicts: readonly JudgementVerdict[], ladder: VerdictDocument['ladder']): Part[] {
  const rung = ladder.find((one) => one.model === promised)!
  const own = verdicts.find((one) => one.model === promised)
  const observed = history.process.subarray(0, history.length).includes(OBSERVER)
  const onLadder = promised === 'eventual' || own !== undefined || rung.verdict !== 'unknown'
  const beside = verdicts.filter((one) => one.judgement === vacuity.name || one.binding === true || (observed && [convergence.name, durability.name].includes(one.judgement)))
  const bound = verdicts.some(({ binding }) => binding === true)
  return [
    // A workload of other objects than registers may say nothing of this rung; then its own judgements alone are the promise.
    ...(onLadder || !bound ? [{ verdict: rung.verdict, reason: own?.reason ?? notJudged(promised, verdicts), requested: false }] : []),
    ...beside.map((one) => ({ verdict: one.verdict, reason: one.reason ?? one.summary, requested: one.judgement in requests })),
  ]
}
