/**
 * Operations on keys that another node carries out, once: the leader of a key, a primary.
 */
import type { NodeId } from '../../../harness/env.ts'
import { Calls } from '../calls.ts'
import { bytesOrNull, flag, list, text } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import type { Change, Outcome } from './change.ts'
import { changeCodec } from './change.ts'

/** What forwarding works with. */
export interface ForwardingOptions {
  readonly rpc: Rpc
  readonly incarnation: number
  /** Names this life of this node. */
  readonly writer: string
  /** Carries an operation out here. Rejects with StoreErrors. */
  readonly carryOut: (key: string, change: Change) => Promise<Outcome>
}

/** Sends operations to other nodes, and carries out theirs: `ask(to, [key, change])`. */
export function forwarding(options: ForwardingOptions): { ask(to: NodeId, request: readonly [key: string, change: Change]): Promise<Outcome> } {
  return new Calls<readonly [key: string, change: Change], Outcome>({
    ...options,
    code: 32,
    request: {
      encode: ([key, change]) => [key, changeCodec.encode(change)],
      decode: input => {
        const [key, change] = list(input, 2)
        return [text(key), changeCodec.decode(change)] as const
      },
    },
    reply: {
      encode: ({ matched, value }) => [matched, value],
      decode: input => {
        const [matched, value] = list(input, 2)
        return { matched: flag(matched), value: bytesOrNull(value) }
      },
    },
    carryOut: ([key, change]) => options.carryOut(key, change),
    repeatable: ([, { type }]) => type === 'read' || type === 'settle',
  })
}
