/** Random small runs with observed replicas: convergence and durability against their definitions by brute force. */
import { chance } from './testing/chance.ts'
import { context } from './testing/context.ts'
import { convergence } from './convergence.ts'
import { converges, durable, historyOfRun, randomRun } from './testing/observed.ts'
import { durability, durabilityOf } from './durability.ts'
import { faultWindows } from './faults.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { ObservedRun } from './testing/observed.ts'

function disagreement(run: ObservedRun): string | undefined {
  const history = historyOfRun(run)
  const told = { ...context, faults: faultWindows(history) }
  const agreement = convergence.judge(history, told) as JudgementVerdict
  const { verdict, tookMs } = converges(run)
  if (agreement.verdict !== verdict) return `convergence: we say ${agreement.verdict}, by definition it is ${verdict}: ${agreement.summary}`
  const measured = (agreement.metrics['time_to_converge_ms'] ?? null) as number | null
  if ((measured === null) !== (tookMs === null) || Math.abs((measured ?? 0) - (tookMs ?? 0)) > 1e-3) return `convergence: we say after ${measured} ms, by definition after ${tookMs} ms`
  const durables = durability.judge(history, told) as JudgementVerdict
  const truth = durable(run)
  if (durables.verdict !== truth.verdict) return `durability: we say ${durables.verdict}, by definition it is ${truth.verdict}: ${durables.summary}`
  const { lost } = durabilityOf(durables)
  if (lost !== truth.lost) return `durability: we count ${lost} writes lost, by definition there are ${truth.lost}`
  return undefined
}

export const soak = {
  name: 'oracle-replicas',
  describes: 'convergence and durability of runs with observed replicas against brute force',
  full: 200_000,
  slice: 5_000,
  run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const random = chance(seed)
    const counts = { diverged: 0, converged: 0, lost: 0, kept: 0 }
    for (let at = 0; at < cases; at++) {
      const run = randomRun(random)
      const wrong = disagreement(run)
      if (wrong !== undefined) {
        print(`case ${at} of seed ${seed}: ${wrong}`)
        print(JSON.stringify(run, undefined, 1))
        return Promise.resolve(false)
      }
      const agreement = converges(run).verdict
      const kept = durable(run).verdict
      if (agreement !== 'unknown') counts[agreement === 'holds' ? 'converged' : 'diverged']++
      if (kept !== 'unknown') counts[kept === 'holds' ? 'kept' : 'lost']++
    }
    print(`${cases} runs: ${counts.converged} converged, ${counts.diverged} did not; ${counts.kept} kept every write, ${counts.lost} lost some`)
    return Promise.resolve(true)
  },
}
