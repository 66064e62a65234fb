/**
 * The ladder of models, and what the verdict on one rung says about the others.
 *
 *     linearizable ─┬─ sequential ─┬─ causal-convergence ─┬─ causal ─┬─ pram ─┬─ monotonic-reads
 *                   │              └─ causal-memory ──────┘          │        ├─ monotonic-writes
 *                   │                                                │        └─ read-your-writes
 *                   │                                                ├─ writes-follow-reads
 *                   │                                                └─ weak-causal ── read-your-writes
 *                   └─ regular ── safe                                                            eventual
 *
 * Every line is a theorem about the definitions used here, and nothing else is a line.
 *
 * - A linearization is a sequential order; it also shows each read the last write before it or one that overlaps, and
 *   a regular read is safe, since safety asks the same of fewer reads.
 * - A sequential order is for every session one order of all writes that keeps causes before effects (causal memory),
 *   and the same one for all (causal convergence); Bouajjani et al. 2017, theorem 1, and Perrin et al. 2016, figure 1.
 * - Causal memory's order for a session, cut off at each of its reads, is an explanation that fulfils the four session
 *   guarantees (`visibility.ts`): what is visible only grows, and the arbitration keeps happens-before. So is causal
 *   convergence's order, restricted at each read to its causes. That is `causal`; PRAM is the first three guarantees.
 * - Under `causal` each read returns the last of its causes in an arbitration that keeps happens-before: weak causal
 *   consistency. That shows a session its own writes (in its causes, and none older than one that it has overwritten),
 *   but may return to a value that was left for a concurrent one: monotonic reads is no line below it, nor are the two
 *   guarantees that rest on that.
 *
 * Sequential consistency does not imply safety (it may answer from the past), nor regularity any session guarantee
 * (new, then old). Eventual stands alone: it speaks of replicas at rest, of which the histories of clients say nothing
 * in either direction.
 *
 * A rung is violated when its own judgement or any rung below it is; otherwise it holds when its own judgement or any
 * rung above it does; otherwise it is unknown.
 */
import { models } from './verdict.ts'
import type { JudgementVerdict, Model, Rung } from './verdict.ts'

/** What each model implies directly. */
export const implied: Readonly<Record<Model, readonly Model[]>> = {
  linearizable: ['sequential', 'regular'],
  sequential: ['causal-convergence', 'causal-memory'],
  regular: ['safe'],
  'causal-convergence': ['causal'],
  'causal-memory': ['causal'],
  causal: ['pram', 'writes-follow-reads', 'weak-causal'],
  'weak-causal': ['read-your-writes'],
  pram: ['read-your-writes', 'monotonic-reads', 'monotonic-writes'],
  'read-your-writes': [],
  'monotonic-reads': [],
  'monotonic-writes': [],
  'writes-follow-reads': [],
  safe: [],
  eventual: [],
}

/** What each model means, in one sentence. */
export const meanings: Readonly<Record<Model, string>> = {
  linearizable: 'one order of all operations explains every answer, and agrees with real time (Herlihy and Wing 1990)',
  sequential: 'one order of all operations explains every answer, and agrees with each session (Lamport 1979)',
  regular: 'a read returns the last write before it, or one that overlaps it (Lamport 1986; several writers: Shao et al. 2011)',
  'causal-convergence': 'everyone puts all writes into one order that keeps causes before effects, and a read returns the last of its causes (Burckhardt 2014; Bouajjani et al. 2017)',
  'causal-memory': 'every session applies all writes one after the other, causes before effects (Ahamad et al. 1995)',
  causal: 'whoever sees a write sees its causes, and nobody goes back: the four session guarantees at once (Brzezinski et al. 2004)',
  'weak-causal': 'a read never returns what one of its causes had overwritten, but may go back between concurrent values (causal consistency of Bouajjani et al. 2017; Perrin et al. 2016)',
  pram: "every session sees each session's writes in their order: the first three session guarantees at once (Lipton and Sandberg 1988)",
  'read-your-writes': 'a session sees what it wrote (Terry et al. 1994)',
  'monotonic-reads': 'a session never sees less than it has seen (Terry et al. 1994)',
  'monotonic-writes': 'who sees a write sees what its session wrote before (Terry et al. 1994)',
  'writes-follow-reads': 'who sees a write sees what its session had read before writing it (Terry et al. 1994)',
  safe: 'a read that overlaps no write returns the last one; one that does may return anything ever written (Lamport 1986)',
  eventual: 'after the last heal and the last write all replicas come to hold the same value, one that was written (Vogels 2009)',
}

const weaker = new Map<Model, readonly Model[]>()

/** Everything that a model implies, itself not included. */
export function weakerThan(model: Model): readonly Model[] {
  const known = weaker.get(model) ?? [...new Set(implied[model].flatMap((one) => [one, ...weakerThan(one)]))]
  weaker.set(model, known)
  return known
}

/** Every rung, decided by its own judgement or by its neighbours. */
export function ladderOf(verdicts: readonly JudgementVerdict[]): Rung[] {
  // Several judgements may speak of one rung: then what refutes it counts, and after that what decides it.
  const ranked = (['unknown', 'holds', 'violated'] as const).flatMap((word) => verdicts.filter((one) => one.verdict === word).reverse())
  const own = new Map(ranked.flatMap((verdict) => (verdict.model === undefined ? [] : [[verdict.model, verdict] as const])))
  const says = (word: JudgementVerdict['verdict']) => (model: Model): boolean => own.get(model)?.verdict === word
  return models.map((model): Rung => {
    const judgement = own.get(model)
    if (judgement?.verdict === 'violated') return { model, verdict: 'violated', by: judgement.judgement }
    const refuted = models.find((one) => weakerThan(model).includes(one) && says('violated')(one))
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
