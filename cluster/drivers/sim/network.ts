/**
 * The simulated network: one wire for every directed pair of nodes and from the clients to every node, and the
 * sockets of the nodes' present lives. A message to a node that is dead, or that died and was restarted while the
 * message was under way, is lost.
 */
import type { Clock, Network, NodeId, PortName, Random, Stream } from '../../../harness/env.ts'
import { withDeadline } from '../../../harness/clock.ts'
import type { Endpoint, Link } from '../../cluster.ts'
import { ClusterError } from '../../cluster.ts'
import type { Life } from './life.ts'
import { Pipe, StreamEnd } from './stream.ts'
import type { LinkTimes } from './wire.ts'
import { Wire } from './wire.ts'

/** Latency of a message to oneself. */
const LOOPBACK_MS = 0.02

/** The sockets of one life of a node. */
interface Host {
  readonly life: Life
  readonly ports: Map<PortName, (stream: Stream) => void>
  receive: ((from: NodeId, message: Uint8Array) => void) | undefined
}

/** The network of one cluster. */
export class SimNetwork {
  readonly #clock: Clock
  readonly #random: Random
  readonly #times: LinkTimes
  readonly #nodes: readonly NodeId[]
  readonly #wires = new Map<string, Wire>()
  readonly #hosts = new Map<NodeId, Host>()

  constructor(clock: Clock, random: Random, times: LinkTimes, nodes: readonly NodeId[]) {
    this.#clock = clock
    this.#random = random
    this.#times = times
    this.#nodes = nodes
  }

  /** Plugs a new life of a node in. What was under way to its last life is lost. */
  plug(id: NodeId, life: Life): Network {
    const host: Host = { life, ports: new Map(), receive: undefined }
    this.#hosts.set(id, host)
    return {
      nodes: this.#nodes,
      send: (to, message) => this.#send(id, life, to, message),
      onMessage: (handler) => {
        host.receive = handler
      },
      listen: async (port, accept) => {
        if (life.alive) host.ports.set(port, accept)
        await life.wait(0)
      },
      close: async () => {
        host.ports.clear()
        host.receive = undefined
      },
    }
  }

  /** The wire of a link that can be disturbed. Throws for a node that is not there. */
  wire({ from, to }: Link): Wire {
    for (const end of [from, to]) {
      if (end !== 'clients' && !this.#nodes.includes(end)) throw new ClusterError('unknown-node', `there is no node ${end} in this cluster; its nodes are ${this.#nodes.join(', ')}`)
    }
    return this.#wireNamed(`${from}->${to}`)
  }

  /** Every directed link of the cluster. */
  links(): Link[] {
    const ends: Endpoint[] = ['clients', ...this.#nodes]
    return ends.flatMap((from) => this.#nodes.filter((to) => to !== from).map((to) => ({ from, to })))
  }

  #wireNamed(name: string): Wire {
    let wire = this.#wires.get(name)
    if (wire === undefined) {
      wire = new Wire(this.#clock, this.#random.fork(name), this.#times)
      this.#wires.set(name, wire)
    }
    return wire
  }

  #send(from: NodeId, life: Life, to: NodeId, message: Uint8Array): void {
    const host = this.#hosts.get(to)
    if (!life.alive || host === undefined) return
    const copy = Buffer.from(message)
    const arrive = (): void => host.life.happen(() => host.receive?.(from, copy))
    if (to === from) this.#clock.after(LOOPBACK_MS, arrive)
    else this.#wireNamed(`${from}->${to}`).send(message.length, arrive)
  }

  /** Whether a message that is sent now is taken in by the node at the end of the link. */
  probe(link: Link, deadlineMs: number): Promise<boolean> {
    const from = link.from === 'clients' ? undefined : this.#hosts.get(link.from)?.life
    const to = this.#hosts.get(link.to)?.life
    const wire = this.wire(link)
    if (to === undefined || from?.alive === false || from?.paused) return Promise.resolve(false)
    const arrived = new Promise<boolean>((resolve) => wire.send(1, () => to.happen(() => resolve(true))))
    return withDeadline(this.#clock, deadlineMs, arrived, () => false)
  }

  /** Opens a stream to a node. A paused node's kernel still accepts; a dead node refuses; a cut link does neither. */
  dial(id: NodeId, port: PortName, deadlineMs: number): Promise<Stream> {
    const there = port === 'client' ? this.wire({ from: 'clients', to: id }) : this.#wireNamed(`admin->${id}`)
    const out = new Pipe(this.#clock, there)
    let late = false
    const opened = new Promise<Stream>((resolve, reject) => {
      out.send(0, () => {
        const back = new Pipe(this.#clock, this.#wireNamed(`${id}->${port}`))
        const host = this.#hosts.get(id)
        const accept = host?.life.alive ? host.ports.get(port) : undefined
        if (host === undefined || accept === undefined) {
          back.send(0, () => reject(new ClusterError('refused', `${id} refused a connection to its ${port} port; it is not running or does not listen yet`)))
          return
        }
        const mine = this.#connect(host, accept, out, back)
        back.send(0, () => (late ? mine.close() : resolve(mine)))
      })
    })
    return withDeadline(this.#clock, deadlineMs, opened, () => {
      late = true
      throw new ClusterError('timeout', `no connection to the ${port} port of ${id} within ${deadlineMs} ms`)
    })
  }

  #connect(host: Host, accept: (stream: Stream) => void, out: Pipe, back: Pipe): StreamEnd {
    const mine = new StreamEnd(this.#clock, out, (callback) => callback())
    const theirs = new StreamEnd(this.#clock, back, (callback) => host.life.happen(callback))
    StreamEnd.join(mine, theirs)
    const forget = host.life.onDeath(() => theirs.abandon())
    theirs.onGone(forget)
    host.life.happen(() => accept(theirs))
    return mine
  }
}
