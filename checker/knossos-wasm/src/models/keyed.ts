/**
 * Maps: a key-value store of strings (Porcupine's kv model) and transactions over several registers (Knossos's
 * multi-register).
 */
import { canonical, same } from '../values.ts'
import type { Json } from '../values.ts'
import type { Model, ModelOperation } from '../model.ts'

/** `get`, `put`, `append` and `delete` of a string; keys are independent, and absent ones hold the initial value. */
export function kv({ initial = '' }: { readonly initial?: string | null } = {}): Model {
  return kvModel(initial, (text) => text)
}

/** `merge` maps states that no read can tell apart any more to one. */
function kvModel(initial: string | null, merge: (text: Json) => Json): Model {
  return {
    name: 'kv',
    init: initial,
    functions: ['get', 'put', 'append', 'delete'],
    step(state, { f, input, output }) {
      switch (f) {
        case 'get': return state !== UNSEEN && same(state, output ?? null) ? [state] : []
        case 'put': return [merge(input)]
        case 'append': return [state === UNSEEN ? UNSEEN : merge(textOf(state) + textOf(input))]
        default: return [initial]
      }
    },
    traits: ({ f, outcome }) => ({
      ignored: outcome === 'fail',
      ...(f === 'get' ? { pure: true } : f === 'append' ? { total: true } : { constant: true }),
    }),
    reaches: (state, { output }) => state !== UNSEEN && (same(state, output ?? null) || (typeof output === 'string' && output.startsWith(textOf(state)))),
    specialized: (operations) => kvModel(initial, seenOnly(operations.filter(({ f }) => f === 'get').map(({ output }) => output ?? null))),
  }
}

/** A text as it stands, nothing as the empty one, anything else as JSON. */
function textOf(value: Json): string {
  return typeof value === 'string' ? value : value === null ? '' : canonical(value)
}

/** Every text that no read begins with: it can only be overwritten. */
const UNSEEN: Json = { unseen: true }

function seenOnly(outputs: readonly Json[]): (text: Json) => Json {
  const texts = outputs.filter((text) => typeof text === 'string').sort()
  return (text) => {
    if (typeof text !== 'string') return text
    let low = 0
    let high = texts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (texts[middle]! < text) low = middle + 1
      else high = middle
    }
    return low < texts.length && texts[low]!.startsWith(text) ? text : UNSEEN
  }
}

type MicroOperation = readonly [string, Json, Json]
/** By key, what stands there; undefined in a state that stands for many (`anything`), where nobody knows. */
type Registers = { readonly [key: string]: Json | undefined }

const isRead = (micro: MicroOperation): boolean => micro[0] === 'read' || micro[0] === 'r'
const standing = (registers: Registers, key: string): Json | undefined => (Object.hasOwn(registers, key) ? registers[key] : null)

function put(registers: { [key: string]: Json | undefined }, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(registers, key, { value, enumerable: true, configurable: true, writable: true })
  else registers[key] = value
}

/**
 * `txn` of a list of `["read", key, null]` and `["write", key, value]`, all at one instant; reads come back filled in.
 * A read of null is not known to have seen anything, as in Knossos.
 */
export function multiRegister({ initial = {} }: { readonly initial?: { readonly [key: string]: Json } } = {}): Model {
  return {
    name: 'multi-register',
    init: initial,
    functions: ['txn'],
    partitioned: false,
    step(state, { input, output }) {
      let next = state as { [key: string]: Json | undefined }
      const micros = output ?? input
      if (!Array.isArray(micros)) return []
      for (const micro of micros as unknown as readonly MicroOperation[]) {
        if (!Array.isArray(micro)) return []
        const key = textOf(micro[1])
        const value = micro[2] ?? null
        if (isRead(micro)) {
          if (value === null || output === undefined) continue
          const stands = standing(next, key)
          if (stands !== undefined && !same(stands, value)) return []
          if (stands !== undefined) continue
        }
        if (next === state) next = { ...next }
        put(next, key, value)
      }
      return [next as Json]
    },
    traits: ({ input, outcome }) => ({
      ignored: outcome === 'fail',
      pure: (input as unknown as readonly MicroOperation[]).every(isRead),
    }),
    anything: (state) => Object.fromEntries(Object.keys(state as Registers).map((key) => [key, undefined])) as Registers as Json,
    attainable(state, { input, output }, others) {
      const micros = output ?? input
      return output === undefined || (Array.isArray(micros) && (micros as unknown as readonly MicroOperation[]).every((micro) => isServed(micro, state as Registers, others)))
    },
  }
}

/** Whether a micro-operation is no read, or of what stands in its register, or of what others write there. */
function isServed(micro: MicroOperation, registers: Registers, others: readonly ModelOperation[]): boolean {
  if (!Array.isArray(micro)) return false
  if (!isRead(micro) || micro[2] === null || same(standing(registers, textOf(micro[1])) ?? null, micro[2])) return true
  return others.some(({ input, output }) => writes(output ?? input, micro))
}

function writes(micros: Json, [, key, value]: MicroOperation): boolean {
  return Array.isArray(micros) && (micros as unknown as readonly MicroOperation[]).some((micro) => Array.isArray(micro) && !isRead(micro) && textOf(micro[1]) === textOf(key) && same(micro[2], value))
}
