/** A run's history for tests, event by event: clients bound to nodes, the nemesis, the observer. Times in milliseconds. */
import { History } from '../history/index.ts'
import type { Event, Json } from '../history/index.ts'

/** Collects events and puts them in order of time. */
export class RunBuilder {
  readonly #events: { readonly at: number; readonly event: Event }[] = []
  #process = 0
  #fault = 0

  /** A client operation on one node, by a process of its own. */
  op(f: string, key: Json, value: Json, at: { readonly from: number; readonly to?: number; readonly node?: string; readonly outcome?: 'ok' | 'fail' | 'info'; readonly intended?: number }): this {
    const process = this.#process++
    const { from, to, node = 'n1', outcome = 'ok', intended } = at
    this.#add(from, { process, type: 'invoke', f, key, value: f === 'read' ? null : value, node, ...(intended === undefined ? {} : { intended: intended * 1e6 }) })
    if (to !== undefined) this.#add(to, { process, type: outcome, f, key, value, node })
    return this
  }

  write(key: Json, value: Json, from: number, to: number, node = 'n1'): this {
    return this.op('write', key, value, { from, to, node })
  }

  read(key: Json, value: Json, from: number, to: number, node = 'n1'): this {
    return this.op('read', key, value, { from, to, node })
  }

  /** A fault that bit at `from`; its heal began at `to` and was observed at `healed` (null: it was not). */
  fault(fault: string, from: number, to: number, healed: number | null, more: { readonly bit?: boolean; readonly sides?: Readonly<Record<string, readonly string[]>> } = {}): this {
    const id = ++this.#fault
    const { bit = true, sides = {} } = more
    this.#add(from - 1, { process: 'nemesis', type: 'invoke', f: 'inject', value: { id, fault } })
    this.#add(from, { process: 'nemesis', type: bit ? 'ok' : 'info', f: 'inject', value: { id, fault, targets: [], sides, evidence: bit ? 'seen' : 'not seen' } })
    this.#add(to, { process: 'nemesis', type: 'invoke', f: 'heal', value: { id, fault } })
    return this.#add(healed ?? to + 1, { process: 'nemesis', type: healed === null ? 'info' : 'ok', f: 'heal', value: { id, fault, evidence: healed === null ? 'not seen' : 'seen' } })
  }

  /** What each replica held. */
  peek(key: Json, at: number, held: Readonly<Record<string, Json>>): this {
    return this.#add(at, { process: 'observer', type: 'ok', f: 'peek', key, value: held })
  }

  /** The nodes that answered a look and hold none of the keys. */
  noReplica(at: number, nodes: readonly string[]): this {
    return this.#add(at, { process: 'observer', type: 'ok', f: 'no-replica', value: nodes })
  }

  /** How long messages between nodes took. */
  delays(at: number, value: Json): this {
    return this.#add(at, { process: 'observer', type: 'ok', f: 'delays', value })
  }

  /** What each node counted of its own work. */
  counters(at: number, value: Json): this {
    return this.#add(at, { process: 'observer', type: 'ok', f: 'counters', value })
  }

  /** Somebody stopped the run. */
  interrupted(at: number): this {
    return this.#add(at, { process: 'observer', type: 'info', f: 'interrupted' })
  }

  quiesce(at: number): this {
    return this.#add(at, { process: 'observer', type: 'info', f: 'quiesce' })
  }

  history(): History {
    const history = new History()
    for (const { event } of this.#events.toSorted((a, b) => a.at - b.at)) history.push(event)
    return history
  }

  #add(at: number, event: Omit<Event, 'time'>): this {
    this.#events.push({ at, event: { ...event, time: at * 1e6 } })
    return this
  }
}
