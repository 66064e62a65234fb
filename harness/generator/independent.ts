/**
 * Independent keys: the same small test on many keys, because checking many short histories is cheap where checking a
 * long one is not. After jepsen.independent, with the key in the operation's `key` instead of in a pair.
 */
import type { Json } from '../../checker/history/index.ts'
import { lift, nothing, type GeneratorSource } from './basic.ts'
import { emit, pending, type Context, type Generator, type GeneratorEvent, type Step } from './generator.ts'
import { Grouped, Layout } from './threads.ts'

/** Keys in order: a list, or a function of the index that returns undefined when there are no more. */
export type Keys = readonly Json[] | ((index: number) => Json | undefined)

function keyAt(keys: Keys, index: number): Json | undefined {
  return typeof keys === 'function' ? keys(index) : keys[index]
}

/** Gives the key to every operation, and passes on events of that key alone. */
class Keyed implements Generator {
  readonly key: Json
  readonly inner: Generator
  constructor(key: Json, inner: Generator) {
    this.key = key
    this.inner = inner
  }
  op(context: Context): Step {
    const step = this.inner.op(context)
    if (step === null) return null
    const next = this.#with(step.next)
    return step.type === 'op' ? emit({ ...step.op, key: this.key }, next) : pending(next, step.wakeAt, step.starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return event.key === this.key ? this.#with(this.inner.update(context, event)) : this
  }
  #with(inner: Generator): Generator {
    return inner === this.inner ? this : inner === nothing ? nothing : new Keyed(this.key, inner)
  }
}

/** Which keys, and what to do with each. */
interface KeyPlan {
  readonly keys: Keys
  readonly perKey: (key: Json) => GeneratorSource
  /** The distance from one key to the next. */
  readonly stride: number
}

/** Works on one key after the other: `current` first, then the keys from `index` on. */
class KeyByKey implements Generator {
  readonly plan: KeyPlan
  readonly current: Generator
  readonly index: number
  constructor(plan: KeyPlan, current: Generator, index: number) {
    this.plan = plan
    this.current = current
    this.index = index
  }
  op(context: Context): Step {
    const step = this.current.op(context)
    if (step === null) {
      const rest = keyByKey(this.plan, nothing, this.index)
      return rest === nothing ? null : rest.op(context)
    }
    const next = keyByKey(this.plan, step.next, this.index)
    return step.type === 'op' ? emit(step.op, next) : pending(next, step.wakeAt, step.starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const current = this.current.update(context, event)
    return current === this.current ? this : keyByKey(this.plan, current, this.index)
  }
}

function keyByKey(plan: KeyPlan, current: Generator, index: number): Generator {
  let next = index
  while (current === nothing) {
    const key = keyAt(plan.keys, next)
    if (key === undefined) return nothing
    const inner = lift(plan.perKey(key))
    current = inner === nothing ? nothing : new Keyed(key, inner)
    next += plan.stride
  }
  return new KeyByKey(plan, current, next)
}

/**
 * One key after the other, each by all threads.
 *
 *     sequentialKeys(['a', 'b'], () => limit(100, mix(reads, writes)))
 */
export function sequentialKeys(keys: Keys, perKey: (key: Json) => GeneratorSource): Generator {
  return keyByKey({ keys, perKey, stride: 1 }, nothing, 0)
}

/**
 * Several keys at once: every `threadsPerKey` threads form a group, and each group works on one key after the other.
 * Of G groups, group g takes the keys g, g + G, g + 2G, ... The number of threads must be a multiple of `threadsPerKey`.
 *
 *     clients(concurrentKeys(2, index => `k${index}`, () => limit(100, mix(reads, writes))))
 */
export function concurrentKeys(threadsPerKey: number, keys: Keys, perKey: (key: Json) => GeneratorSource): Generator {
  const groupAt = (position: number, count: number): number => {
    if (count % threadsPerKey !== 0) throw new Error(`${count} threads cannot form groups of ${threadsPerKey}; use a multiple of ${threadsPerKey} threads`)
    return Math.floor(position / threadsPerKey)
  }
  return new Grouped(new Layout(groupAt, (group, groups) => keyByKey({ keys, perKey, stride: groups }, nothing, group)), undefined, 0)
}
