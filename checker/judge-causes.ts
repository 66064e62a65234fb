/**
 * The published causal models (Bouajjani et al. 2017) as judgements: what they have in common. Each is refuted by what
 * refutes weak causal consistency, which `causal-walk.ts` finds, and by a pattern of its own.
 */
import { causal } from './causal.ts'
import { sequential } from './sequential.ts'
import { registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import { describer } from './describe.ts'
import { smallestWitnesses } from './small-witness.ts'
import { visibilityOf } from './visibility.ts'
import type { History } from './history/index.ts'
import type { JudgeContext } from './judgement.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'
import type { Describe } from './describe.ts'
import type { Registers } from './registers.ts'
import type { Visibility } from './visibility.ts'

/** Operations that refute a model by themselves, or why the search for them ended early. */
export type Refutation =
  | { readonly type: 'refuted'; readonly operations: readonly number[]; readonly explain: (describe: Describe) => string }
  | { readonly type: 'exhausted'; readonly reason: string }

/** What a model asks beyond weak causal consistency. */
export interface CausalModel {
  readonly model: 'weak-causal' | 'causal-convergence' | 'causal-memory'
  /** What is so where it holds. */
  readonly promise: string
  /** Called where nothing weaker is broken. */
  readonly refute?: (visibility: Visibility) => Refutation | undefined
}

/** The verdict on a causal model. */
export function judgeCauses(history: History, context: JudgeContext, { model, promise, refute }: CausalModel): JudgementVerdict {
  const registers = registersOf(history, context)
  const base = { judgement: model, model, operations: registers.reads + registers.writes, witnesses: [] as Witness[], metrics: { sessions: registers.processes.length } }
  const vacuous = registers.foreign.length > 0 ? whyIncomplete(history, registers) : whyVacuous(registers)
  if (vacuous !== undefined) return { ...base, verdict: 'unknown', reason: vacuous, summary: `Not judged: ${vacuous}.` }
  const visibility = visibilityOf(history, context)
  const { cycle, weak, exhausted } = visibility
  if (cycle.length > 0 || weak.length > 0) {
    const witnesses = smallestWitnesses(history, context, visibility, ({ weak: breaches, cycle: circle }) => ({ breaches, cycle: circle }))
    const metrics = { ...base.metrics, sessions_violated: new Set(weak.map((one) => one.session)).size }
    return { ...base, metrics, verdict: 'violated', witnesses, summary: `${witnesses[0]!.explanation}.` }
  }
  const refuted = exhausted === undefined ? refute?.(visibility) : undefined
  if (refuted?.type === 'refuted') {
    const explanation = refuted.explain(describer(history, registers))
    return { ...base, verdict: 'violated', witnesses: [witnessOf(registers, refuted.operations, explanation)], summary: `${explanation}.` }
  }
  const reason = exhausted ?? whyIncomplete(history, registers) ?? refuted?.reason
  if (reason !== undefined) return { ...base, verdict: 'unknown', reason, summary: `Not refuted, but ${reason}.` }
  return { ...base, verdict: 'holds', summary: `${promise}: ${base.operations} operations.` }
}

/** The verdict on a model that stands between causal and sequential consistency, which are asked first: they are mostly cheaper. */
export async function judgeBetween(history: History, context: JudgeContext, { model, ...rest }: CausalModel & Required<Pick<CausalModel, 'refute'>>): Promise<JudgementVerdict> {
  const weaker = await causal.judge(history, context)
  if (weaker.verdict === 'violated') return { ...weaker, judgement: model, model, summary: `Not even causal: ${weaker.summary}` }
  const stronger = weaker.verdict === 'holds' ? await sequential.judge(history, context) : undefined
  if (stronger?.verdict === 'holds') return { ...stronger, judgement: model, model, metrics: {} }
  return judgeCauses(history, context, { model, ...rest })
}

function witnessOf(registers: Registers, operations: readonly number[], explanation: string): Witness {
  return { operations: [...new Set(operations.map((op) => registers.row[op]!))].sort((a, b) => a - b), explanation }
}
