/**
 * How long messages between nodes take each way, from exchanges of clock readings while clients work: what the model
 * of probabilistically bounded staleness is fed with (`checker/pbs.ts`).
 *
 * One reading of the peer's clock parts a round trip in two, once it is known how far the two clocks are apart: they
 * begin anywhere. That is learnt from our own clock, which each node's is compared with at its quickest question: what
 * that took is about the same for all nodes, and faults between nodes do not touch it. NTP's way, to take the
 * fastest message there for as fast as the fastest one back, fails when a fault begins or ends while an exchange is under
 * way: that one is quick in one direction only. No message arrives before it was sent: that bounds the difference, and is
 * all that is needed where messages are quick. Exchanges that were lost do not count.
 */
import type { Json } from '../checker/history/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Exchange, System } from '../cluster/system.ts'
import { sleep } from './clock.ts'

const INTERVAL_MS = 50
const EXCHANGE_DEADLINE_MS = 1_000
/** So many of the ascending delays are kept, evenly spaced among all. */
const KEPT_MAX = 400

/** Asks all nodes again and again for `forMs`, as long as clients work, or until `signal` says stop; resolves to what the history is to know, or undefined where nothing was measured. */
export async function watchDelays(cluster: Cluster, system: System, forMs: number, signal: AbortSignal): Promise<Json | undefined> {
  if (!system.delays) return undefined
  const { exchange, quorums } = system.delays
  /** By node, by peer. Nodes may join while we ask. */
  const links = new Map<string, Map<string, Exchange[]>>()
  /** By node: the least that its clock was ahead of ours when it was asked. */
  const ahead = new Map<string, number>()
  const ask = async (node: string): Promise<void> => {
    const sent = cluster.clock.now()
    for (const one of await exchange(cluster, node, EXCHANGE_DEADLINE_MS).catch(() => [])) {
      ahead.set(node, Math.min(ahead.get(node) ?? Infinity, one.asked - sent))
      const peers = links.get(node) ?? new Map<string, Exchange[]>()
      links.set(node, peers)
      const known = peers.get(one.peer) ?? []
      peers.set(one.peer, known)
      known.push(one)
    }
  }
  const end = cluster.clock.now() + forMs * 1e6
  // A slow exchange must not keep the next one from beginning, or slow moments would be measured less often.
  const asked: Promise<void>[] = []
  while (!signal.aborted && cluster.clock.now() < end) {
    for (const { id } of cluster.nodes) asked.push(ask(id))
    await sleep(cluster.clock, INTERVAL_MS, signal).catch(() => undefined)
  }
  await Promise.all(asked)
  const ways = [...links].flatMap(([node, peers]) => [...peers].map(([peer, exchanges]) => oneWay(exchanges, (ahead.get(peer) ?? NaN) - ahead.get(node)!)))
  if (ways.length === 0) return undefined
  const nodes = cluster.nodes.length
  return { nodes, ...quorums(nodes), there_ms: kept(ways.flatMap(({ there }) => there)), back_ms: kept(ways.flatMap(({ back }) => back)) }
}

/** Delays of one pair of nodes in nanoseconds. `apart`: by how much the peer's clock is ahead, as far as we could see; NaN where the peer never answered us. */
export function oneWay(exchanges: readonly Exchange[], apart: number): { readonly there: number[]; readonly back: number[] } {
  const there = exchanges.map(({ asked, said }) => said - asked)
  const back = exchanges.map(({ said, returned }) => returned - said)
  const [most, fewest] = [least(there), -least(back)]
  const ahead = Number.isNaN(apart) ? (most + fewest) / 2 : Math.min(most, Math.max(fewest, apart))
  return { there: there.map((one) => one - ahead), back: back.map((one) => one + ahead) }
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Infinity)
}

/** In milliseconds, to the microsecond. */
function kept(delays: number[]): number[] {
  const ascending = delays.sort((a, b) => a - b)
  const size = Math.min(KEPT_MAX, ascending.length)
  return Array.from({ length: size }, (_, at) => Math.round(ascending[Math.floor(((at + 0.5) / size) * ascending.length)]! / 1e3) / 1e3)
}
