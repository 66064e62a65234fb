/**
 * The network of a cluster of processes: a proxy for every directed link between nodes, and one for clients that bring
 * their own sockets. Programs that must know each other by addresses which are the same for all get a proxy for each
 * port of each node instead, which finds out of every connection who opened it.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { NodeId, PortName, Random } from '../../../harness/env.ts'
import type { Link } from '../../cluster.ts'
import { ClusterError } from '../../cluster.ts'
import type { NodeAddresses } from '../../system.ts'
import { dialAddress } from '../real/socket-stream.ts'
import { LinkState } from './link-state.ts'
import { LinkProxy, type Way } from './proxy.ts'

const keyOf = ({ from, to }: Link): string => `${from}->${to}`

/** The ports that nodes may reach each other at. */
const PORTS = ['client', 'peer', 'admin'] as const
type Port = PortName | 'peer'

/** Link states and proxies of one cluster. */
export class ProxiedNetwork {
  readonly #nodes: readonly NodeId[]
  readonly #states = new Map<string, LinkState>()
  readonly #proxies = new Map<string, LinkProxy>()
  readonly #shared = new Map<string, LinkProxy>()
  readonly #target: (node: NodeId, port: Port) => string | undefined

  constructor(nodes: readonly NodeId[], random: Random, target: (node: NodeId, port: Port) => string | undefined) {
    this.#nodes = nodes
    this.#target = target
    for (const to of nodes) {
      for (const from of ['clients', ...nodes]) {
        if (from !== to) this.#states.set(keyOf({ from, to }), new LinkState(random.fork(keyOf({ from, to }))))
      }
    }
  }

  /** Makes every proxy listen. */
  async open(): Promise<void> {
    for (const [key, forth] of this.#states) {
      const [from, to] = key.split('->') as [NodeId, NodeId]
      this.#proxies.set(key, new LinkProxy({
        way: { forth, back: from === 'clients' ? undefined : this.#states.get(keyOf({ from: to, to: from })) },
        target: () => this.#target(to, from === 'clients' ? 'client' : 'peer'),
      }))
    }
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.listen()))
  }

  /** Makes every node's shared addresses listen. `sender` finds out which node opened a connection. */
  async openShared(sender: (socket: Socket) => Promise<NodeId | undefined>): Promise<void> {
    for (const to of this.#nodes) {
      const way = async (socket: Socket): Promise<Way | undefined> => {
        const from = await sender(socket)
        // A node's connections to itself touch no link; a stranger's lead nowhere.
        if (from === to) return { forth: undefined, back: undefined }
        return from === undefined ? undefined : { forth: this.state({ from, to }), back: this.state({ from: to, to: from }) }
      }
      for (const port of PORTS) this.#shared.set(`${to} ${port}`, new LinkProxy({ way, target: () => this.#target(to, port) }))
    }
    await Promise.all([...this.#shared.values()].map((proxy) => proxy.listen()))
  }

  /** Where nodes reach each other, whoever asks; undefined without `openShared`. */
  get sharedAddresses(): NodeAddresses['shared'] {
    if (this.#shared.size === 0) return undefined
    const address = (node: NodeId, port: Port): string => this.#shared.get(`${node} ${port}`)!.address
    return Object.fromEntries(this.#nodes.map((node) => [node, { client: address(node, 'client'), peer: address(node, 'peer'), admin: address(node, 'admin') }]))
  }

  async close(): Promise<void> {
    for (const state of this.#states.values()) state.heal()
    await Promise.all([...this.#proxies.values(), ...this.#shared.values()].map((proxy) => proxy.close()))
  }

  /** The state of one link. Throws for a link that is not there. */
  state(link: Link): LinkState {
    const state = this.#states.get(keyOf(link))
    if (state === undefined) throw new ClusterError('unknown-link', `there is no link ${link.from} -> ${link.to} in this cluster; its nodes are ${this.#nodes.join(', ')}`)
    return state
  }

  /** The states of all links. */
  all(): LinkState[] {
    return [...this.#states.values()]
  }

  /** Where the proxy of a link listens. */
  address(link: Link): string {
    return this.#proxies.get(keyOf(link))!.address
  }

  /** Sends a byte along a link, through a real proxy to a listener of our own, and sees whether it arrives. */
  async probe(link: Link, deadlineMs: number): Promise<boolean> {
    const forth = this.state(link)
    const deadline = AbortSignal.timeout(deadlineMs)
    let arrived: (passed: boolean) => void
    const passed = new Promise<boolean>((resolve) => (arrived = resolve))
    deadline.addEventListener('abort', () => arrived(false), { once: true })
    const sink = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.destroy()
        arrived(true)
      })
    })
    await new Promise<void>((resolve) => void sink.listen(0, '127.0.0.1', resolve))
    const proxy = new LinkProxy({ way: { forth, back: undefined }, target: () => `127.0.0.1:${(sink.address() as AddressInfo).port}` })
    await proxy.listen()
    try {
      const stream = await dialAddress(proxy.address, deadlineMs)
      stream.write(Buffer.from('?'))
      return await passed
    } catch {
      return false
    } finally {
      sink.close()
      await proxy.close()
    }
  }
}
