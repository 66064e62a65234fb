/**
 * RESP as a load generator speaks it: SET and GET, answers counted by their shape.
 */
import { encodeCommand } from '../resp.ts'
import type { Conversation } from './closed-loop.ts'

const PLUS = 43
const DOLLAR = 36
const MINUS = 45
const OK_BYTES = '+OK\r\n'.length

/** A client of the store, or of Redis. Keys have eight characters. */
export function respConversation(value: Uint8Array): Conversation {
  const hit = `$${value.length}\r\n`.length + value.length + 2
  let held: Buffer = Buffer.alloc(0)
  return {
    greeting: Buffer.alloc(0),
    request: ({ type, key }) => encodeCommand(type === 'read' ? ['GET', nameOf(key)] : ['SET', nameOf(key), value]),
    receive: (chunk, answered) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const wanted = held[0] === DOLLAR && held[1] !== MINUS ? hit : OK_BYTES
      if (held.length < wanted) return undefined
      const answer = held
      held = Buffer.alloc(0)
      answered(answer[0] === PLUS || (answer[0] === DOLLAR && answer.length === hit) ? undefined : answer.toString('latin1', 0, 80).trim())
      return undefined
    },
  }
}

/** The name of a key: eight characters. */
export function nameOf(key: number): string {
  return `k${String(key).padStart(7, '0')}`
}
