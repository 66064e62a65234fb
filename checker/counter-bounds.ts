/**
 * Counters: every read must lie between what certainly was added before it and what may have been (Kingsbury,
 * jepsen.checker/counter). Additions of negative numbers move the bounds the other way. O(n log n).
 */
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, ofKey, operationsByKey, type Finding, type ObjectOperation } from './object-operations.ts'

/** No read of a counter is impossible. */
export function counterBounds(options: { readonly binding?: boolean } = {}): Judgement {
  return {
    name: 'counter',
    describes: 'compares every read with the least and the most that the counter can have held',
    ...(options.binding === undefined ? {} : { binding: options.binding }),
    judge(history) {
      const findings: Finding[] = []
      let [operations, reads, widest, added] = [0, 0, 0, false]
      for (const [key, list] of operationsByKey(history, ['add', 'decrement', 'read'])) {
        operations += list.length
        if (list.some(({ f, outcome, output }) => f === 'read' && outcome === 'ok' && output !== null && typeof output !== 'number')) return objectUnknown('counter', operations, 'what was read is no number')
        added ||= list.some(({ f, input }) => f !== 'read' && typeof input === 'number')
        for (const { read, low, high } of boundsOf(list)) {
          reads++
          widest = Math.max(widest, high - low)
          const value = typeof read.output === 'number' ? read.output : read.output === null ? 0 : Number.NaN
          if (value >= low && value <= high) continue
          findings.push({ key, operations: [read], explanation: `process ${read.process} read ${JSON.stringify(read.output)}${ofKey(key)}, and the counter held at least ${low} and at most ${high}` })
        }
      }
      if (!added) return objectUnknown('counter', operations, 'there is no counter')
      if (reads === 0) return objectUnknown('counter', operations, 'vacuous: no read succeeded')
      return objectVerdict('counter', operations, findings, { reads, out_of_bounds: findings.length, widest_bounds: widest }, `${findings.length} of ${reads} reads out of bounds`)
    },
  }
}

interface Bounded {
  readonly read: ObjectOperation
  readonly low: number
  readonly high: number
}

/** The bounds of every read: certain before it began, possible before it ended. */
function boundsOf(list: readonly ObjectOperation[]): Bounded[] {
  const adds = list.filter(({ f, outcome }) => f !== 'read' && outcome !== 'fail')
  const amount = ({ f, input }: ObjectOperation): number => (f === 'decrement' ? -Number(input) : Number(input))
  const certain = adds.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.end - b.end)
  const positive = (value: number): number => Math.max(0, value)
  const negative = (value: number): number => Math.min(0, value)
  const [certainUp, certainDown] = [prefix(certain.map((one) => positive(amount(one)))), prefix(certain.map((one) => negative(amount(one))))]
  const [possibleUp, possibleDown] = [prefix(adds.map((one) => positive(amount(one)))), prefix(adds.map((one) => negative(amount(one))))]
  return list.filter(({ f, outcome }) => f === 'read' && outcome === 'ok').map((read) => {
    const before = countUpTo(certain, ({ end }) => end < read.start)
    const until = countUpTo(adds, ({ start }) => start < read.end)
    return { read, low: certainUp[before]! + possibleDown[until]!, high: possibleUp[until]! + certainDown[before]! }
  })
}

function prefix(values: readonly number[]): number[] {
  const sums = [0]
  for (const value of values) sums.push(sums.at(-1)! + value)
  return sums
}

/** How many at the beginning of a sorted list fulfil a condition that only the beginning fulfils. */
function countUpTo(list: readonly ObjectOperation[], holds: (one: ObjectOperation) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(list[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}
