/**
 * Random small histories: PRAM and the causal models against their definitions by brute force; what implies what; and every witness against itself: its operations alone must break what it says.
 */
import { brokenGuarantees, causal as causalOracle, causalConvergence as convergenceOracle, causalMemory as memoryOracle, pipelined, pram as pramOracle, sequential, weakCausal as weakOracle } from './testing/oracles.ts'
import { causal } from './causal.ts'
import { causalConvergence } from './causal-convergence.ts'
import { causalMemory } from './causal-memory.ts'
import { context } from './testing/context.ts'
import { guarantees } from './breach.ts'
import { historyOf } from './testing/operations.ts'
import { pram } from './sessions.ts'
import { soakHistories } from './testing/soak.ts'
import { weakCausal } from './weak-causal.ts'
import { visibilityOf } from './visibility.ts'
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
      if (oracle(only(operations, witness.operations))) return `${judgement.name}: its witness does not break it: ${witness.explanation}`
    }
  }
  if (!causalOracle(operations) && (memoryOracle(operations) || convergenceOracle(operations) || sequential(operations))) return 'a published stronger model holds, but causal is violated'
  if (causalOracle(operations) && !weakOracle(operations)) return 'causal holds, but weak causal is violated'
  if (weakOracle(operations) && brokenGuarantees(operations)[0]) return 'weak causal holds, but read your writes is violated'
  if (!pramOracle(operations) && pipelined(operations)) return 'PRAM by Lipton and Sandberg holds, but ours is violated'
  return undefined
}

/** The operations that a witness names by the rows of their invocations. A write stays failed, or unknown, as it was. */
function only(operations: readonly Operation[], rows: readonly number[]): Operation[] {
  const events = operations.flatMap((o) => [{ at: o.start, o }, ...(o.outcome === 'open' ? [] : [{ at: o.end, o: undefined }])]).sort((a, b) => a.at - b.at)
  return rows.flatMap((row) => events[row]!.o ?? [])
}

function insufficient(operations: readonly Operation[], history: History): string | undefined {
  const { breaches, registers } = visibilityOf(history, context)
  for (const breach of breaches) {
    if (breach.breaks === 'every') continue
    const alone = only(operations, breach.operations.map((op) => registers.row[op]!))
    if (!brokenGuarantees(alone)[guarantees.indexOf(breach.breaks)]) return `the witness of ${breach.breaks} does not break it: ${breach.explanation}`
  }
  return undefined
}

export const soak = {
  name: 'oracle-causal',
  describes: 'PRAM and the causal models against brute force; the ladder between them; every witness is enough by itself',
  full: 1_000_000,
  slice: 3_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const violated = oracles.map(() => 0)
    const passed = await soakHistories(cases, seed, print, async (operations) => {
      const history = historyOf(operations)
      for (const [at, [, oracle]] of oracles.entries()) if (!oracle(operations)) violated[at]!++
      return (await disagreement(operations, history)) ?? insufficient(operations, history)
    })
    print(`${cases} histories, violated: ${oracles.map(([{ name }], at) => `${name} ${violated[at]}`).join(', ')}`)
    return passed
  },
}
