/**
 * What replicas held, and when: the observer's reads of every replica, past any coordination.
 *
 * An event `peek` names for a key each node that answered, and what it holds: a value, null (nothing), or a list of
 * siblings. `no-replica` lists the nodes that answered at that time and hold none of the keys. `quiesce` marks that clients have stopped and every fault is healed. The *rest* begins at the last heal
 * or the last write, whichever is later: from then on replicas have nothing to do but to agree. A key's replicas are
 * the nodes that ever answered for it, but for those that at the last look answered and not for this key: where replicas
 * move, they have handed it over.
 */
import { INVOKE, OBSERVER, OK } from './history/index.ts'
import type { History, Json } from './history/index.ts'
import type { FaultWindow } from './verdict.ts'

/** One look at all replicas of one key. */
export interface Sample {
  readonly row: number
  readonly time: number
  /** Node -> what it holds. */
  readonly held: ReadonlyMap<string, Json>
  /** All that answered hold the same. */
  readonly agreed: boolean
}

/** All looks at one key, in order of time. */
export interface ReplicaHistory {
  /** Code in the history's values. */
  readonly key: number
  readonly replicas: readonly string[]
  readonly samples: readonly Sample[]
}

/** What the observer saw. */
export interface Replicas {
  readonly keys: ReadonlyMap<number, ReplicaHistory>
  /** When the rest began, in nanoseconds. */
  readonly restFrom: number
  /** What it counts from, for a sentence: "the heal", "the last write". */
  readonly restAfter: string
  /** The row of `quiesce`, or -1. */
  readonly quiesce: number
}

const cache = new WeakMap<History, { readonly length: number; readonly replicas: Replicas }>()

/** Reads the observer's events. */
export function replicasOf(history: History, faults: readonly FaultWindow[]): Replicas {
  const known = cache.get(history)
  if (known && known.length === history.length) return known.replicas
  const keys = new Map<number, { key: number; replicas: string[]; samples: Sample[] }>()
  /** Time of a look -> the nodes that answered. */
  const heardAt = new Map<number, Set<string>>()
  const hear = (time: number, node: string): void => void heardAt.set(time, (heardAt.get(time) ?? new Set()).add(node))
  let quiesce = -1
  for (let row = 0; row < history.length; row++) {
    if (history.process[row] !== OBSERVER) continue
    const f = history.functions[history.f[row]!]
    if (f === 'quiesce') quiesce = row
    const without = f === 'no-replica' ? history.values.decode(history.value[row]!) : null
    if (Array.isArray(without)) for (const node of without) hear(history.timeAt(row), String(node))
    if (f !== 'peek' || history.type[row] !== OK) continue
    const key = history.key[row]!
    let entry = keys.get(key)
    if (!entry) keys.set(key, (entry = { key, replicas: [], samples: [] }))
    const sample = sampleOf(history, row)
    for (const node of sample.held.keys()) if (!entry.replicas.includes(node)) entry.replicas.push(node)
    entry.samples.push(sample)
    for (const node of sample.held.keys()) hear(sample.time, node)
  }
  const members = quiesce < 0 ? null : history.values.decode(history.value[quiesce]!)
  for (const entry of keys.values()) entry.replicas = stillReplicas(entry, heardAt).filter((node) => !Array.isArray(members) || members.includes(node))
  const replicas = { keys, quiesce, ...rest(history, faults) }
  cache.set(history, { length: history.length, replicas })
  return replicas
}

function stillReplicas({ replicas, samples }: Pick<ReplicaHistory, 'replicas' | 'samples'>, heardAt: ReadonlyMap<number, ReadonlySet<string>>): string[] {
  const last = samples.at(-1)!
  return replicas.filter((node) => last.held.size === 0 || last.held.has(node) || !heardAt.get(last.time)!.has(node))
}

function sampleOf(history: History, row: number): Sample {
  const value = history.values.decode(history.value[row]!)
  const held = new Map(value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value as { readonly [node: string]: Json }) : [])
  const texts = new Set([...held.values()].map(textOf))
  return { row, time: history.timeAt(row), held, agreed: texts.size <= 1 }
}

/** Equal for equal values; the order of siblings says nothing. */
export function textOf(value: Json): string {
  return Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).sort().join(',')}]` : JSON.stringify(value)
}

function rest(history: History, faults: readonly FaultWindow[]): Pick<Replicas, 'restFrom' | 'restAfter'> {
  const healed = faults.reduce((latest, window) => Math.max(latest, window.healed_ns ?? window.to_ns), -Infinity)
  const read = history.functions.indexOf('read')
  let written = -Infinity
  for (let row = 0; row < history.length; row++) {
    if (history.process[row]! < 0 || history.f[row] === read) continue
    if (history.type[row] !== INVOKE || history.pair[row]! < 0) written = Math.max(written, history.timeAt(row))
    else written = Math.max(written, history.timeAt(history.pair[row]!))
  }
  return { restFrom: Math.max(0, healed, written), restAfter: healed >= written ? 'the heal' : 'the last write' }
}
