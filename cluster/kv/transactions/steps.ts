/**
 * The steps of a transaction, one key each, and what a participant makes of them: what was read, and what is to be
 * written if the transaction commits.
 */
import { MalformedMessage, bytesOrNull, list, text } from '../messages.ts'
import type { Codec } from '../messages.ts'

/** One step. A list is kept as the JSON array of its elements, so that GET shows it; `element` is JSON. */
export type Step =
  | { readonly type: 'read'; readonly key: string }
  | { readonly type: 'write'; readonly key: string; readonly value: Uint8Array | null }
  | { readonly type: 'append'; readonly key: string; readonly element: Uint8Array }
  | { readonly type: 'cas'; readonly key: string; readonly expected: Uint8Array | null; readonly value: Uint8Array | null }

/** What a step found under its key before it wrote; of an append, what it left. */
export type StepResult = Uint8Array | null

/** Steps on the wire. */
export const stepCodec: Codec<Step> = {
  encode: step => {
    switch (step.type) {
      case 'read':
        return [0, step.key]
      case 'write':
        return [1, step.key, step.value]
      case 'append':
        return [2, step.key, step.element]
      case 'cas':
        return [3, step.key, step.expected, step.value]
    }
  },
  decode: input => {
    const [type, name, first, second] = list(input)
    const key = text(name)
    if (type === 0) return { type: 'read', key }
    if (type === 1) return { type: 'write', key, value: bytesOrNull(first) }
    if (type === 2 && first instanceof Uint8Array) return { type: 'append', key, element: first }
    if (type === 3) return { type: 'cas', key, expected: bytesOrNull(first), value: bytesOrNull(second) }
    throw new MalformedMessage('a step of a transaction')
  },
}

/** Results on the wire. */
export const resultsCodec: Codec<readonly StepResult[]> = { encode: results => results, decode: input => list(input).map(bytesOrNull) }

/** Why steps cannot be carried out on what is there. */
export class StepRefused extends Error {
  readonly code: 'MISMATCH' | 'WRONGTYPE'
  constructor(code: 'MISMATCH' | 'WRONGTYPE', message: string) {
    super(message)
    this.name = 'StepRefused'
    this.code = code
  }
}

/** Carries steps out one after the other on the values that are there. Throws StepRefused. */
export function carryOutSteps(steps: readonly Step[], current: ReadonlyMap<string, Uint8Array | null>): { readonly results: readonly StepResult[]; readonly writes: ReadonlyMap<string, Uint8Array | null> } {
  const writes = new Map<string, Uint8Array | null>()
  const results = steps.map(step => {
    const value = writes.has(step.key) ? writes.get(step.key)! : (current.get(step.key) ?? null)
    switch (step.type) {
      case 'read':
        return value
      case 'write':
        writes.set(step.key, step.value)
        return value
      case 'append': {
        const appended = append(step.key, value, step.element)
        writes.set(step.key, appended)
        return appended
      }
      case 'cas':
        if (value === null || step.expected === null ? value !== step.expected : Buffer.compare(value, step.expected) !== 0) throw new StepRefused('MISMATCH', `"${step.key}" holds another value`)
        writes.set(step.key, step.value)
        return value
    }
  })
  return { results, writes }
}

const OPEN = '['.charCodeAt(0)

function append(key: string, value: Uint8Array | null, element: Uint8Array): Uint8Array {
  if (value === null) return Buffer.concat([Buffer.from('['), element, Buffer.from(']')])
  if (value[0] !== OPEN) throw new StepRefused('WRONGTYPE', `"${key}" holds no list`)
  return Buffer.concat([value.subarray(0, value.length - 1), Buffer.from(','), element, Buffer.from(']')])
}
