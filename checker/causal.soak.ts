/**
 * Random small histories: PRAM and the causal models against their definitions by brute force; what implies what; and every witness against itself: its operations alone must break the model, and none of them can be spared.
 */
import { brokenGuarantees, causal as causalOracle, causalConvergence as convergenceOracle, causalMemory as memoryOracle, pipelined, pram as pramOracle, sequential, weakCausal as weakOracle } from './testing/oracles.ts'
import { contradictionIn } from './testing/monotone.ts'
import { causal } from './causal.ts'
import { causalConvergence } from './causal-convergence.ts'
import { causalMemory } from './causal-memory.ts'
import { context } from './testing/context.ts'
import { historyOf } from './testing/operations.ts'
import { pram } from './sessions.ts'
import { drawHistory, soakOf } from './testing/soak.ts'
import { weakCausal } from './weak-causal.ts'
import { witnessFlaw } from './testing/witness.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

const oracles = [[pram, pramOracle], [causal, causalOracle], [weakCausal, weakOracle], [causalConvergence, convergenceOracle], [causalMemory, memoryOracle]] as const

async function disagreement(operations: readonly Operation[], count: Count): Promise<string | undefined> {
  const history = historyOf(operations)
  const truths = oracles.map(([, oracle]) => oracle(operations))
  const verdicts: JudgementVerdict[] = []
  for (const [at, [judgement, oracle]] of oracles.entries()) {
    const truth = truths[at]!
    if (!truth) count(judgement.name)
    const judged = await judgement.judge(history, context)
    const { verdict, reason = '', witnesses } = judged
    verdicts.push(judged)
    if (reason.startsWith('vacuous')) continue
    if (verdict === 'unknown' || (verdict === 'holds') !== truth) return `${judgement.name}: we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`
    for (const witness of witnesses) {
      const flaw = witnessFlaw(operations, witness, (part) => !oracle(part))
      if (flaw !== undefined) return `the witness of ${judgement.name}: ${flaw}`
    }
  }
  const contradiction = contradictionIn(verdicts)
  if (contradiction !== undefined) return contradiction
  const [pramHolds, causalHolds, weakHolds, convergenceHolds, memoryHolds] = truths
  if (!causalHolds && (memoryHolds || convergenceHolds || sequential(operations))) return 'a published stronger model holds, but causal is violated'
  if (causalHolds && !weakHolds) return 'causal holds, but weak causal is violated'
  if (weakHolds && brokenGuarantees(operations)[0]) return 'weak causal holds, but read your writes is violated'
  if (!pramHolds && pipelined(operations)) return 'PRAM by Lipton and Sandberg holds, but ours is violated'
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-causal',
  describes: 'PRAM and the causal models against brute force; the ladder between them; every witness is enough by itself, and smallest',
  full: 1_000_000,
  slice: 3_000,
  draw: drawHistory,
  check: disagreement,
  says: (cases, counted) => `${cases} histories, violated: ${oracles.map(([{ name }]) => `${name} ${counted(name)}`).join(', ')}`,
})
