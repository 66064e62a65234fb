/**
 * A private bridge network for one run on one engine.
 *
 * Ranges come from 198.18.0.0/15, which RFC 2544 sets aside for benchmarks: no office, cloud or VPN uses them.
 * Which /24 starts the search depends on the run's seed; a taken one is skipped.
 */
import { createServer } from 'node:net'
import type { Random } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { Engine } from './engine.ts'
import { engineMessage, explain } from './errors.ts'

/** /24 ranges in 198.18.0.0/15. */
const RANGES = 512

/** How many ranges are tried before giving up. */
const ATTEMPTS_MAX = 64

/** The first node's last byte; below it lies the gateway. */
const FIRST_HOST = 11

/** A run's network on one engine. */
export interface RunNetwork {
  readonly id: string
  readonly name: string
  /** "198.18.7" */
  readonly prefix: string
  readonly gateway: string
  /** This machine has the gateway's address: the nodes' own addresses can be reached directly. */
  readonly reachable: boolean
}

/** The address of the `index`th node of a network. */
export function nodeAddress(network: RunNetwork, index: number): string {
  return `${network.prefix}.${FIRST_HOST + index}`
}

/** The largest number of nodes that one network holds. */
export const NODES_MAX = 254 - FIRST_HOST

function rangePrefix(range: number): string {
  return `198.${18 + (range >> 8)}.${range & 255}`
}

/** Whether this machine has an address. Asked by using it: a bridge to which nothing is connected yet is on no list of running interfaces. */
function isLocalAddress(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, address, () => server.close(() => resolve(true)))
  })
}

/** Makes the run's network in the first range that is free. */
export async function createNetwork(
  engine: Engine,
  options: { readonly name: string; readonly labels: Record<string, string>; readonly random: Random },
): Promise<RunNetwork> {
  const { name, labels, random } = options
  const start = random.int(RANGES)
  const doing = `Making the network ${name}`
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const prefix = rangePrefix((start + attempt * 37) % RANGES)
    // An engine knows its own networks, but not those of another engine on the same machine.
    const gateway = `${prefix}.1`
    if (await isLocalAddress(gateway)) continue
    try {
      const network = await engine.docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: `${prefix}.0/24`, Gateway: gateway }] },
        Labels: labels,
      })
      return { id: network.id, name, prefix, gateway, reachable: await isLocalAddress(gateway) }
    } catch (error) {
      if (!isRangeTaken(error)) throw explain(error, doing)
    }
  }
  throw new ClusterError('subnet-clash', `${doing}: none of ${ATTEMPTS_MAX} address ranges in 198.18.0.0/15 was free. Remove networks that are no longer used (splitbrain clean, docker network prune) and run again.`)
}

/** Docker says "Pool overlaps with other one", Podman "subnet 198.18.1.0/24 is already used". */
function isRangeTaken(error: unknown): boolean {
  return /overlap|subnet\b.*\b(used|in use)/i.test(engineMessage(error))
}
