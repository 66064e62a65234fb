/**
 * Says in one plain sentence why a few register operations cannot be.
 */
import { CAS, FAILED_CAS, NEVER, READ, WRITE } from './register.ts'
import type { History, Json } from './history.ts'
import type { RegisterOperations } from './register.ts'

/** Explains a (minimal) set of operations that is not linearizable. */
export function explainRegister(history: History, ops: RegisterOperations, initial: number): string {
  const all = Array.from({ length: ops.length }, (_, i) => i)
  const say = (code: number): string => text(history.values.decode(code))
  const process = (i: number): string => `process ${history.processName(ops.row[i]!)}`
  const needs = (i: number): boolean => ops.kind[i] === READ || ops.kind[i] === CAS
  const made = (i: number): number => (ops.kind[i] === WRITE ? ops.a[i]! : ops.kind[i] === CAS ? ops.b[i]! : NaN)
  /** It was there once at most. */
  const once = (code: number): boolean => all.filter((i) => made(i) === code).length + (code === initial ? 1 : 0) <= 1
  const mutates = (i: number): boolean => ops.kind[i] === WRITE || ops.kind[i] === CAS
  const precedes = (i: number, j: number): boolean => ops.ret[i]! < ops.inv[j]!
  const isDelete = (i: number): boolean => history.functions[history.f[ops.row[i]!]!] === 'delete'
  const name = (i: number): string =>
    ops.kind[i] === READ ? `read of ${say(ops.a[i]!)}` : isDelete(i) ? 'delete' : ops.kind[i] === WRITE ? `write of ${say(ops.a[i]!)}` : `${ops.kind[i] === FAILED_CAS ? 'failed ' : ''}compare-and-set from ${say(ops.a[i]!)} to ${say(ops.b[i]!)}`
  const named = (i: number): string => `${name(i)} by ${process(i)}`
  const done = (i: number): string => (mutates(i) ? `the ${named(i)} was acknowledged` : `${process(i)} had read ${say(ops.a[i]!)}`)

  for (const r of all.filter(needs)) {
    const makers = all.filter((i) => i !== r && made(i) === ops.a[r])
    if (makers.length === 0 && ops.a[r] !== initial) return `${sentence(named(r))}: nothing ever wrote ${say(ops.a[r]!)}.`
    if (makers.length > 0 && ops.a[r] !== initial && makers.every((w) => precedes(r, w))) return `${sentence(named(r))} ended before the ${named(makers[0]!)} began.`
  }
  // The classic: a value comes back although it was certainly overwritten.
  for (const r of all.filter(needs)) {
    const makers = all.filter((i) => i !== r && made(i) === ops.a[r])
    for (const x of all) {
      if (x === r || !precedes(x, r)) continue
      const newer = mutates(x) ? made(x) : ops.kind[x] === READ ? ops.a[x]! : NaN
      if (Number.isNaN(newer) || newer === ops.a[r]) continue
      // Every maker of r's value lies before x, or some maker of x's value after it.
      const origin = mutates(x) ? [x] : all.filter((i) => made(i) === newer)
      if (origin.length > 0 && makers.every((w) => origin.every((o) => precedes(w, o))) && (makers.length > 0 || ops.a[r] === initial)) {
        return `${sentence(named(r))} began after ${done(x)}, and nothing wrote ${say(ops.a[r]!)} again.`
      }
      const earlier = all.find((y) => y !== r && y !== x && ops.kind[y] === READ && ops.a[y] === ops.a[r] && origin.every((o) => precedes(y, o)))
      if (earlier !== undefined && makers.length === 1) return `${sentence(named(r))} began after ${done(x)}, although ${process(earlier)} had read ${say(ops.a[r]!)} before ${say(newer)} was written, and nothing wrote ${say(ops.a[r]!)} again.`
    }
  }
  // Two clients saw two values in opposite orders.
  for (const r of all.filter((i) => needs(i) && once(ops.a[i]!))) {
    for (const x of all.filter((i) => needs(i) && precedes(i, r) && ops.a[i] !== ops.a[r] && once(ops.a[i]!))) {
      const back = all.find((i) => (needs(i) || made(i) === ops.a[r]) && i !== r && (needs(i) ? ops.a[i] === ops.a[r] : true) && all.some((j) => j !== x && precedes(i, j) && ((needs(j) && ops.a[j] === ops.a[x]) || made(j) === ops.a[x])))
      if (back !== undefined) return `${sentence(named(r))} began after ${done(x)}, but elsewhere ${say(ops.a[r]!)} came before ${say(ops.a[x]!)}: the two values were seen in opposite orders, and neither was written twice.`
    }
  }
  const consumers = all.filter((i) => ops.kind[i] === CAS && all.some((j) => j !== i && ops.kind[j] === CAS && ops.a[j] === ops.a[i]))
  if (consumers.length >= 2 && once(ops.a[consumers[0]!]!)) {
    return `${sentence(named(consumers[0]!))} and ${named(consumers[1]!)} both took effect on the value ${say(ops.a[consumers[0]!]!)}, which was there only once.`
  }
  const last = all.reduce((best, i) => (ops.ret[i]! !== NEVER && (best < 0 || ops.ret[i]! > ops.ret[best]!) ? i : best), -1)
  return `No order of these ${ops.length} operations agrees with real time and explains the ${named(Math.max(0, last))}.`
}

function text(value: Json): string {
  return value === null ? 'nil' : JSON.stringify(value)
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
