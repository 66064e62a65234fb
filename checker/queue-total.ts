/**
 * Queues: what goes in comes out, once (Kingsbury, jepsen.checker/total-queue). An acknowledged element that nobody took
 * although the queue was drained, or found empty, after that is *lost*; one taken more often than it was put in is
 * *duplicated*; one that nobody put in is *unexpected*; one that came out though no enqueue of it was acknowledged is
 * *recovered*. Elements are counted, lost ones as often as they were put in.
 *
 * A `dequeue` or `drain` of unknown outcome may have taken what it could: as many missing elements as there are such
 * dequeues (any number after such a drain) are not called lost. What no drain or empty queue followed may still be there.
 */
import type { Json } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, ofKey, operationsByKey, type Finding, type ObjectOperation } from './object-operations.ts'

/** Nothing is lost and nothing comes out twice. */
export function queueTotal(options: { readonly binding?: boolean } = {}): Judgement {
  return {
    name: 'queue',
    describes: 'after a drain, every acknowledged element came out, none twice, and none that was not put in',
    ...(options.binding === undefined ? {} : { binding: options.binding }),
    judge(history) {
      const totals = { enqueued: 0, dequeued: 0, lost: 0, duplicated: 0, unexpected: 0, recovered: 0, in_doubt: 0 }
      const findings: Finding[] = []
      let operations = 0
      let drained = 0
      for (const [key, list] of operationsByKey(history, ['enqueue', 'dequeue', 'drain'])) {
        operations += list.length
        if (list.some(isEmptied)) drained++
        findings.push(...judgeQueue(key, list, totals))
      }
      if (totals.enqueued === 0) return objectUnknown('queue', operations, 'vacuous: nothing was acknowledged')
      const verdict = objectVerdict('queue', operations, findings, { ...totals, queues_drained: drained }, `${totals.enqueued} elements acknowledged, ${totals.lost} lost, ${totals.duplicated} duplicated, ${totals.unexpected} unexpected`)
      if (verdict.verdict === 'holds' && drained === 0) return { ...verdict, verdict: 'unknown', reason: 'no queue was seen empty', summary: 'Not judged: no queue was seen empty.' }
      return verdict
    },
  }
}

/** Whether an operation left, or found, the queue empty. */
function isEmptied({ f, outcome, output }: ObjectOperation): boolean {
  return outcome === 'ok' && (f === 'drain' || (f === 'dequeue' && output === null))
}

type Totals = Record<'enqueued' | 'dequeued' | 'lost' | 'duplicated' | 'unexpected' | 'recovered' | 'in_doubt', number>

function* judgeQueue(key: string, list: readonly ObjectOperation[], totals: Totals): Generator<Finding> {
  const puts = groupBy(list.filter(({ f, outcome }) => f === 'enqueue' && outcome !== 'fail'), ({ input }) => [input])
  const failed = groupBy(list.filter(({ f, outcome }) => f === 'enqueue' && outcome === 'fail'), ({ input }) => [input])
  const takes = groupBy(list.filter(({ f, outcome }) => f !== 'enqueue' && outcome === 'ok'), ({ f, output }) => (f === 'drain' ? (Array.isArray(output) ? (output as readonly Json[]) : []) : output === null ? [] : [output]))
  for (const [element, taken] of takes) {
    totals.dequeued += taken.length
    const put = puts.get(element) ?? []
    if (put.length === 0) {
      totals.unexpected++
      yield { key, operations: [taken[0]!, ...(failed.get(element) ?? [])], explanation: `process ${taken[0]!.process} took ${element}${ofKey(key)}, ${failed.has(element) ? 'whose enqueue certainly failed' : 'which nobody put in'}` }
    } else if (taken.length > put.length) {
      totals.duplicated++
      yield { key, operations: [...put, ...taken], explanation: `${element} was put in${ofKey(key)} ${put.length === 1 ? 'once' : `${put.length} times`} and came out ${taken.length} times` }
    } else if (put.every(({ outcome }) => outcome === 'info')) totals.recovered++
  }
  yield* lostFrom(key, list, puts, takes, totals)
}

function* lostFrom(key: string, list: readonly ObjectOperation[], puts: ReadonlyMap<string, readonly ObjectOperation[]>, takes: ReadonlyMap<string, readonly ObjectOperation[]>, totals: Totals): Generator<Finding> {
  const drain = list.findLast(isEmptied)
  const missing: ObjectOperation[] = []
  for (const [element, put] of puts) {
    const acknowledged = put.filter(({ outcome }) => outcome === 'ok')
    totals.enqueued += acknowledged.length
    // Only what was there before the last drain began can be missed.
    const due = acknowledged.filter(({ end }) => drain !== undefined && end < drain.start)
    missing.push(...due.slice(Math.min(due.length, takes.get(element)?.length ?? 0)))
  }
  const doubtful = list.some(({ f, outcome }) => f === 'drain' && outcome === 'info') ? Infinity : list.filter(({ f, outcome }) => f === 'dequeue' && outcome === 'info').length
  totals.in_doubt += Math.min(doubtful, missing.length)
  if (missing.length <= doubtful) return
  totals.lost += missing.length - doubtful
  for (const put of missing.slice(doubtful)) yield { key, operations: [put, drain!], explanation: `${JSON.stringify(put.input)} was put in${ofKey(key)} by process ${put.process} and acknowledged, and never came out, though the queue was empty afterwards${doubtful > 0 ? ` (${missing.length} are missing, and only ${doubtful} dequeues in doubt)` : ''}` }
}

function groupBy(list: readonly ObjectOperation[], elements: (operation: ObjectOperation) => readonly Json[]): Map<string, ObjectOperation[]> {
  const groups = new Map<string, ObjectOperation[]>()
  for (const operation of list) {
    for (const element of elements(operation)) {
      const text = JSON.stringify(element)
      const group = groups.get(text)
      if (group === undefined) groups.set(text, [operation])
      else group.push(operation)
    }
  }
  return groups
}
