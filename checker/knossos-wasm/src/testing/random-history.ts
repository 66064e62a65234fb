/**
 * Random small histories for comparing checkers: ties in time, values used twice, crashed operations, failed
 * compare-and-sets, and results that are now and then wrong.
 *
 * A real object is simulated (every operation has a moment between its invocation and its response at which it
 * takes effect), so that many histories hold; then some results are replaced, so that many do not, narrowly.
 */
import { History } from '../history.ts'
import { canonical } from '../values.ts'
import type { Model } from '../model.ts'
import type { Json } from '../values.ts'

/** A seeded source of chance (xorshift32): the package has no dependencies. */
export function chance(seed: number): (bound: number) => number {
  let state = (seed ^ 0x9e3779b9) | 0 || 1
  for (let i = 0; i < 4; i++) state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) | 0 || 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

export interface RandomShape {
  readonly operations: number
  readonly processes: number
  /** Per cent of operations that crash. */
  readonly crashed: number
  /** Per cent of results that are replaced. */
  readonly wrong: number
  /** How many distinct values; 0: every written value is new. */
  readonly values: number
  readonly keys: number
  /** Times may be equal. */
  readonly ties: boolean
  /** Whether registers are deleted, too. Default false: then values may be unique. */
  readonly deletes?: boolean
}

/** A random shape, small enough for the oracle. */
export function randomShape(next: (bound: number) => number, operationsMax = 7): RandomShape {
  return {
    operations: 2 + next(operationsMax - 1), processes: 1 + next(4), crashed: [0, 0, 10, 30][next(4)]!, wrong: [0, 15, 40, 70][next(4)]!,
    values: [0, 0, 2, 3, 5][next(5)]!, keys: next(6) === 0 ? 2 : 1, ties: next(3) === 0, deletes: next(2) === 0,
  }
}

interface Open {
  /** Who asks, where that matters. */
  readonly process: number | null
  readonly f: string
  readonly input: Json
  readonly key: Json
  effective: boolean
  output: Json
}

/** A history of one or more objects of the model. */
export function randomHistory(model: Model, shape: RandomShape, next: (bound: number) => number): History {
  const history = new History()
  const functions = model.register === undefined || shape.deletes === true ? model.functions : model.functions.filter((f) => f !== 'delete')
  const states = new Map<string, Json>()
  const past: Json[] = [model.init]
  const open: (Open | undefined)[] = Array.from({ length: shape.processes }, () => undefined)
  const names = open.map((_, i) => i)
  const crashed: Open[] = []
  let fresh = 0
  let time = 0
  let started = 0
  const value = (): Json => (shape.values > 0 ? next(shape.values) : unique(model, ++fresh))
  const tick = (): number => (time += shape.ties ? next(2) : 1)
  const takeEffect = (o: Open): void => {
    o.effective = true
    const state = states.get(canonical(o.key)) ?? model.init
    const [output, after] = result(model, state, past, o, next, shape)
    o.output = output
    if (after === undefined) return
    states.set(canonical(o.key), after)
    past.push(after)
  }
  while (started < shape.operations || open.some((o) => o !== undefined)) {
    if (crashed.length > 0 && next(5) === 0) takeEffect(crashed.splice(next(crashed.length), 1)[0]!)
    const p = next(shape.processes)
    const o = open[p]
    if (o === undefined) {
      if (started >= shape.operations) continue
      started++
      const f = functions[next(functions.length)]!
      const key = shape.keys === 1 ? null : next(shape.keys)
      const asked: Open = { process: model.perProcess === true ? names[p]! : null, f, input: inputFor(model, f, value, next, states.get(canonical(key)) ?? model.init, fresh), key, effective: false, output: null }
      history.push({ time: tick(), process: names[p]!, type: 'invoke', f, value: asked.input, key })
      open[p] = asked
    } else if (!o.effective && next(2) === 0) {
      takeEffect(o)
    } else if (next(100) < shape.crashed) {
      history.push({ time: tick(), process: names[p]!, type: 'info', f: o.f, value: null, key: o.key })
      if (!o.effective) crashed.push(o)
      names[p] = names[p]! + shape.processes
      open[p] = undefined
    } else {
      if (!o.effective) takeEffect(o)
      const failed = o.output === FAILED
      history.push({ time: tick(), process: names[p]!, type: failed ? 'fail' : 'ok', f: o.f, value: failed ? null : o.output, key: o.key })
      open[p] = undefined
    }
  }
  return history
}

/** Priorities must not ascend with time; additions to a counter are alike, which is what its own algorithm is for. */
function unique(model: Model, fresh: number): Json {
  return model.name === 'priority-queue' ? ((fresh * 37) % 101) + 101 * Math.floor(fresh / 101) : model.name === 'counter' ? 2 : fresh
}

const FAILED = 'failed'

function inputFor(model: Model, f: string, value: () => Json, next: (bound: number) => number, state: Json, fresh: number): Json {
  // What a compare-and-set expects is often there, or was a moment ago; otherwise hardly any would succeed.
  if (f === 'cas') return [[null, value(), state, state, Math.max(1, fresh - next(3))][next(5)]!, value()]
  if (f === 'txn') {
    return Array.from({ length: 1 + next(2) }, () => (next(2) === 0 ? ['read', 'xy'[next(2)]!, null] : ['write', 'xy'[next(2)]!, value()]))
  }
  if (['read', 'get', 'dequeue', 'pop', 'poll', 'acquire', 'release'].includes(f)) return null
  // Elements that are or were there, mostly: others are seldom worth asking for.
  if (['remove', 'contains'].includes(f)) return [...(state as readonly Json[]), Math.max(1, fresh - next(3))][next((state as readonly Json[]).length + 1)]!
  if (model.name === 'kv') return canonical(value())
  return value()
}

/** What the object answers, and its state afterwards; sometimes a wrong answer, most often one that was right a while ago. */
function result(model: Model, state: Json, past: readonly Json[], { process, f, input }: Open, next: (bound: number) => number, shape: RandomShape): [Json, Json | undefined] {
  const lists = Array.isArray(state) ? (state as readonly Json[]) : []
  const txn = f === 'txn' ? [filled(input, () => null), filled(input, (key, own) => own.get(key) ?? (state as { readonly [key: string]: Json })[key] ?? null), filled(input, () => next(3))] : []
  const candidates: Json[] = [...lists, state, ...txn, null, true, false, 0, 1, 2, 3, next(8), lists.slice(0, -1), String(next(3)), ...(f === 'write' || f === 'add' || f === 'cas' ? [input] : [])]
  const possible = candidates.filter((output) => model.step(state, { f, input, output, outcome: 'ok', process }).length > 0)
  // What cannot be done is refused, or wrongly acknowledged: a lock that is held, a compare-and-set that expects another value.
  if (possible.length === 0) return shape.wrong > 0 && next(100) < shape.wrong ? [null, undefined] : [FAILED, undefined]
  const output = possible[next(possible.length)]!
  const states = model.step(state, { f, input, output, outcome: 'ok', process })
  const after = states[next(states.length)]!
  if (next(100) >= shape.wrong) return [output, after]
  if (next(4) === 0) return [candidates[next(candidates.length)]!, after]
  const before = past[Math.max(0, past.length - 1 - next(4))]!
  const outdated = [...candidates, before, ...(Array.isArray(before) ? (before as readonly Json[]) : [])].filter((one) => model.step(before, { f, input, output: one, outcome: 'ok', process }).length > 0)
  return [outdated.length === 0 ? output : outdated[next(outdated.length)]!, after]
}

function filled(input: Json, read: (key: string, own: ReadonlyMap<string, Json>) => Json): Json {
  const own = new Map<string, Json>()
  return (input as unknown as readonly (readonly [string, string, Json])[]).map(([f, key, value]) => {
    if (f === 'write') own.set(key, value)
    return [f, key, f === 'read' ? read(key, own) : value]
  })
}
