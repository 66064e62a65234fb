/**
 * How long messages between nodes take each way, from exchanges of clock readings while clients work: what the model
 * of probabilistically bounded staleness is fed with (`checker/pbs.ts`).
 *
 * One reading of the peer's clock parts a round trip in two. Clocks that begin anywhere are brought together as in NTP:
 * per pair of nodes, the fastest message there is taken to have been as fast as the fastest one back. Exchanges that
 * were lost do not count.
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
  const links = new Map<string, Exchange[]>()
  const ask = async (node: string): Promise<void> => {
    for (const one of await exchange(cluster, node, EXCHANGE_DEADLINE_MS).catch(() => [])) {
      const link = links.get(`${node} ${one.peer}`) ?? []
      links.set(`${node} ${one.peer}`, link)
      link.push(one)
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
  const ways = [...links.values()].map(oneWay)
  if (ways.length === 0) return undefined
  const nodes = cluster.nodes.length
  return { nodes, ...quorums(nodes), there_ms: kept(ways.flatMap(({ there }) => there)), back_ms: kept(ways.flatMap(({ back }) => back)) }
}

/** Delays of one pair of nodes in nanoseconds. */
export function oneWay(exchanges: readonly Exchange[]): { readonly there: number[]; readonly back: number[] } {
  const there = exchanges.map(({ asked, said }) => said - asked)
  const back = exchanges.map(({ said, returned }) => returned - said)
  const ahead = (least(there) - least(back)) / 2
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
