/**
 * The private network of one cluster in namespaces: a hub with a bridge, and for every node a namespace of its own whose
 * only way out is a cable to that bridge. Every run has a whole network to itself, so all of them use the same addresses.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { NodeAddresses } from '../../system.ts'
import type { Place } from '../docker/filter.ts'

/** From the range that RFC 2544 sets aside for tests of networks. */
const SUBNET = '198.18.0'
/** The warden's own address on the bridge. */
export const HUB = `${SUBNET}.1`
const FIRST_HOST = 11
/** Ports are the same on every node: each has a machine's worth of them. */
const ports = { client: 7_001, peer: 7_002, admin: 7_003 } as const

/** Nodes that fit into the network. */
export const NODES_MAX = 200

/** Where the `index`-th node is. */
export function placeOf(id: NodeId, index: number): Place {
  return { id, address: `${SUBNET}.${FIRST_HOST + index}`, ports, engine: 0, outside: undefined }
}

/** `host:port` of one of a node's ports. */
export function addressOf({ address }: Place, port: keyof typeof ports): string {
  return `${address}:${ports[port]}`
}

/** Where a node listens. */
export function listenAddresses(place: Place): NodeAddresses['listen'] {
  return { client: addressOf(place, 'client'), peer: addressOf(place, 'peer'), admin: addressOf(place, 'admin') }
}

/** Where nodes reach each other. */
export function sharedAddresses(places: Iterable<Place>): NonNullable<NodeAddresses['shared']> {
  return Object.fromEntries([...places].map((place) => [place.id, listenAddresses(place)]))
}

/** The name of a node's namespace: node ids may contain anything. */
export function namespaceOf(index: number): string {
  return `node${index}`
}

/** Sets the network up, for `sh -e`. `/run` is covered by a file system of our own: names of namespaces live there. */
export function setupScript(count: number): string {
  const cables = Array.from({ length: count }, (_, index) => {
    const namespace = namespaceOf(index)
    const place = placeOf('', index)
    return [
      `ip netns add ${namespace}`,
      `ip link add v${index} type veth peer name eth0 netns ${namespace}`,
      `ip link set v${index} master hub up`,
      `ip -n ${namespace} addr add ${place.address}/24 dev eth0`,
      `ip -n ${namespace} link set eth0 up`,
      `ip -n ${namespace} link set lo up`,
    ]
  })
  return ['mount -t tmpfs none /run', 'ip link set lo up', 'ip link add hub type bridge', `ip addr add ${HUB}/24 dev hub`, 'ip link set hub up', ...cables.flat(), ''].join('\n')
}
