/** Random small histories: the session guarantees, PRAM and causal consistency against their definitions by brute force. */
import { chance } from './testing/chance.ts'
import { causal as causalOracle, brokenGuarantees, causalConvergence, causalMemory, pipelined, pram as pramOracle, sequential } from './testing/oracles.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { causal } from './causal.ts'
import { monotonicReads, monotonicWrites, pram, readYourWrites, writesFollowReads } from './sessions.ts'
import { guarantees, visibilityOf } from './visibility.ts'
import { context } from './testing/context.ts'
import type { Operation } from './testing/operations.ts'

const four = [readYourWrites, monotonicReads, monotonicWrites, writesFollowReads] as const

/** What disagrees with the definitions, in words; undefined when nothing does. */
export function disagreement(operations: readonly Operation[]): string | undefined {
  const history = historyOf(operations)
  const ours = four.map((judgement) => judgement.judge(history, context) as { verdict: string })
  if (ours[0]!.verdict === 'unknown') return undefined
  const broken = brokenGuarantees(operations)
  for (const [at, name] of guarantees.entries()) {
    if ((ours[at]!.verdict === 'violated') !== broken[at]) return `${name}: we say ${ours[at]!.verdict}, by definition it is ${broken[at] ? 'violated' : 'upheld'}`
  }
  for (const [judgement, oracle] of [[pram, pramOracle], [causal, causalOracle]] as const) {
    const verdict = (judgement.judge(history, context) as { verdict: string }).verdict
    if ((verdict === 'holds') !== oracle(operations)) return `${judgement.name}: we say ${verdict}, by definition it ${oracle(operations) ? 'holds' : 'is violated'}`
  }
  return undefined
}

/** Do the published models imply ours, and does each witness break its guarantee by itself? */
export function broken(operations: readonly Operation[]): string | undefined {
  const history = historyOf(operations)
  const holds = (judgement: typeof causal): boolean => (judgement.judge(history, context) as { verdict: string }).verdict !== 'violated'
  if (!holds(causal) && (causalMemory(operations) || causalConvergence(operations) || sequential(operations))) return 'a stronger model holds, but causal is violated'
  if (!holds(pram) && pipelined(operations)) return 'PRAM by Lipton and Sandberg holds, but ours is violated'
  const { breaches, registers } = visibilityOf(history, context)
  for (const breach of breaches) {
    if (breach.breaks === 'every') continue
    const rows = new Set(breach.operations.map((op) => registers.row[op]))
    const alone = operations.filter((o) => rows.has([...operations].filter((x) => x.start < o.start).length + [...operations].filter((x) => x.outcome !== 'open' && x.end < o.start).length))
    const parts = brokenGuarantees(alone)
    if (alone.length !== rows.size || !parts[guarantees.indexOf(breach.breaks)]) return `the witness of ${breach.breaks} does not break it: ${breach.explanation}`
  }
  return undefined
}

const run = (check: (operations: readonly Operation[]) => string | undefined) => async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
  const random = chance(seed)
  let violated = 0
  for (let at = 0; at < cases; at++) {
    const operations = randomOperations(random, { processes: 2 + random(2), operations: 3 + random(7), keys: 1 + random(2), noise: [0, 20, 50, 100][random(4)]! })
    if (brokenGuarantees(operations).some(Boolean)) violated++
    const wrong = check(operations)
    if (wrong === undefined) continue
    print(`case ${at} of seed ${seed}: ${wrong}`)
    print(JSON.stringify(operations, undefined, 1))
    return false
  }
  print(`${cases} histories, ${violated} of them with a broken guarantee: no disagreement`)
  return true
}

/** Against the definitions. */
export const soak = { name: 'oracle-sessions', describes: 'session guarantees, PRAM and causal against brute force', full: 1_000_000, slice: 5_000, run: run(disagreement) }

/** Against the published models, and the witnesses against themselves. */
export const implications = { name: 'oracle-causal', describes: 'causal memory, causal convergence and sequential consistency imply our causal; every witness is enough by itself', full: 200_000, slice: 2_000, run: run(broken) }
