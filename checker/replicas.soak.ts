/** Random small runs with observed replicas: convergence and durability against their definitions by brute force. */
import { context } from './testing/context.ts'
import { convergence } from './convergence.ts'
import { converges, durable, historyOfRun, randomRun } from './testing/observed.ts'
import { durability, durabilityOf } from './durability.ts'
import { faultWindows } from './faults.ts'
import { soakOf } from './testing/soak.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { ObservedRun } from './testing/observed.ts'

function disagreement(run: ObservedRun, count: Count): string | undefined {
  const history = historyOfRun(run)
  const told = { ...context, faults: faultWindows(history) }
  const agreement = convergence.judge(history, told) as JudgementVerdict
  const { verdict, tookMs } = converges(run)
  count(`agreed ${verdict}`)
  if (agreement.verdict !== verdict) return `convergence: we say ${agreement.verdict}, by definition it is ${verdict}: ${agreement.summary}`
  const measured = (agreement.metrics['time_to_converge_ms'] ?? null) as number | null
  if ((measured === null) !== (tookMs === null) || Math.abs((measured ?? 0) - (tookMs ?? 0)) > 1e-3) return `convergence: we say after ${measured} ms, by definition after ${tookMs} ms`
  const durables = durability.judge(history, told) as JudgementVerdict
  const truth = durable(run)
  count(`kept ${truth.verdict}`)
  if (durables.verdict !== truth.verdict) return `durability: we say ${durables.verdict}, by definition it is ${truth.verdict}: ${durables.summary}`
  const { lost } = durabilityOf(durables)
  if (lost !== truth.lost) return `durability: we count ${lost} writes lost, by definition there are ${truth.lost}`
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-replicas',
  describes: 'convergence and durability of runs with observed replicas against brute force',
  full: 200_000,
  slice: 5_000,
  draw: randomRun,
  check: disagreement,
  says: (cases, counted) => `${cases} runs: ${counted('agreed holds')} converged, ${counted('agreed violated')} did not; ${counted('kept holds')} kept every write, ${counted('kept violated')} lost some`,
})
