/**
 * `check`: is this history linearizable? Chooses, per key, the cheapest algorithm that is exact for what the key
 * holds, and merges the answers: one violated key condemns the history, one undecided key leaves it unknown.
 */
import { acceptZones } from './accept-zones.ts'
import { checkCollection } from './collections/index.ts'
import { systemElapsedMs } from './clock.ts'
import { sharedEngine } from './engine.ts'
import { explainRegister } from './explain.ts'
import { explainModel } from './explain-model.ts'
import { closedPart, minimize, subset, windowBefore, withOrigins } from './minimize.ts'
import { partition } from './order.ts'
import { firstIllegal, firstIllegalByZones, truncated } from './prefix.ts'
import { createPool } from './pool.ts'
import { modelProblem, registerProblem } from './problem.ts'
import { registerKeys } from './register.ts'
import { runWindow } from './window.ts'
import { zoneOrder } from './zone-order.ts'
import { checkZones } from './zones.ts'
import type { KeyCounts } from './accept-clusters.ts'
import type { Engine } from './engine.ts'
import type { Judge } from './explain-model.ts'
import type { History, Json } from './history.ts'
import type { FailedCas, Model, NilReads } from './model.ts'
import type { KeyRows } from './order.ts'
import type { Pool } from './pool.ts'
import type { RegisterKey, RegisterOperations } from './register.ts'
import type { Problem } from './problem.ts'
import type { WindowResult } from './window.ts'

export type Verdict = 'holds' | 'violated' | 'unknown'
/** `trivial`: nothing to decide; `zones`: see zones.ts; `pairs`: see collections/; `window`: just-in-time linearization, see window.ts. */
export type Algorithm = 'trivial' | 'zones' | 'pairs' | 'window'

export interface CheckOptions {
  readonly model: Model
  /** Default 60 s. */
  readonly timeLimitMs?: number
  /** Default 2048 MB. */
  readonly memoryLimitMb?: number
  /** Threads for keys that need the general engine; each gets its share of the memory. Default 1: none but this one. */
  readonly workers?: number
  /** Registers: overrides the model's rules. */
  readonly failedCas?: FailedCas
  readonly nilReads?: NilReads
  readonly initial?: Json
  /** Find a small witness for a violation. Default true; without, only the verdict is found. */
  readonly explain?: boolean
  /** Also return an order of the operations that explains why it holds. Costs memory and time. */
  readonly linearization?: boolean
  /** A clock to keep the time limit by. Default: the system's. */
  readonly elapsedMs?: () => number
  /** Called with the share of the history's operations that are decided. */
  readonly onProgress?: (fraction: number) => void
}

/** Operations that cannot be, by themselves. */
export interface Witness {
  readonly key: Json
  /** Rows of the invocations, in order of invocation. */
  readonly operations: readonly number[]
  readonly explanation: string
}

export interface KeyVerdict {
  readonly key: Json
  readonly verdict: Verdict
  readonly reason?: string
  readonly operations: number
  readonly algorithm: Algorithm
  readonly witness?: Witness
  /** How many of the key's events were decided: all of them when it holds; when violated, the longest linearizable prefix. */
  readonly decidedEvents: number
  /** When violated: row of the invocation of the operation whose response no order explains. */
  readonly stuck?: number
  /** When asked for and it holds: rows of the invocations, in an order that the model can do. See `faultIn`. */
  readonly linearization?: readonly number[]
  /** When violated: states that were still possible before the response that broke it (unless finding them takes too long). */
  readonly finalStates?: readonly Json[]
}

export interface CheckResult {
  readonly verdict: Verdict
  readonly reason?: string
  readonly perKey: readonly KeyVerdict[]
  /** The smallest of the keys' witnesses. */
  readonly witness?: Witness
  readonly stats: { readonly operations: number; readonly keys: number; readonly elapsedMs: number; readonly visits: number; readonly engineBytes: number }
}

/** How many configurations may be visited to tell what a register could hold before a violation. */
const FINAL_STATES_VISITS_MAX = 500_000
/** From this many events on it is worthwhile to try all keys at once before anything is copied. */
const ACCEPT_MIN = 1 << 15

interface Limits {
  readonly memoryLimitMb: number
  readonly elapsedMs: () => number
  readonly deadlineMs: number
  readonly linearization: boolean
  readonly explain: boolean
}

/** Decides a history. Resolves always; throws only for histories that the model cannot read. */
export async function check(history: History, options: CheckOptions): Promise<CheckResult> {
  const model = configured(options)
  const elapsedMs = options.elapsedMs ?? systemElapsedMs
  const begunMs = elapsedMs()
  const limits: Limits = { memoryLimitMb: options.memoryLimitMb ?? 2048, elapsedMs, deadlineMs: begunMs + (options.timeLimitMs ?? 60_000), linearization: options.linearization === true, explain: options.explain !== false }
  const session = new Session(history, model, limits)
  const { tasks, total, accepted } = session.tasks()
  const workers = accepted ? 1 : Math.min(options.workers ?? 1, tasks.length)
  const perKey: KeyVerdict[] = []
  let decided = 0
  const decide = async (index: number): Promise<void> => {
    const verdict = await tasks[index]!()
    perKey[index] = verdict
    decided += verdict.operations
    options.onProgress?.(decided / total)
  }
  if (workers <= 1) for (let i = 0; i < tasks.length; i++) await decide(i)
  else await session.withPool(workers, () => Promise.all(tasks.map((_, i) => decide(i))))
  const stats = { operations: total, keys: perKey.length, elapsedMs: elapsedMs() - begunMs, visits: session.visits, engineBytes: session.engineBytes }
  return merged(perKey, stats)
}

function configured({ model, failedCas, nilReads, initial }: CheckOptions): Model {
  if (failedCas === undefined && nilReads === undefined && initial === undefined) return model
  if (model.variant === undefined) throw new TypeError(`the model ${model.name} is no register: failedCas, nilReads and initial do not apply to it`)
  return model.variant({ ...(failedCas === undefined ? {} : { failedCas }), ...(nilReads === undefined ? {} : { nilReads }), ...(initial === undefined ? {} : { initial }) })
}

function merged(perKey: readonly KeyVerdict[], stats: CheckResult['stats']): CheckResult {
  const violated = perKey.filter((key) => key.verdict === 'violated')
  const unknown = perKey.filter((key) => key.verdict === 'unknown')
  if (violated.length > 0) {
    const witnesses = violated.flatMap((key) => key.witness ?? []).sort((a, b) => a.operations.length - b.operations.length)
    return { verdict: 'violated', perKey, ...(witnesses.length === 0 ? {} : { witness: witnesses[0]! }), stats }
  }
  if (unknown.length > 0) {
    const first = unknown[0]!
    const reason = perKey.length === 1 ? first.reason! : `${unknown.length} of ${perKey.length} keys undecided: ${first.reason} (key ${JSON.stringify(first.key)})`
    return { verdict: 'unknown', reason, perKey, stats }
  }
  return { verdict: 'holds', perKey, stats }
}

/** What one check shares between keys: the engine above all. */
class Session {
  visits = 0
  engineBytes = 0
  readonly #history: History
  readonly #model: Model
  readonly #limits: Limits
  #engine: Engine | undefined
  #pool: Pool | undefined
  #poolSize = 1

  constructor(history: History, model: Model, limits: Limits) {
    this.#history = history
    this.#model = model
    this.#limits = limits
  }

  /** One task per key, and how many operations they hold in all; `accepted`: they are decided already. */
  tasks(): { readonly tasks: readonly (() => Promise<KeyVerdict>)[]; readonly total: number; readonly accepted: boolean } {
    const rules = this.#model.register
    if (rules !== undefined) {
      const initial = this.#history.values.encode(rules.initial)
      const accepted = this.#history.length < ACCEPT_MIN || this.#limits.linearization ? null : acceptZones(this.#history, this.#model, rules, initial)
      if (accepted !== null) return { accepted: true, tasks: accepted.map((key) => () => Promise.resolve(this.#accept(key))), total: accepted.reduce((sum, key) => sum + key.operations, 0) }
      const keys = registerKeys(this.#history, this.#model, rules)
      return { accepted: false, tasks: keys.map((key) => () => this.#decideRegister(key, initial)), total: keys.reduce((sum, key) => sum + key.operations, 0) }
    }
    const { keys, rank } = partition(this.#history, this.#model.partitioned !== false)
    return { accepted: false, tasks: keys.map((key) => () => this.#decideModel(key, rank)), total: keys.reduce((sum, key) => sum + key.rows.length, 0) }
  }

  /** Lets keys that need the window go to other threads while the work lasts. */
  async withPool(size: number, work: () => Promise<unknown>): Promise<void> {
    this.#pool = await createPool(size)
    this.#poolSize = size
    try {
      await work()
    } finally {
      await this.#pool?.close()
      this.#pool = undefined
    }
  }

  async #registerWindow(ops: RegisterOperations, initial: number, problem: Problem): Promise<WindowResult> {
    if (this.#pool === undefined || this.#limits.linearization) return this.#window(problem)
    const { elapsedMs, deadlineMs, memoryLimitMb } = this.#limits
    // The columns are views of those of all keys: only this key's part must travel.
    const own: RegisterOperations = { ...ops, kind: ops.kind.slice(), a: ops.a.slice(), b: ops.b.slice(), inv: ops.inv.slice(), ret: ops.ret.slice(), row: ops.row.slice() }
    const result = await this.#pool.run({ ops: own, initial, timeLimitMs: deadlineMs - elapsedMs(), memoryLimitMb: memoryLimitMb / this.#poolSize })
    this.visits += result.visits
    this.engineBytes = Math.max(this.engineBytes, result.bytes * this.#poolSize)
    return result
  }

  async #window(problem: Problem): Promise<WindowResult> {
    this.#engine ??= await sharedEngine()
    const result = runWindow(this.#engine, problem, this.#limits, this.#limits.linearization)
    this.visits += result.visits
    this.engineBytes = Math.max(this.engineBytes, result.bytes)
    return result
  }

  async #decideModel(key: KeyRows, rank: Int32Array | null): Promise<KeyVerdict> {
    const base = { key: this.#history.values.decode(key.key), operations: key.rows.length }
    const pairs = this.#limits.linearization ? undefined : checkCollection(this.#history, key, rank, this.#model)
    if (pairs?.type === 'holds') return { ...base, verdict: 'holds', algorithm: 'pairs', decidedEvents: key.events }
    if (pairs?.type === 'violated') return { ...base, verdict: 'violated', algorithm: 'pairs', ...(await this.#explained(key, rank, pairs.rows)) }
    const parts = pairs === undefined ? [key.rows] : pairs.parts.map((part) => Int32Array.from(part))
    for (const rows of parts) {
      const problem = modelProblem(this.#history, { ...key, rows }, rank, this.#model)
      const result = await this.#window(problem)
      if (result.type === 'violated') return { ...base, verdict: 'violated', algorithm: 'window', ...(await this.#explained(key, rank, [...rows])) }
      if (result.type === 'unknown' || pairs === undefined) return { ...base, algorithm: 'window', ...undecidedOrHolds(result, problem) }
    }
    return { ...base, verdict: 'holds', algorithm: 'window', decidedEvents: key.events }
  }

  async #explained(key: KeyRows, rank: Int32Array | null, suspects?: readonly number[]): Promise<Pick<KeyVerdict, 'decidedEvents' | 'stuck' | 'finalStates' | 'witness'>> {
    if (!this.#limits.explain) return { decidedEvents: 0 }
    this.#engine ??= await sharedEngine()
    const engine = this.#engine
    const judge: Judge = {
      solve: (part) => runWindow(engine, modelProblem(this.#history, key, rank, this.#model, part), { ...this.#limits, visitsMax: 2_000_000 }),
      refutes: (part) => {
        const pairs = checkCollection(this.#history, key, rank, this.#model, part)
        return pairs === undefined || pairs.type === 'split' ? judge.solve(part).type === 'violated' : pairs.type === 'violated'
      },
    }
    const { operations, explanation, illegal, stuck, states } = explainModel(this.#history, key, this.#model, (row) => (rank === null ? row : rank[row]!), judge, suspects)
    return { decidedEvents: illegal, stuck, finalStates: states, witness: { key: this.#history.values.decode(key.key), operations, explanation } }
  }

  #accept({ key, operations, events }: KeyCounts): KeyVerdict {
    return { key: this.#history.values.decode(key), operations, decidedEvents: events, verdict: 'holds', algorithm: events === 0 ? 'trivial' : 'zones' }
  }

  async #decideRegister({ key, operations, ops }: RegisterKey, initial: number): Promise<KeyVerdict> {
    const { values } = this.#history
    const base = { key: values.decode(key), operations, decidedEvents: ops.events }
    if (ops.length === 0) return { ...base, verdict: 'holds', algorithm: 'trivial' }
    const zones = checkZones(ops, initial)
    if (zones.type === 'holds') {
      return { ...base, verdict: 'holds', algorithm: 'zones', ...(this.#limits.linearization ? { linearization: zoneOrder(ops, initial).map((i) => ops.row[i]!) } : {}) }
    }
    if (zones.type === 'violated') {
      if (!this.#limits.explain) return { ...base, verdict: 'violated', algorithm: 'zones' }
      const sets = zones.suspects.map((codes) => onValues(ops, new Set(codes)))
      const broken = firstIllegalByZones(ops, initial)
      return { ...base, verdict: 'violated', algorithm: 'zones', ...(await this.#brokenAt(ops, initial, broken)), witness: await this.#smallest(base.key, ops, initial, sets) }
    }
    const problem = registerProblem(ops, initial, (code) => values.decode(code))
    const result = await this.#registerWindow(ops, initial, problem)
    if (result.type !== 'violated') return { ...base, algorithm: 'window', ...undecidedOrHolds(result, problem) }
    if (!this.#limits.explain) return { ...base, verdict: 'violated', algorithm: 'window', decidedEvents: result.events }
    this.#engine ??= await sharedEngine()
    const refutes = (part: RegisterOperations): boolean => this.#refutes(part, initial)
    const illegal = firstIllegal(ops.events, (until) => refutes(truncated(ops, until)))
    const prefix = truncated(ops, illegal + 1)
    const set = windowBefore(prefix, illegal + 1, refutes)
    return { ...base, verdict: 'violated', algorithm: 'window', ...(await this.#brokenAt(ops, initial, illegal)), witness: await this.#smallest(base.key, prefix, initial, [set]) }
  }

  /** The response at which a register's history broke, whose it is, and what the register could hold before. */
  async #brokenAt(ops: RegisterOperations, initial: number, event: number): Promise<Pick<KeyVerdict, 'decidedEvents' | 'stuck' | 'finalStates'>> {
    this.#engine ??= await sharedEngine()
    const stuck = ops.ret.indexOf(event)
    const problem = registerProblem(truncated(ops, event), initial, (code) => this.#history.values.decode(code))
    const { type, states } = runWindow(this.#engine, problem, { ...this.#limits, visitsMax: FINAL_STATES_VISITS_MAX })
    return { decidedEvents: event, ...(stuck < 0 ? {} : { stuck: ops.row[stuck]! }), ...(type === 'holds' ? { finalStates: states } : {}) }
  }

  /** Minimises each suspect set and keeps the smallest outcome. */
  async #smallest(key: Json, ops: RegisterOperations, initial: number, sets: readonly number[][]): Promise<Witness> {
    this.#engine ??= await sharedEngine()
    const refutes = (part: RegisterOperations): boolean => this.#refutes(part, initial)
    let best: number[] | undefined
    for (const set of [...sets].sort((x, y) => x.length - y.length)) {
      const closed = closedPart(ops, set)
      if (closed.length === 0 || !refutes(subset(ops, closed))) continue
      const smaller = minimize(ops, closed, refutes)
      if (best === undefined || smaller.length < best.length) best = smaller
      if (best.length <= 2) break
    }
    const operations = withOrigins(ops, best ?? Array.from({ length: ops.length }, (_, i) => i))
    return { key, operations: operations.map((i) => ops.row[i]!), explanation: explainRegister(this.#history, subset(ops, operations), initial) }
  }

  /** Whether a small set of operations is certainly not linearizable. */
  #refutes(ops: RegisterOperations, initial: number): boolean {
    const zones = checkZones(ops, initial)
    if (zones.type !== 'ambiguous') return zones.type === 'violated'
    const problem = registerProblem(ops, initial, (code) => this.#history.values.decode(code))
    return runWindow(this.#engine!, problem, { ...this.#limits, visitsMax: 2_000_000 }).type === 'violated'
  }
}

function undecidedOrHolds(result: WindowResult, problem: Problem): Pick<KeyVerdict, 'verdict' | 'decidedEvents' | 'reason' | 'linearization'> {
  return {
    verdict: result.type, decidedEvents: result.events,
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    ...(result.linearization === undefined ? {} : { linearization: result.linearization.map((op) => problem.row[op]!) }),
  }
}

/** The operations that touch any of these values; of the reads of one value only those that end first and begin last. */
function onValues(ops: RegisterOperations, codes: ReadonlySet<number>): number[] {
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  const set = new Set<number>()
  for (let i = 0; i < ops.length; i++) {
    const a = ops.a[i]!
    if (ops.kind[i] !== 0) {
      if (codes.has(ops.kind[i] === 1 ? a : ops.b[i]!) || (ops.kind[i] === 2 && codes.has(a))) set.add(i)
    } else if (codes.has(a)) {
      if (!first.has(a) || ops.ret[i]! < ops.ret[first.get(a)!]!) first.set(a, i)
      if (!last.has(a) || ops.inv[i]! > ops.inv[last.get(a)!]!) last.set(a, i)
    }
  }
  for (const i of [...first.values(), ...last.values()]) set.add(i)
  return [...set].sort((x, y) => x - y)
}
