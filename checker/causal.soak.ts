/**
 * Random small histories: PRAM and causal consistency against their definitions by brute force; the published models
 * that imply them; and every witness against itself: its operations alone must break what it says.
 */
import { brokenGuarantees, causal as causalOracle, causalConvergence, causalMemory, pipelined, pram as pramOracle, sequential } from './testing/oracles.ts'
import { causal } from './causal.ts'
import { context } from './testing/context.ts'
import { guarantees } from './breach.ts'
import { historyOf } from './testing/operations.ts'
import { pram } from './sessions.ts'
import { soakHistories } from './testing/soak.ts'
import { visibilityOf } from './visibility.ts'
import type { History } from './history/index.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

const oracles = [[pram, pramOracle], [causal, causalOracle]] as const

function disagreement(operations: readonly Operation[], history: History): string | undefined {
  for (const [judgement, oracle] of oracles) {
    const { verdict, reason = '' } = judgement.judge(history, context) as JudgementVerdict
    if (reason.startsWith('vacuous')) continue
    const truth = oracle(operations)
    if ((verdict === 'holds') !== truth) return `${judgement.name}: we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`
  }
  if (!causalOracle(operations) && (causalMemory(operations) || causalConvergence(operations) || sequential(operations))) return 'a published stronger model holds, but causal is violated'
  if (!pramOracle(operations) && pipelined(operations)) return 'PRAM by Lipton and Sandberg holds, but ours is violated'
  return undefined
}

function insufficient(operations: readonly Operation[], history: History): string | undefined {
  const { breaches, registers } = visibilityOf(history, context)
  const rows = operations.flatMap((o) => [{ at: o.start, o, invocation: true }, ...(o.outcome === 'open' ? [] : [{ at: o.end, o, invocation: false }])]).sort((a, b) => a.at - b.at)
  for (const breach of breaches) {
    if (breach.breaks === 'every') continue
    const alone = breach.operations.map((op) => rows[registers.row[op]!]!.o)
    if (!brokenGuarantees(alone)[guarantees.indexOf(breach.breaks)]) return `the witness of ${breach.breaks} does not break it: ${breach.explanation}`
  }
  return undefined
}

export const soak = {
  name: 'oracle-causal',
  describes: 'PRAM and causal against brute force; published models imply them; every witness is enough by itself',
  full: 1_000_000,
  slice: 3_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    let violated = 0
    const passed = await soakHistories(cases, seed, print, (operations) => {
      const history = historyOf(operations)
      if (!causalOracle(operations)) violated++
      return disagreement(operations, history) ?? insufficient(operations, history)
    })
    print(`${cases} histories, ${violated} of them not causal`)
    return passed
  },
}
