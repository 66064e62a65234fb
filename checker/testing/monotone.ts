/**
 * The ladder against itself: a history that holds a model holds every weaker one, by the judgements' own words and without
 * the neighbours' help that `ladder.ts` gives. Where that is not so, one of two judgements is wrong.
 */
import * as assert from 'uvu/assert'
import { judge, registerJudgements } from '../judge.ts'
import { weakerThan } from '../ladder.ts'
import { weakerLevels } from '../transactions/levels.ts'
import { isolationLevels } from '../verdict.ts'
import { context } from './context.ts'
import type { History } from '../history/index.ts'
import type { JudgeContext } from '../judgement.ts'
import type { IsolationSection, JudgementVerdict } from '../verdict.ts'

/** A model that holds although a weaker one is violated, in words; undefined when there is none. */
export function contradictionIn(verdicts: readonly JudgementVerdict[]): string | undefined {
  // An object's judgement speaks of linearizability too, but not of the registers that carry it.
  const own = new Map(verdicts.flatMap((one) => (one.model === undefined || one.judgement.startsWith('linearizable ') ? [] : [[one.model, one] as const])))
  for (const [model, { verdict, summary }] of own) {
    const broken = verdict === 'holds' ? weakerThan(model).find((weaker) => own.get(weaker)?.verdict === 'violated') : undefined
    if (broken !== undefined) return `${model} holds (${summary}), but ${broken} is violated: ${own.get(broken)!.summary}`
  }
  return undefined
}

/** The same for isolation levels. */
export function contradictionInLevels(levels: IsolationSection['levels']): string | undefined {
  for (const level of isolationLevels) {
    const broken = levels[level] === 'holds' ? weakerLevels(level).find((weaker) => levels[weaker] !== 'holds') : undefined
    if (broken !== undefined) return `${level} holds, but ${broken} is ${levels[broken]}`
  }
  return undefined
}

/** Every rung's own verdict on a history; what only replicas can say is left out. Throws where they contradict each other. */
export async function monotoneVerdicts(history: History, told: Partial<JudgeContext> = {}): Promise<JudgementVerdict[]> {
  const chosen = registerJudgements(told).filter(({ name }) => name !== 'convergence' && name !== 'durability')
  const { judgements } = await judge(history, { ...context, ...told, run: null, promised: 'linearizable', judgements: chosen })
  assert.is(contradictionIn(judgements), undefined)
  return judgements
}

/** The histories of a test file: collected as its tests judge them, and judged by every rung at its end. */
export class Suite {
  readonly #histories: History[] = []

  seen(history: History): History {
    this.#histories.push(history)
    return history
  }

  async check(): Promise<void> {
    assert.ok(this.#histories.length > 0)
    for (const history of this.#histories) await monotoneVerdicts(history)
  }
}
