/**
 * Sets, counters, queues, stacks, lists. A take from an empty collection returns null; a crashed take may have
 * taken whatever it could have taken.
 */
import { canonical, same } from '../values.ts'
import { ANYTHING } from '../model.ts'
import type { Json } from '../values.ts'
import type { Model, ModelOperation } from '../model.ts'

type List = readonly Json[]

const fails = (operation: ModelOperation): boolean => operation.outcome === 'fail'
const sorted = (list: List): Json[] => [...list].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))
/** A sorted list with one more element. */
function inserted(list: List, value: Json): Json[] {
  const text = canonical(value)
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (canonical(list[middle]!) <= text) low = middle + 1
    else high = middle
  }
  return [...list.slice(0, low), value, ...list.slice(low)]
}
const has = (list: List, value: Json): boolean => list.some((other) => same(other, value))

/** `add`, `remove` (their results, if boolean, say whether they changed anything), `contains`, and `read` of all elements. */
export const set = (): Model => setModel('set', ['add', 'remove', 'contains', 'read'])

/** A set that only grows: `add` and `read`. */
export const growOnlySet = (): Model => setModel('grow-only-set', ['add', 'contains', 'read'])

function setModel(name: string, functions: readonly string[]): Model {
  return {
    name,
    init: [],
    functions,
    step(state, { f, input, output }) {
      const elements = state as List
      const present = has(elements, f === 'read' ? null : input)
      switch (f) {
        case 'read': return Array.isArray(output) && same(sorted(output), elements) ? [state] : []
        case 'contains': return output === present ? [state] : []
        case 'add':
          if (typeof output === 'boolean' && output === present) return []
          return [present ? state : inserted(elements, input)]
        default:
          if (typeof output === 'boolean' && output !== present) return []
          return [present ? elements.filter((other) => !same(other, input)) : state]
      }
    },
    traits: (operation) => ({
      ignored: fails(operation),
      pure: operation.f === 'read' || operation.f === 'contains',
      total: (operation.f === 'add' || operation.f === 'remove') && typeof operation.output !== 'boolean',
    }),
  }
}

/** `add` of an integer and `read` of the sum. */
export const counter = ({ initial = 0 }: { readonly initial?: number } = {}): Model => ({
  name: 'counter',
  init: initial,
  functions: ['add', 'read'],
  step(state, { f, input, output }) {
    if (f === 'add') return [state === ANYTHING ? state : (state as number) + (input as number)]
    return state === output ? [state] : state === ANYTHING ? [output!] : []
  },
  anything: () => ANYTHING,
  traits: (operation) => ({ ignored: fails(operation), pure: operation.f === 'read', total: operation.f === 'add' }),
})

/** `add` of an integer, which returns the sum before; `read`. */
export const fetchAndAdd = ({ initial = 0 }: { readonly initial?: number } = {}): Model => ({
  name: 'fetch-and-add',
  init: initial,
  functions: ['add', 'read'],
  step(state, { f, input, output }) {
    const before = state === ANYTHING && output !== undefined ? output : state
    if (before === ANYTHING) return [state]
    if (output !== undefined && output !== before) return []
    return [f === 'add' ? (before as number) + (input as number) : before]
  },
  anything: () => ANYTHING,
  traits: (operation) => ({ ignored: fails(operation), pure: operation.f === 'read' }),
})

/** `add` puts an element where it belongs (default: at the end); `take` names the elements that may be taken from a state (by index); none from an empty one. */
function container(name: string, put: string, get: string, take: (list: List) => readonly number[], add: (list: List, value: Json) => List = (list, value) => [...list, value]): Model {
  return {
    name,
    init: [],
    functions: [put, get],
    step(state, { f, input, output }) {
      const list = state as List
      if (f === put) return [add(list, input)]
      if (list.length === 0) return output === undefined || output === null ? [state] : []
      return take(list)
        .filter((index) => output === undefined || same(list[index]!, output))
        .map((index) => list.filter((_, i) => i !== index))
    },
    traits: (operation) => ({ ignored: fails(operation), pure: operation.f === get && operation.output === null }),
    about: ({ f, input, output }) => (f === put ? [input] : output === undefined || output === null ? [] : [output]),
  }
}

/** `enqueue`, `dequeue`: first in, first out. */
export const fifoQueue = (): Model => container('fifo-queue', 'enqueue', 'dequeue', () => [0])

/** `enqueue`, `dequeue` of any element that is in it. */
export const unorderedQueue = (): Model => container('unordered-queue', 'enqueue', 'dequeue', (list) => list.map((_, index) => index), inserted)

/** `push`, `pop`: last in, first out. */
export const stack = (): Model => container('stack', 'push', 'pop', (list) => [list.length - 1])

/** `insert`, `poll` of the smallest number. */
export const priorityQueue = (): Model =>
  container('priority-queue', 'insert', 'poll', () => [0], (list, value) => [...list, value].sort((a, b) => (a as number) - (b as number)))

/** `append`, and `read` of the whole list. */
export const appendList = (): Model => ({
  name: 'append-list',
  init: [],
  functions: ['append', 'read'],
  step: (state, { f, input, output }) => (f === 'append' ? [[...(state as List), input]] : same(state, output ?? null) ? [state] : []),
  traits: (operation) => ({ ignored: fails(operation), pure: operation.f === 'read', total: operation.f === 'append' }),
  reaches: (state, { output }) => Array.isArray(output) && (state as List).every((element, i) => i < output.length && same(element, output[i] as Json)),
})
