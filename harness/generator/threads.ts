/**
 * Generators and threads: who carries out what. After jepsen.generator.
 *
 * A generator that is confined to some threads sees a context in which only these exist, and hears only of their events.
 */
import { lift, nothing, type GeneratorSource } from './basic.ts'
import { any } from './choice.ts'
import { emit, pending, type Context, type Generator, type GeneratorEvent, type Step, type Thread } from './generator.ts'
import type { Random } from '../env.ts'

/** A context as those threads see it. Free threads are looked for only when somebody asks. */
class Narrowed implements Context {
  readonly time: number
  readonly random: Random
  readonly threads: readonly Thread[]
  readonly #outer: Context
  readonly #owns: (thread: Thread) => boolean
  #free: readonly Thread[] | undefined
  constructor(outer: Context, threads: readonly Thread[], owns: (thread: Thread) => boolean) {
    this.time = outer.time
    this.random = outer.random
    this.threads = threads
    this.#outer = outer
    this.#owns = owns
  }
  get free(): readonly Thread[] {
    return (this.#free ??= this.#outer.free.filter(this.#owns))
  }
}

/** Which threads belong to a generator. Remembers the selection: `context.threads` is the same array for a whole run. */
class Selection {
  readonly owns: (thread: Thread) => boolean
  #from: readonly Thread[] | undefined
  #selected: readonly Thread[] = []
  constructor(owns: (thread: Thread) => boolean) {
    this.owns = owns
  }
  narrow(context: Context): Context {
    if (context.threads !== this.#from) {
      this.#from = context.threads
      this.#selected = context.threads.filter(this.owns)
    }
    return new Narrowed(context, this.#selected, this.owns)
  }
}

class OnThreads implements Generator {
  readonly inner: Generator
  readonly selection: Selection
  constructor(inner: Generator, selection: Selection) {
    this.inner = inner
    this.selection = selection
  }
  op(context: Context): Step {
    const step = this.inner.op(this.selection.narrow(context))
    if (step === null) return null
    const next = this.#with(step.next)
    return step.type === 'op' ? emit(step.op, next) : pending(next, step.wakeAt, step.starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.selection.owns(event.thread) ? this.#with(this.inner.update(this.selection.narrow(context), event)) : this
  }
  #with(inner: Generator): Generator {
    return inner === this.inner ? this : inner === nothing ? nothing : new OnThreads(inner, this.selection)
  }
}

/**
 * Confined to the threads for which the predicate holds.
 *
 *     onThreads(thread => thread === 0 || thread === 1, writes)
 */
export function onThreads(owns: (thread: Thread) => boolean, source: GeneratorSource): Generator {
  const inner = lift(source)
  return inner === nothing ? nothing : new OnThreads(inner, new Selection(owns))
}

const isClient = (thread: Thread): boolean => thread !== 'nemesis'
const isNemesis = (thread: Thread): boolean => thread === 'nemesis'

/**
 * Confined to the client threads; the optional second generator drives the nemesis.
 *
 *     clients(workload, cycle([sleep(5000), { f: 'start' }, sleep(5000), { f: 'stop' }]))
 */
export function clients(source: GeneratorSource, forNemesis?: GeneratorSource): Generator {
  const confined = onThreads(isClient, source)
  return forNemesis === undefined ? confined : any(confined, nemesis(forNemesis))
}

/**
 * Confined to the nemesis; the optional second generator drives the clients.
 *
 *     nemesis(faults, workload)
 */
export function nemesis(source: GeneratorSource, forClients?: GeneratorSource): Generator {
  const confined = onThreads(isNemesis, source)
  return forClients === undefined ? confined : any(confined, clients(forClients))
}

/** A context's threads, divided into groups by their position. */
interface Division {
  readonly from: readonly Thread[]
  readonly groups: readonly (readonly Thread[])[]
  readonly groupOf: ReadonlyMap<Thread, number>
}

/** How threads are divided and what each group begins with. Remembers the division, as `Selection` does. */
export class Layout {
  readonly #groupAt: (position: number, count: number) => number
  readonly #begin: (group: number, groups: number) => Generator
  #division: Division | undefined
  constructor(groupAt: (position: number, count: number) => number, begin: (group: number, groups: number) => Generator) {
    this.#groupAt = groupAt
    this.#begin = begin
  }
  begin(context: Context): readonly Generator[] {
    const { groups } = this.divide(context)
    return groups.map((threads, group) => (threads.length === 0 ? nothing : this.#begin(group, groups.length)))
  }
  divide({ threads }: Context): Division {
    if (this.#division?.from === threads) return this.#division
    const groups: Thread[][] = []
    const groupOf = new Map<Thread, number>()
    threads.forEach((thread, position) => {
      const group = this.#groupAt(position, threads.length)
      while (groups.length <= group) groups.push([])
      groups[group]!.push(thread)
      groupOf.set(thread, group)
    })
    this.#division = { from: threads, groups, groupOf }
    return this.#division
  }
}

/** A generator for each group of threads. They take turns where several have something to do. */
export class Grouped implements Generator {
  readonly layout: Layout
  /** By group; undefined before the first question. */
  readonly children: readonly Generator[] | undefined
  readonly turn: number
  constructor(layout: Layout, children: readonly Generator[] | undefined, turn: number) {
    this.layout = layout
    this.children = children
    this.turn = turn
  }
  op(context: Context): Step {
    const { groups, groupOf } = this.layout.divide(context)
    const free: Thread[][] = []
    for (const thread of context.free) (free[groupOf.get(thread)!] ??= []).push(thread)
    let children = this.children ?? this.layout.begin(context)
    let wakeAt = Infinity
    let starved = false
    for (let k = 0; k < children.length; k++) {
      const i = (this.turn + k) % children.length
      if (children[i] === nothing) continue
      if (free[i] === undefined) {
        starved = true
        continue
      }
      const step = children[i]!.op({ time: context.time, random: context.random, threads: groups[i]!, free: free[i] })
      children = children.with(i, step === null ? nothing : step.next)
      if (step === null) continue
      if (step.type === 'op') return emit(step.op, this.#with(children, i + 1))
      wakeAt = Math.min(wakeAt, step.wakeAt)
      starved ||= step.starved
    }
    const next = this.#with(children, this.turn)
    return next === nothing ? null : pending(next, wakeAt, starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const { groups, groupOf } = this.layout.divide(context)
    const group = groupOf.get(event.thread)
    const child = group === undefined ? undefined : this.children?.[group]
    if (child === undefined) return this
    const threads = groups[group!]!
    const next = child.update(new Narrowed(context, threads, thread => threads.includes(thread)), event)
    return next === child ? this : this.#with(this.children!.with(group!, next), this.turn)
  }
  #with(children: readonly Generator[], turn: number): Generator {
    return children.every(child => child === nothing) ? nothing : new Grouped(this.layout, children, turn % children.length)
  }
}

/**
 * Divides the threads: the first `count` threads for the first generator, and so on; those that are left for `rest`.
 *
 *     clients(reserve([[5, writes], [5, compareAndSets]], reads))
 */
export function reserve(shares: readonly (readonly [count: number, source: GeneratorSource])[], rest: GeneratorSource): Generator {
  const bounds = shares.map((_, i) => shares.slice(0, i + 1).reduce((sum, [count]) => sum + count, 0))
  const sources = [...shares.map(([, source]) => source), rest].map(lift)
  const groupAt = (position: number): number => {
    const group = bounds.findIndex(bound => position < bound)
    return group === -1 ? bounds.length : group
  }
  return new Grouped(new Layout(groupAt, group => sources[group]!), undefined, 0)
}

/**
 * A copy of the generator for each thread. Ends when all copies have ended.
 *
 *     clients(eachThread([{ f: 'write', value: 1 }, { f: 'read' }]))
 */
export function eachThread(source: GeneratorSource): Generator {
  const original = lift(source)
  return original === nothing ? nothing : new Grouped(new Layout(position => position, () => original), undefined, 0)
}
