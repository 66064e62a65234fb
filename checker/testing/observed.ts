/**
 * Small runs whose replicas were observed, drawn at random, and what convergence and durability mean for them, by
 * definition and brute force: every order of the writes that real time allows.
 */
import { RunBuilder } from './run.ts'
import type { Chance } from './chance.ts'
import type { History, Json } from '../history/index.ts'

/** What a client did. Times are distinct; `end` is Infinity where no completion was recorded. */
interface Deed {
  readonly f: 'write' | 'delete' | 'read'
  readonly key: string
  /** Written, or read; null for a delete and for a read of nothing. */
  readonly value: Json
  readonly start: number
  readonly end: number
  readonly outcome: 'ok' | 'fail' | 'info'
}

/** What replicas held at one moment: for each key the nodes that answered. */
interface Look {
  readonly at: number
  readonly held: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

/** A run. `healed`: when the only fault was seen healed; undefined when there was none. */
export interface ObservedRun {
  readonly deeds: readonly Deed[]
  readonly looks: readonly Look[]
  readonly healed: number | undefined
  readonly quiesce: number
}

const NODES = ['n1', 'n2', 'n3']
/** Moments are this far apart, so that what lies in between is told apart. */
const STEP = 10

/** A run of up to six operations on up to two keys, and up to four looks at three replicas. */
export function randomRun(random: Chance): ObservedRun {
  const keys = random(2) === 0 ? ['x'] : ['x', 'y']
  const count = 1 + random(6)
  const deeds: Deed[] = []
  for (let i = 0; i < count; i++) {
    const key = keys[random(keys.length)]!
    const f = (['write', 'write', 'delete', 'read'] as const)[random(4)]!
    const start = STEP * random(12) + i / 10
    const completes = random(5) > 0
    const outcome = f !== 'read' && random(4) === 0 ? (['fail', 'info'] as const)[random(2)]! : 'ok'
    const end = completes ? start + 1 + STEP * random(5) : Infinity
    // Nobody reads what is not written yet.
    const values = candidates(deeds.filter((one) => one.start < end), key)
    deeds.push({ f, key, value: f === 'write' ? i + 1 : f === 'delete' ? null : values[random(values.length)]!, start, end, outcome })
  }
  const healed = random(2) === 0 ? undefined : 3 + STEP * random(15)
  const looks: Look[] = []
  const moments = Array.from({ length: random(5) }, () => 5 + STEP * random(25)).sort((a, b) => a - b)
  for (const at of new Set(moments)) looks.push({ at, held: look(random, deeds, keys) })
  return { deeds, looks, healed, quiesce: 6 + STEP * random(20) }
}

/** Values that may be seen of a key: what was written, nothing, and seldom what nobody wrote. */
function candidates(deeds: readonly Deed[], key: string): Json[] {
  return [null, ...deeds.filter((one) => one.f === 'write' && one.key === key).map(({ value }) => value)]
}

function look(random: Chance, deeds: readonly Deed[], keys: readonly string[]): Look['held'] {
  const awake = NODES.filter(() => random(8) > 0)
  return Object.fromEntries(keys.map((key) => {
    const values = [...candidates(deeds, key), ...candidates(deeds, key).slice(-1), ...(random(10) === 0 ? [99] : [])]
    const common = values[random(values.length)]!
    const apart = random(4) === 0
    const nodes = awake.filter(() => random(12) > 0)
    return [key, Object.fromEntries(nodes.map((node) => [node, apart ? values[random(values.length)]! : common]))]
  }))
}

/** The same as a history. */
export function historyOfRun({ deeds, looks, healed, quiesce }: ObservedRun): History {
  const run = new RunBuilder()
  for (const { f, key, value, start, end, outcome } of deeds) run.op(f, key, value, { from: start, ...(end === Infinity ? {} : { to: end }), outcome })
  for (const { at, held } of looks) for (const [key, nodes] of Object.entries(held)) run.peek(key, at, nodes)
  if (healed !== undefined) run.fault('kill(one)', 1.5, healed - 0.5, healed)
  return run.quiesce(quiesce).history()
}

const mutates = ({ f }: Deed): boolean => f !== 'read'
const succeeded = ({ outcome, end }: Deed): boolean => outcome === 'ok' && end < Infinity
const mayHaveHappened = (one: Deed): boolean => !(one.outcome === 'fail' && one.end < Infinity)

/** From when on replicas have nothing to do but to agree. */
function restFrom({ deeds, healed = 0 }: ObservedRun): number {
  return Math.max(0, healed, ...deeds.filter(mutates).map(({ start, end }) => (end === Infinity ? start : end)))
}

/** The replicas of a key: who ever answered for it, and had not handed it over by the last look. */
function replicasOf({ looks }: ObservedRun, key: string): string[] {
  const last = looks.at(-1)!
  const answers = (at: Look): readonly string[] => Object.keys(at.held[key] ?? {})
  const handedOver = (node: string): boolean => answers(last).length > 0 && !answers(last).includes(node) && Object.values(last.held).some((held) => node in held)
  return [...new Set(looks.flatMap(answers))].filter((node) => !handedOver(node))
}

const keysLookedAt = ({ looks }: ObservedRun): string[] => [...new Set(looks.flatMap(({ held }) => Object.keys(held)))]

/** What a key's replicas came to: the value that they agree on and since when, that they differ, or that it cannot be said. */
function outcomeOf(run: ObservedRun, key: string): { readonly agreed: Json; readonly at: number } | 'diverged' | 'unseen' {
  const looks = run.looks.filter(({ at }) => at >= restFrom(run)).map(({ at, held }) => ({ at, held: held[key] ?? {} }))
  const replicas = replicasOf(run, key)
  const settledFrom = (from: number): boolean => replicas.every((node) => node in looks[from]!.held) && new Set(looks.slice(from).flatMap(({ held }) => Object.values(held))).size === 1
  const first = looks.findIndex((_, at) => settledFrom(at))
  if (first >= 0) return { agreed: Object.values(looks[first]!.held)[0]!, at: looks[first]!.at }
  return new Set(Object.values(looks.at(-1)?.held ?? {})).size > 1 ? 'diverged' : 'unseen'
}

/** Vogels 2009: all replicas come to hold the same, and it was written. With the time that it took, in milliseconds. */
export function converges(run: ObservedRun): { readonly verdict: 'holds' | 'violated' | 'unknown'; readonly tookMs: number | null } {
  const keys = keysLookedAt(run)
  if (keys.length === 0) return { verdict: 'unknown', tookMs: null }
  const written = (key: string, value: Json): boolean => value === null || run.deeds.some((one) => mutates(one) && one.key === key && mayHaveHappened(one) && one.value === value)
  const outcomes = keys.map((key) => ({ key, outcome: outcomeOf(run, key) }))
  const wrong = outcomes.some(({ key, outcome }) => outcome === 'diverged' || (outcome !== 'unseen' && !written(key, outcome.agreed)))
  const times = outcomes.map(({ outcome }) => (typeof outcome === 'object' ? outcome.at - restFrom(run) : null))
  const tookMs = times.includes(null) ? null : Math.max(...(times as number[]))
  const unseen = outcomes.some(({ outcome }) => outcome === 'unseen') || run.deeds.some((one) => mutates(one) && mayHaveHappened(one) && !keys.includes(one.key))
  return { verdict: wrong ? 'violated' : unseen ? 'unknown' : 'holds', tookMs }
}

/** Values that are there at the end; undefined when that is not known. */
function left(run: ObservedRun, key: string): Json[] | undefined {
  if (keysLookedAt(run).length === 0) {
    const reads = run.deeds.filter((one) => one.f === 'read' && one.key === key && succeeded(one) && one.start > run.quiesce)
    return reads.length === 0 ? undefined : reads.map(({ value }) => value)
  }
  if (!keysLookedAt(run).includes(key)) return undefined
  const resting = run.looks.filter(({ at }) => at >= restFrom(run)).map(({ held }) => held[key] ?? {})
  const answers = replicasOf(run, key).map((node) => resting.findLast((held) => node in held)?.[node])
  return answers.length === 0 || answers.includes(undefined) ? undefined : (answers as Json[])
}

/** Every order of the writes to a key that may have happened and that real time allows. */
function orders(run: ObservedRun, key: string): Deed[][] {
  const writes = run.deeds.filter((one) => mutates(one) && one.key === key && mayHaveHappened(one))
  const reads = run.deeds.filter((one) => one.f === 'read' && one.key === key && succeeded(one))
  // A write has happened once somebody was told so, or has read it.
  const done = (one: Deed): number => Math.min(succeeded(one) ? one.end : Infinity, ...reads.filter(({ value }) => one.f === 'write' && value === one.value).map(({ end }) => end))
  const extend = (order: readonly Deed[], rest: readonly Deed[]): Deed[][] =>
    rest.length === 0 ? [[...order]] : rest.filter((next) => !rest.some((other) => other !== next && done(other) < next.start)).flatMap((next) => extend([...order, next], rest.filter((one) => one !== next)))
  return extend([], writes)
}

/** The acknowledged writes that no order explains: whatever it is, all that is there is older. Undefined: nothing to judge. */
export function durable(run: ObservedRun): { readonly verdict: 'holds' | 'violated' | 'unknown'; readonly lost: number } {
  const acknowledged = run.deeds.filter((one) => mutates(one) && succeeded(one))
  const lost = acknowledged.filter((write) => {
    const there = left(run, write.key)
    if (there === undefined) return false
    const all = orders(run, write.key)
    const known = there.every((value) => value === null || all[0]!.some((one) => one.value === value))
    return known && !all.some((order) => there.some((value) => order.findLastIndex((one) => one.value === value) >= order.indexOf(write)))
  })
  const unseen = acknowledged.some(({ key }) => left(run, key) === undefined)
  return { verdict: lost.length > 0 ? 'violated' : acknowledged.length === 0 || unseen ? 'unknown' : 'holds', lost: lost.length }
}
