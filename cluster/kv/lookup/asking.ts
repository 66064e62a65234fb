/**
 * How a lookup asks one other node: a hop of a route gets much less time than a whole operation, because there is
 * another way around a node that is silent.
 */
import { withDeadline } from '../../../harness/clock.ts'
import type { Clock, NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import type { Kind } from '../messages.ts'
import type { Rpc } from '../rpc.ts'

/** What of the Rpc a lookup needs: little, so that ten thousand nodes can be simulated without the rest of the store. */
export type Conversation = Pick<Rpc, 'serve' | 'gather'>

/** Asks one node. Resolves to undefined when it does not answer within `deadlineMs`. */
export async function askOne<Request, Reply>(rpc: Conversation, clock: Clock, deadlineMs: number, kind: Kind<Request, Reply>, node: NodeId, request: Request): Promise<Reply | undefined> {
  const answer = rpc.gather(kind, { to: [node], request, need: 1 }).then(({ replies }) => replies[0])
  return withDeadline(clock, deadlineMs, answer, () => undefined)
}

/** Asks one node with the patience of a whole operation. Resolves to undefined when it does not answer. */
export async function askPatiently<Request, Reply>(rpc: Conversation, kind: Kind<Request, Reply>, node: NodeId, request: Request): Promise<Reply | undefined> {
  return (await rpc.gather(kind, { to: [node], request, need: 1 })).replies[0]
}

/** What a node that has left says to everyone. */
export function hasLeft(self: NodeId): StoreError {
  return new StoreError('UNAVAILABLE', `definite: ${self} has left`)
}
