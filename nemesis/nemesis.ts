/**
 * The nemesis carries out a schedule: it injects each fault, looks whether it bit, heals it, and looks whether it
 * healed. All of that stands in the history, so that a judge can tell a store that survived a partition from a
 * partition that never happened.
 *
 * Its two operations are `inject` and `heal`, both with the schedule entry's id; they complete `ok` when the effect
 * was observed and `info` when it was not.
 */
import type { Completion, Json } from '../checker/history/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { System, Zones } from '../cluster/system.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { nemesis as onNemesis, type Generator, type Op } from '../harness/generator/index.ts'
import type { Injection } from './fault.ts'
import { resolveFault } from './notation.ts'
import { HalfInjected, type Undo } from './strike.ts'
import type { Schedule } from './schedule.ts'
import { isDrawn, preferRunning, select, type Scene } from './targets.ts'

/** The schedule as a generator for the nemesis thread, on a clock that is 0 when clients start. */
export function nemesisGenerator(schedule: Schedule): Generator {
  const ops: Op[] = schedule.flatMap(({ fault, at_ms, for_ms }, id) => [
    { f: 'inject', value: { id, fault }, time: at_ms * 1e6 },
    { f: 'heal', value: { id, fault }, time: (at_ms + for_ms) * 1e6 },
  ])
  ops.sort((a, b) => a.time! - b.time!)
  return onNemesis(ops)
}

/** Whom a nemesis strikes. */
export interface Battlefield {
  readonly cluster: Cluster
  readonly system: System
  readonly zones: Zones
  readonly random: Random
}

/** Injects the fault that `text` writes, by chance from `random` alone. */
export async function inject(text: string, { cluster, system, zones, random }: Battlefield): Promise<Injection> {
  const { fault, variant, parameters } = resolveFault(text)
  const scene: Scene = { nodes: cluster.nodes.map((n) => n.id), system, zones }
  const selectNow = async (selector = variant): Promise<NodeId[]> => {
    const selected = await select(selector, scene, cluster, random)
    return isDrawn(selector) ? preferRunning(selected, cluster) : selected
  }
  return fault.inject(cluster, { variant, parameters, random, scene, select: selectNow })
}

/** A nemesis for one cluster. */
export class Nemesis {
  readonly #field: Battlefield
  readonly #injected = new Map<number, { readonly fault: string; readonly undo: Undo; healed: boolean }>()
  /** Operations run one after the other, also when an interrupted run heals while an injection is still on its way. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(field: Battlefield) {
    this.#field = field
  }

  /** Faults that are injected, if only in part, and not yet healed. */
  get active(): readonly string[] {
    return [...this.#injected.values()].filter(({ healed }) => !healed).map(({ fault }) => fault)
  }

  /** Carries out one operation of the generator. Never rejects: what goes wrong stands in the completion. */
  invoke(op: { readonly f: string; readonly value?: Json }): Promise<Completion> {
    const completion = this.#last.then(() => this.#carryOut(op))
    this.#last = completion
    return completion
  }

  /** Resolves when no operation is on its way. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #carryOut(op: { readonly f: string; readonly value?: Json }): Promise<Completion> {
    const { id, fault } = op.value as { id: number; fault: string }
    try {
      return op.f === 'inject' ? await this.#inject(id, fault) : await this.#heal(id)
    } catch (error) {
      if (error instanceof HalfInjected) this.#injected.set(id, { fault, undo: error.undo, healed: false })
      return { type: 'info', value: { id, fault, targets: [], sides: {}, evidence: `${op.f} failed: ${(error as Error).message}` } }
    }
  }

  async #inject(id: number, text: string): Promise<Completion> {
    const injection = await inject(text, { ...this.#field, random: this.#field.random.fork(`fault-${id}`) })
    this.#injected.set(id, { fault: text, undo: injection, healed: false })
    const { seen, evidence } = await injection.verify()
    const sides = Object.fromEntries(Object.entries(injection.sides).map(([side, nodes]) => [side, [...nodes]]))
    return { type: seen ? 'ok' : 'info', value: { id, fault: text, targets: [...injection.targets], sides, evidence } }
  }

  async #heal(id: number): Promise<Completion> {
    const entry = this.#injected.get(id)
    if (!entry) return { type: 'ok', value: { id, fault: '', evidence: 'it was never injected' } }
    await entry.undo.heal()
    const { seen, evidence } = await entry.undo.verifyHealed()
    entry.healed = seen
    return { type: seen ? 'ok' : 'info', value: { id, fault: entry.fault, evidence } }
  }
}
