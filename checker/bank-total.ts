/**
 * Banks: transfers move money and make none, so that every read of all accounts finds the same total, and nobody is
 * overdrawn (the bank test of Jepsen, after Sussman's exercise; snapshot isolation is enough to pass it). A read that is
 * wrong in both ways is counted as a wrong total; one that lacks a balance as no read of all accounts.
 */
import type { Json } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, ofKey, operationsByKey, type Finding } from './object-operations.ts'

/** What is known of the bank. `total`: money in it; that of the first read when absent. */
export interface BankOptions {
  readonly total?: number
  /** Whether accounts may be overdrawn. Default false. */
  readonly negativeAllowed?: boolean
  readonly binding?: boolean
}

/** The total is constant and no balance is negative. */
export function bankTotal({ total, negativeAllowed = false, binding }: BankOptions = {}): Judgement {
  return {
    name: 'bank',
    describes: 'every read of all accounts finds the same total, and no negative balance',
    ...(binding === undefined ? {} : { binding }),
    judge(history) {
      const findings: Finding[] = []
      let [operations, reads, wrongTotals, negative] = [0, 0, 0, 0]
      for (const [key, list] of operationsByKey(history, ['read', 'transfer'])) {
        operations += list.length
        let expected = total
        for (const read of list) {
          if (read.f !== 'read' || read.outcome !== 'ok') continue
          const balances = balancesOf(read.output)
          if (balances === undefined) continue
          reads++
          const sum = balances.reduce((all, one) => all + one, 0)
          expected ??= sum
          if (sum !== expected) {
            wrongTotals++
            findings.push({ key, operations: [read], explanation: `process ${read.process} read accounts${ofKey(key)} that hold ${sum} in all, and there should be ${expected}` })
          } else if (!negativeAllowed && balances.some((one) => one < 0)) {
            negative++
            findings.push({ key, operations: [read], explanation: `process ${read.process} read a negative balance of ${Math.min(...balances)}${ofKey(key)}` })
          }
        }
      }
      // Registers may hold maps, too: what is overwritten need not add up.
      if (operations === 0 || history.functions.includes('write') || history.functions.includes('cas')) return objectUnknown('bank', operations, 'there is no bank')
      if (reads === 0) return objectUnknown('bank', operations, 'vacuous: no read succeeded')
      return objectVerdict('bank', operations, findings, { reads, wrong_totals: wrongTotals, negative_balances: negative }, `${wrongTotals} of ${reads} reads found a wrong total, ${negative} a negative balance`)
    },
  }
}

/** The balances of a read: a map of accounts, or undefined when nothing was there yet. */
function balancesOf(output: Json): readonly number[] | undefined {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return undefined
  const balances = Object.values(output)
  return balances.every((one) => typeof one === 'number') ? balances : undefined
}
