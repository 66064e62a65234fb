/**
 * Witnesses of the session guarantees and of weak causal consistency: of the breaches that a search found, the shortest,
 * each made smaller until no operation can be spared (`subset.ts`), and put into words anew.
 */
import { describer } from './describe.ts'
import { shrunk, subset } from './subset.ts'
import { examine } from './visibility.ts'
import type { Breach } from './breach.ts'
import type { Describe } from './describe.ts'
import type { History } from './history/index.ts'
import type { JudgeContext } from './judgement.ts'
import type { Visibility } from './visibility.ts'
import type { Witness } from './verdict.ts'

/** How many witnesses a verdict carries. */
const WITNESSES = 10

/** Operations that break a model. `key` is absent when several are concerned. */
interface Evidence {
  readonly key?: number
  readonly operations: readonly number[]
  readonly explanation: string
}

/** What of a history breaks a model: breaches of sessions, and a cycle of happens-before or nothing. */
export interface Broken {
  readonly breaches: readonly Breach[]
  readonly cycle: readonly number[]
}

/**
 * The smallest witnesses first. `broken` says what breaks the model in a history or in a part of one.
 * O(m^2) examinations of at most m operations for each witness, m being the length of what was found.
 */
export function smallestWitnesses(history: History, context: JudgeContext, visibility: Visibility, broken: (visibility: Visibility) => Broken): Witness[] {
  const { registers } = visibility
  const describe = describer(history, registers)
  const shortest = evidenceIn(broken(visibility), describe).sort(byLength).slice(0, WITNESSES)
  const smallest = shortest.map((found): Evidence => {
    const operations = shrunk(registers, found.operations, (part) => isBroken(broken(examine(part, context))))
    const part = subset(registers, operations)
    const inWords = describer(history, part)
    return { ...(evidenceIn(broken(examine(part, context, inWords)), inWords)[0] ?? found), operations }
  })
  return smallest.sort(byLength).map(({ key, operations, explanation }) => {
    const name = key === undefined ? null : history.values.decode(registers.keys[key]!)
    return { ...(name === null ? {} : { key: name as Witness['key'] }), operations: operations.map((op) => registers.row[op]!).sort((a, b) => a - b), explanation }
  })
}

function evidenceIn({ breaches, cycle }: Broken, describe: Describe): Evidence[] {
  const circle: Evidence = { operations: [...cycle].sort((a, b) => a - b), explanation: `each the cause of the next, in a circle: ${cycle.map(describe).join('; ')}` }
  return [...breaches.map(({ key, operations, explanation }) => ({ key, operations, explanation })), ...(cycle.length > 0 ? [circle] : [])]
}

const isBroken = ({ breaches, cycle }: Broken): boolean => breaches.length > 0 || cycle.length > 0

const byLength = (a: Evidence, b: Evidence): number => a.operations.length - b.operations.length || a.operations.at(-1)! - b.operations.at(-1)!
