/**
 * The ladder of models, and what the verdict on one rung says about the others.
 *
 *     linearizable ─┬─ sequential ── causal ─┬─ pram ─┬─ read-your-writes
 *                   │                        │        ├─ monotonic-reads
 *                   │                        │        └─ monotonic-writes
 *                   │                        └─ writes-follow-reads
 *                   └─ regular                                              eventual
 *
 * Every line is a theorem about the definitions used here, and nothing else is a line. A linearization is a
 * sequential order; it also shows each read the last write before it or one that overlaps. A sequential order,
 * cut off at each read, is an explanation that fulfils all four session guarantees (`visibility.ts`); causal is all
 * four, PRAM the first three. Sequential consistency does not imply regularity (it may answer from the past), nor
 * regularity any session guarantee (new, then old). Eventual stands alone: it speaks of replicas at rest, of which
 * the histories of clients say nothing in either direction.
 *
 * A rung is violated when its own judgement or any rung below it is; otherwise it holds when its own judgement or any
 * rung above it does; otherwise it is unknown.
 */
import { models } from './verdict.ts'
import type { JudgementVerdict, Model, Rung } from './verdict.ts'

/** What each model implies directly. */
export const implied: Readonly<Record<Model, readonly Model[]>> = {
  linearizable: ['sequential', 'regular'],
  sequential: ['causal'],
  regular: [],
  causal: ['pram', 'writes-follow-reads'],
  pram: ['read-your-writes', 'monotonic-reads', 'monotonic-writes'],
  'read-your-writes': [],
  'monotonic-reads': [],
  'monotonic-writes': [],
  'writes-follow-reads': [],
  eventual: [],
}

/** Everything that a model implies, itself not included. */
export function weakerThan(model: Model): Model[] {
  return [...new Set(implied[model].flatMap((weaker) => [weaker, ...weakerThan(weaker)]))]
}

/** Every rung, decided by its own judgement or by its neighbours. */
export function ladderOf(verdicts: readonly JudgementVerdict[]): Rung[] {
  const own = new Map(verdicts.flatMap((verdict) => (verdict.model === undefined ? [] : [[verdict.model, verdict] as const])))
  const says = (word: JudgementVerdict['verdict']) => (model: Model): boolean => own.get(model)?.verdict === word
  return models.map((model): Rung => {
    const judgement = own.get(model)
    if (judgement?.verdict === 'violated') return { model, verdict: 'violated', by: judgement.judgement }
    const refuted = models.find((weaker) => weakerThan(model).includes(weaker) && says('violated')(weaker))
    if (refuted !== undefined) return { model, verdict: 'violated', by: `implied by ${refuted}` }
    if (judgement?.verdict === 'holds') return { model, verdict: 'holds', by: judgement.judgement }
    const upheld = models.find((stronger) => weakerThan(stronger).includes(model) && says('holds')(stronger))
    if (upheld !== undefined) return { model, verdict: 'holds', by: `implied by ${upheld}` }
    return { model, verdict: 'unknown', by: judgement?.judgement ?? 'not judged' }
  })
}

/** The strongest rung that holds; of rungs side by side the one that stands first in `models`. */
export function strongestOf(ladder: readonly Rung[]): Model | null {
  return ladder.find((rung) => rung.verdict === 'holds')?.model ?? null
}
