/**
 * What stands around every message between nodes. Numbers that are nought are left out at the end: a cluster whose members
 * never changed sends three.
 */
import { MalformedMessage } from './messages.ts'

/**
 * One message: its kind, the request's id, what it says, the view of the members that it was sent in, if not the first,
 * and the membership of who asks, if that was not there from the beginning.
 */
export type WireMessage = readonly [code: number, id: number, payload: unknown, epoch?: number, membership?: number]

/** The message in its envelope. */
export function sealed(code: number, id: number, payload: unknown, epoch: number, membership: number): WireMessage {
  if (membership !== 0) return [code, id, payload, epoch, membership]
  return epoch === 0 ? [code, id, payload] : [code, id, payload, epoch]
}

/** Looks at an envelope that has arrived; the payload is for the decoder of its kind. Throws MalformedMessage. */
export function opened(item: unknown): readonly [code: number, id: number, payload: unknown, epoch: number, membership: number] {
  if (!Array.isArray(item) || typeof item[0] !== 'number' || typeof item[1] !== 'number') throw new MalformedMessage('[kind, id, payload]')
  const [code, id, payload, epoch = 0, membership = 0] = item as unknown as WireMessage
  if (!isCount(epoch)) throw new MalformedMessage('the number of a view')
  if (!isCount(membership)) throw new MalformedMessage('the number of a membership')
  return [code, id, payload, epoch, membership]
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0
}
