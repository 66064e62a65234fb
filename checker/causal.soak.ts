/**
 * Random small histories: PRAM and the causal models against their definitions by brute force; what implies what; and every witness against itself: its operations alone must break the model, and none of them can be spared.
 */
import { brokenGuarantees, causal as causalOracle, causalConvergence as convergenceOracle, causalMemory as memoryOracle, pipelined, pram as pramOracle, sequential, weakCausal as weakOracle } from './testing/oracles.ts'
import { causal } from './causal.ts'
import { causalConvergence } from './causal-convergence.ts'
import { causalMemory } from './causal-memory.ts'
import { context } from './testing/context.ts'
import { historyOf } from './testing/operations.ts'
import { pram } from './sessions.ts'
import { soakHistories } from './testing/soak.ts'
import { weakCausal } from './weak-causal.ts'
import { witnessFlaw } from './testing/witness.ts'
import type { History } from './history/index.ts'
import type { Operation } from './testing/operations.ts'

const oracles = [[pram, pramOracle], [causal, causalOracle], [weakCausal, weakOracle], [causalConvergence, convergenceOracle], [causalMemory, memoryOracle]] as const

async function disagreement(operations: readonly Operation[], history: History): Promise<string | undefined> {
  for (const [judgement, oracle] of oracles) {
    const { verdict, reason = '', witnesses } = await judgement.judge(history, context)
    if (reason.startsWith('vacuous')) continue
    const truth = oracle(operations)
    if (verdict === 'unknown' || (verdict === 'holds') !== truth) return `${judgement.name}: we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`
    for (const witness of witnesses) {
      const flaw = witnessFlaw(operations, witness, (part) => !oracle(part))
      if (flaw !== undefined) return `the witness of ${judgement.name}: ${flaw}`
    }
  }
  if (!causalOracle(operations) && (memoryOracle(operations) || convergenceOracle(operations) || sequential(operations))) return 'a published stronger model holds, but causal is violated'
  if (causalOracle(operations) && !weakOracle(operations)) return 'causal holds, but weak causal is violated'
  if (weakOracle(operations) && brokenGuarantees(operations)[0]) return 'weak causal holds, but read your writes is violated'
  if (!pramOracle(operations) && pipelined(operations)) return 'PRAM by Lipton and Sandberg holds, but ours is violated'
  return undefined
}

export const soak = {
  name: 'oracle-causal',
  describes: 'PRAM and the causal models against brute force; the ladder between them; every witness is enough by itself, and smallest',
  full: 1_000_000,
  slice: 3_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const violated = oracles.map(() => 0)
    const passed = await soakHistories(cases, seed, print, async (operations) => {
      const history = historyOf(operations)
      for (const [at, [, oracle]] of oracles.entries()) if (!oracle(operations)) violated[at]!++
      return disagreement(operations, history)
    })
    print(`${cases} histories, violated: ${oracles.map(([{ name }], at) => `${name} ${violated[at]}`).join(', ')}`)
    return passed
  },
}
