/**
 * One operation on one key as whoever orders the operations of that key carries it out: a function from the value that
 * is there to the value that shall be there (the "change function" of CASPaxos).
 */
import { MalformedMessage, bytesOrNull, list } from '../messages.ts'
import type { Codec } from '../messages.ts'

/** What is to be done. An `expected` of null stands for a key without a value. */
export type Change =
  | { readonly type: 'read' }
  /** Stores what is there once more, also where that is nothing, so that replicas that differ become equal. */
  | { readonly type: 'settle' }
  | { readonly type: 'write'; readonly value: Uint8Array | null }
  | { readonly type: 'cas'; readonly expected: Uint8Array | null; readonly value: Uint8Array | null }

/** What came of it. */
export interface Outcome {
  /** Of a write: whether the key had a value before. Of a compare-and-set: whether the value was as expected. */
  readonly matched: boolean
  /** Of a read: the value. */
  readonly value: Uint8Array | null
}

/** Whether two values are the same, byte for byte. */
function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b
  return Buffer.compare(a, b) === 0
}

/** Carries a change out on the value that is there. `next` undefined: nothing is to be stored. */
export function carryOut(change: Change, current: Uint8Array | null): { readonly next: Uint8Array | null | undefined; readonly outcome: Outcome } {
  switch (change.type) {
    case 'read':
      return { next: undefined, outcome: { matched: current !== null, value: current } }
    case 'settle':
      return { next: current, outcome: { matched: current !== null, value: null } }
    case 'write':
      return { next: change.value, outcome: { matched: current !== null, value: null } }
    case 'cas': {
      const matched = sameBytes(current, change.expected)
      return { next: matched ? change.value : undefined, outcome: { matched, value: null } }
    }
  }
}

/** Changes on the wire. */
export const changeCodec: Codec<Change> = {
  encode: change => {
    switch (change.type) {
      case 'read':
        return [0]
      case 'settle':
        return [3]
      case 'write':
        return [1, change.value]
      case 'cas':
        return [2, change.expected, change.value]
    }
  },
  decode: input => {
    const [type, first, second] = list(input)
    if (type === 0) return { type: 'read' }
    if (type === 1) return { type: 'write', value: bytesOrNull(first) }
    if (type === 2) return { type: 'cas', expected: bytesOrNull(first), value: bytesOrNull(second) }
    if (type === 3) return { type: 'settle' }
    throw new MalformedMessage('a read, a write or a compare-and-set')
  },
}
