/**
 * The models that come with the package. Each is a function, because some take options.
 */
import { appendList, counter, fetchAndAdd, fifoQueue, growOnlySet, priorityQueue, set, stack, unorderedQueue } from './models/collections.ts'
import { kv, multiRegister } from './models/keyed.ts'
import { fencedLock, mutex, reentrantLock } from './models/locks.ts'
import { casRegister, register } from './models/register.ts'
import type { Model } from './model.ts'

export const models = {
  register, casRegister, multiRegister, kv, mutex, reentrantLock, fencedLock, set, growOnlySet, counter, fetchAndAdd,
  fifoQueue, unorderedQueue, stack, priorityQueue, appendList,
} as const

/** The model of that name ("cas-register"), with its default rules; undefined when there is none. */
export function modelNamed(name: string): Model | undefined {
  return Object.values(models).map((make) => make()).find((model) => model.name === name)
}
