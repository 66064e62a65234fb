/**
 * Availability: of the operations that clients attempted, how many succeeded? Per period and group of nodes (see
 * `periods.ts`). Together with the strongest model that held, this is the CAP trade-off in numbers.
 */
import { FAIL, OK } from './history/index.ts'
import { eachInPeriods, groupsOf, periodsOf } from './periods.ts'
import type { History } from './history/index.ts'
import type { Availability, FaultWindow } from './verdict.ts'

/** Attempts and outcomes for every period and group. */
export function availabilityOf(history: History, faults: readonly FaultWindow[]): Availability[] {
  const periods = periodsOf(faults)
  const width = history.nodes.length + 1
  // One counter for each period, node (the last: unknown) and outcome (ok, fail, info).
  const counts = new Int32Array(periods.length * width * 3)
  eachInPeriods(history, periods, (period, _, completion, node) => {
    const type = history.type[completion]!
    counts[(period * width + (node < 0 ? width - 1 : node)) * 3 + (type === OK ? 0 : type === FAIL ? 1 : 2)]!++
  })
  return periods.flatMap((period, at) =>
    groupsOf(history, period).map((group) => {
      const nodes = group.nodes ?? Array.from({ length: width }, (_, node) => node)
      const sum = (outcome: number): number => nodes.reduce((total, node) => total + counts[(at * width + node) * 3 + outcome]!, 0)
      const [ok, fail, info] = [sum(0), sum(1), sum(2)]
      const attempted = ok + fail + info
      return { period: period.name, group: group.name, attempted, ok, fail, info, share: attempted === 0 ? null : ok / attempted }
    }),
  )
}
