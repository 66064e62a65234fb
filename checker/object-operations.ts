/** Operations on objects, by key: what the judgements of sets, counters, queues, banks and locks start from. */
import { FAIL, INFO, INVOKE, OK, rowsInTimeOrder } from './history/index.ts'
import { NEVER } from './registers.ts'
import type { History, Json } from './history/index.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'

/** One operation of a client. `a` precedes `b` in real time if a.end < b.start. */
export interface ObjectOperation {
  readonly row: number
  readonly f: string
  readonly process: number
  readonly outcome: 'ok' | 'fail' | 'info'
  readonly start: number
  /** NEVER unless it completed `ok` or `fail`. */
  readonly end: number
  /** Nanoseconds. */
  readonly from: number
  readonly to: number
  readonly input: Json
  /** What came back; null unless `ok`. */
  readonly output: Json
}

/** The operations by key (as JSON text), in order of invocation; only those of the given functions. */
export function operationsByKey(history: History, functions: readonly string[]): Map<string, ObjectOperation[]> {
  const rowAt = rowsInTimeOrder(history)
  const rank = rowAt === null ? undefined : new Int32Array(rowAt.length)
  rowAt?.forEach((row, at) => (rank![row] = at))
  const rankOf = (row: number): number => rank?.[row] ?? row
  const wanted = new Set(functions.map((f) => history.functions.indexOf(f)))
  const byKey = new Map<string, ObjectOperation[]>()
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0 || !wanted.has(history.f[row]!)) continue
    const done = history.pair[row]!
    const type = done < 0 ? INFO : history.type[done]!
    const completed = type === OK || type === FAIL
    const key = JSON.stringify(history.values.decode(history.key[row]!))
    const operation: ObjectOperation = {
      row,
      f: history.functions[history.f[row]!]!,
      process: history.process[row]!,
      outcome: type === OK ? 'ok' : type === FAIL ? 'fail' : 'info',
      start: rankOf(row),
      end: completed ? rankOf(done) : NEVER,
      from: history.timeAt(row),
      to: completed ? history.timeAt(done) : Infinity,
      input: history.values.decode(history.value[row]!),
      output: type === OK ? history.values.decode(history.value[done]!) : null,
    }
    const list = byKey.get(key)
    if (list === undefined) byKey.set(key, [operation])
    else list.push(operation)
  }
  for (const list of byKey.values()) list.sort((a, b) => a.start - b.start)
  return byKey
}

/** A finding of an object's judgement. */
export interface Finding {
  /** JSON text of the key. */
  readonly key: string
  readonly operations: readonly ObjectOperation[]
  readonly explanation: string
}

const WITNESSES_MAX = 20

/** The verdict of an object's judgement: violated by findings, otherwise holding. */
export function objectVerdict(judgement: string, operations: number, findings: readonly Finding[], metrics: JudgementVerdict['metrics'], summary: string): JudgementVerdict {
  const witnesses = findings.slice(0, WITNESSES_MAX).map(({ key, operations: involved, explanation }): Witness => {
    const name = JSON.parse(key) as NonNullable<Witness['key']> | null
    return { ...(name === null ? {} : { key: name }), operations: [...new Set(involved.map(({ row }) => row))].sort((a, b) => a - b), explanation }
  })
  if (findings.length > 0) return { judgement, verdict: 'violated', summary: `${summary}: ${findings[0]!.explanation}.`, operations, witnesses, metrics }
  return { judgement, verdict: 'holds', summary: `${summary}.`, operations, witnesses: [], metrics }
}

/** An object's judgement that has nothing to judge. */
export function objectUnknown(judgement: string, operations: number, reason: string): JudgementVerdict {
  return { judgement, verdict: 'unknown', reason, summary: `Not judged: ${reason}.`, operations, witnesses: [], metrics: {} }
}

/** Under which key, in words: " of k7"; nothing where there is only one object. */
export function ofKey(key: string): string {
  const name: unknown = JSON.parse(key)
  return name === null ? '' : ` of ${typeof name === 'string' ? name : key}`
}
