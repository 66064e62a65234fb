/** Random small histories: the four session guarantees against their definitions by brute force, and every witness against itself. */
import { brokenGuarantees } from './testing/oracles.ts'
import { context } from './testing/context.ts'
import { guarantees } from './breach.ts'
import { historyOf } from './testing/operations.ts'
import { monotonicReads, monotonicWrites, readYourWrites, writesFollowReads } from './sessions.ts'
import { soakHistories } from './testing/soak.ts'
import { witnessFlaw } from './testing/witness.ts'
import type { JudgementVerdict } from './verdict.ts'

const four = [readYourWrites, monotonicReads, monotonicWrites, writesFollowReads] as const

export const soak = {
  name: 'oracle-sessions',
  describes: 'the four session guarantees against brute force; every witness is enough by itself, and smallest',
  full: 1_000_000,
  slice: 5_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const violated = guarantees.map(() => 0)
    const passed = await soakHistories(cases, seed, print, (operations) => {
      const history = historyOf(operations)
      const broken = brokenGuarantees(operations)
      for (const [at, name] of guarantees.entries()) {
        const { verdict, reason = '', witnesses } = four[at]!.judge(history, context) as JudgementVerdict
        if (reason.startsWith('vacuous')) return undefined
        if ((verdict === 'violated') !== broken[at]) return `${name}: we say ${verdict}, by definition it is ${broken[at] ? 'violated' : 'upheld'}`
        if (broken[at]) violated[at]!++
        for (const witness of witnesses) {
          const flaw = witnessFlaw(operations, witness, (part) => brokenGuarantees(part)[at]!)
          if (flaw !== undefined) return `the witness of ${name}: ${flaw}`
        }
      }
      return undefined
    })
    print(`${cases} histories; violated: ${guarantees.map((name, at) => `${name} ${violated[at]}`).join(', ')}`)
    return passed
  },
}
