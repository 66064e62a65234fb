/** Random small histories: the four session guarantees against their definitions by brute force, and every witness against itself. */
import { brokenGuarantees } from './testing/oracles.ts'
import { context } from './testing/context.ts'
import { guarantees } from './breach.ts'
import { historyOf } from './testing/operations.ts'
import { monotonicReads, monotonicWrites, readYourWrites, writesFollowReads } from './sessions.ts'
import { drawHistory, soakOf } from './testing/soak.ts'
import { witnessFlaw } from './testing/witness.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

const four = [readYourWrites, monotonicReads, monotonicWrites, writesFollowReads] as const

function disagreement(operations: readonly Operation[], count: Count): string | undefined {
  const history = historyOf(operations)
  const broken = brokenGuarantees(operations)
  for (const [at, name] of guarantees.entries()) {
    const { verdict, reason = '', witnesses } = four[at]!.judge(history, context) as JudgementVerdict
    if (reason.startsWith('vacuous')) return undefined
    if ((verdict === 'violated') !== broken[at]) return `${name}: we say ${verdict}, by definition it is ${broken[at] ? 'violated' : 'upheld'}`
    if (broken[at]) count(name)
    for (const witness of witnesses) {
      const flaw = witnessFlaw(operations, witness, (part) => brokenGuarantees(part)[at]!)
      if (flaw !== undefined) return `the witness of ${name}: ${flaw}`
    }
  }
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-sessions',
  describes: 'the four session guarantees against brute force; every witness is enough by itself, and smallest',
  full: 1_000_000,
  slice: 5_000,
  draw: drawHistory,
  check: disagreement,
  says: (cases, counted) => `${cases} histories; violated: ${guarantees.map((name) => `${name} ${counted(name)}`).join(', ')}`,
})
