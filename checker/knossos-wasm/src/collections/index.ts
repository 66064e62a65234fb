/**
 * The algorithms for collections and counters: which one decides which model.
 */
import { placedOperations } from '../problem.ts'
import { checkCounter } from './counter.ts'
import { checkGrowOnlySet } from './grow-only-set.ts'
import { checkPriorityQueue } from './priority-queue.ts'
import { checkQueue } from './queue.ts'
import { checkSet } from './set.ts'
import { checkStack } from './stack.ts'
import type { History } from '../history.ts'
import type { Model } from '../model.ts'
import type { KeyRows } from '../order.ts'
import type { Part, Placed } from '../problem.ts'
import type { CollectionResult } from './elements.ts'

type Algorithm = (operations: readonly Placed[], model: Model, events: number) => CollectionResult | undefined

const algorithms: Readonly<Record<string, Algorithm>> = {
  'fifo-queue': (operations, model) => checkQueue(operations, model, true),
  'unordered-queue': (operations, model) => checkQueue(operations, model, false),
  'priority-queue': checkPriorityQueue,
  stack: checkStack,
  'grow-only-set': checkGrowOnlySet,
  set: checkSet,
  counter: (operations, { init }) => checkCounter(operations, init as number),
}

/** Decides (a part of) the operations of one key; undefined: the general engine must. */
export function checkCollection(history: History, key: KeyRows, rank: Int32Array | null, model: Model, part: Part = {}): CollectionResult | undefined {
  const algorithm = algorithms[model.name]
  return algorithm?.(placedOperations(history, key, rank, model, part), model, rank === null ? history.length : key.events)
}
