/**
 * `DELAYS`: this node asks every peer at once for its clock, and tells for each that answered [when it asked, what the
 * peer's clock said, when the answer came], in nanoseconds. The messages go the way that requests of clients cause.
 */
import type { Clock, NodeId } from '../../harness/env.ts'
import type { Command } from './door.ts'
import { CLOCK } from './messages.ts'
import { arrayReply, bulkReply } from './resp.ts'
import type { Rpc } from './rpc.ts'

/** The command; peers are answered from now on. */
export function exchanges(rpc: Rpc, clock: Clock, self: NodeId, nodes: readonly NodeId[]): [string, Command] {
  const now = (): number => Math.round(clock.now())
  rpc.serve(CLOCK, now)
  const exchange = async (peer: NodeId): Promise<string[]> => {
    const asked = now()
    const { replies: [said] } = await rpc.gather(CLOCK, { to: [peer], request: null, need: 1 })
    return said === undefined ? [] : [arrayReply([bulkReply(peer), ...[asked, said, now()].map((time) => bulkReply(String(time)))])]
  }
  const run = async (): Promise<string> => arrayReply((await Promise.all(nodes.filter((node) => node !== self).map(exchange))).flat())
  return ['DELAYS', { words: [1, 1], keys: 'none', run }]
}
