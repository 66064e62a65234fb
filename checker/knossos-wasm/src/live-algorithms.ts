/** The algorithms for histories that are being made: which one judges the keys of which model. */
import { LiveAny } from './live-any.ts'
import { LiveKv } from './live-kv.ts'
import { LiveList } from './live-list.ts'
import { LivePriorityQueue } from './live-priority-queue.ts'
import { LiveQueue } from './live-queue.ts'
import { LiveRegister } from './live-register.ts'
import { LiveSet } from './live-set.ts'
import { LiveStack } from './live-stack.ts'
import type { LiveAlgorithm } from './live-algorithm.ts'
import type { Model } from './model.ts'
import type { Values } from './values.ts'

const algorithms: Readonly<Record<string, (values: Values, model: Model) => LiveAlgorithm>> = {
  'priority-queue': (values, model) => new LivePriorityQueue(model, values),
  'fifo-queue': (values) => new LiveQueue(true, values),
  set: (values) => new LiveSet(values, false),
  'grow-only-set': (values) => new LiveSet(values, true),
  kv: (_, model) => new LiveKv(model),
  stack: (values) => new LiveStack(values),
  'append-list': (values) => new LiveList(values),
  'unordered-queue': (values) => new LiveQueue(false, values),
}

/** What judges a new key of this model in little time; undefined where only what takes any model does. */
export function specialOf(model: Model, values: Values): LiveAlgorithm | undefined {
  return model.register === undefined ? algorithms[model.name]?.(values, model) : new LiveRegister(model.register, values)
}

/** What judges a key of any model. */
export const generalOf = (model: Model): LiveAlgorithm => new LiveAny(model)
