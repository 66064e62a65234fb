/**
 * What a node starts from: the view on its disk; on an empty disk the first view of a new cluster, or, for one that
 * joins, the view that the members have admitted it in.
 */
import { sleep } from '../../../harness/clock.ts'
import type { Env } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Ledger } from '../ledger.ts'
import { STARTS_MAX, livesBefore } from '../lives.ts'
import { Rpc } from '../rpc.ts'
import { firstView } from './view.ts'
import type { View } from './view.ts'
import { ADMITTED, keepView, keptView } from './views.ts'

/** How often a node that joins asks for the view that it belongs to. */
const ASK_MS = 50
const NOT_ADMITTED = new Error('not admitted')

/** The view that this node starts in. Waits as long as nobody has admitted it. */
export async function viewToStartIn(env: Env, config: NodeConfig, ledger: Ledger): Promise<View> {
  const kept = keptView(ledger)
  if (kept !== undefined) return kept
  if (config.joining !== true || config.lookup !== 'ring') return firstView(config.nodes)
  const view = await admittedView(env, config)
  await keepView(ledger, view)
  return view
}

/** What this node's lives are counted from: beyond those that it had before it left and its disk was emptied. */
export function countedFrom({ clock }: Env, { id, joining, lookup }: NodeConfig, { members, next }: View): number {
  if (joining !== true) return 0
  // Without views only time tells one membership from another.
  return livesBefore(lookup === 'ring' ? ([...(next ?? []), ...members].find(member => member.id === id)?.since ?? 0) : Math.floor(clock.wall() / 1000))
}

/** Asks the members, before this node has a number of its own to speak under. */
async function admittedView(env: Env, { id, nodes, deadline_ms: deadlineMs, resend_ms: resendMs }: NodeConfig): Promise<View> {
  const { clock, network, log } = env
  const random = env.random.fork('joining')
  const rpc = new Rpc({ self: id, incarnation: livesBefore(random.int(2 ** 31)) + random.int(STARTS_MAX), clock, network, log, deadlineMs, resendMs })
  try {
    for (;;) {
      const answers = nodes.filter(node => node !== id).map(async node => (await rpc.gather(ADMITTED, { to: [node], request: id, need: 1 })).replies[0] ?? Promise.reject(NOT_ADMITTED))
      const view = await Promise.any(answers).catch(() => undefined)
      if (view !== undefined) return view
      await sleep(clock, ASK_MS)
    }
  } finally {
    rpc.close()
  }
}
