/**
 * The real world as an `Env`: TCP between nodes and to clients, LevelDB on disk, the machine's clock, stderr.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { realClock, skewableClock } from '../../../harness/clock.ts'
import type { Clock, Env, Log, Network, NodeId, PortName, Random, Stream } from '../../../harness/env.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { NodeAddresses } from '../../system.ts'
import { FRAME_BYTES_MAX, FrameReader } from './frames.ts'
import { LevelDisk } from './level-disk.ts'
import { PeerLink, encodeReceipt } from './peer-link.ts'
import { SocketStream, parseAddress } from './socket-stream.ts'

/** A peer that has not introduced itself within this is not a peer. */
const HELLO_MS_MAX = 60_000
const HELLO_BYTES_MAX = 1_024
/** Frames that arrive within this share a receipt. */
const RECEIPT_AFTER_MS = 200

/** Who this node is and where. */
export interface RealEnvOptions {
  readonly id: NodeId
  readonly addresses: NodeAddresses
  readonly seed: number
}

/** An Env of the real world, and how to let go of it. */
export interface RealEnv extends Env {
  close(): Promise<void>
}

/** Opens a node's ports for its peers and starts to connect to them; resolves when peers can connect. */
export async function realEnv({ id, addresses, seed }: RealEnvOptions): Promise<RealEnv> {
  const clock = skewableClock(realClock())
  const random = seededRandom(seed).fork(`node ${id}`)
  const log = stderrLog()
  const network = new TcpNetwork(id, addresses, clock, random.fork('reconnect'), log)
  await network.open()
  const disk = new LevelDisk(addresses.dataDir)
  return {
    clock,
    random,
    network,
    disk,
    log,
    close: async () => {
      await network.close()
      await disk.close()
    },
  }
}

/** A log on stderr, one line an entry. */
function stderrLog(): Log {
  const write = (level: string) => (message: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${level} ${message.replaceAll('\n', ' | ')}\n`)
  }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

/** What a node says first on a connection to a peer: who is speaking, and the proof that it belongs to this run. */
function encodeHello(token: string, id: NodeId): Buffer {
  return Buffer.concat([tokenDigest(token), Buffer.from(id)])
}

function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(`splitbrain peer ${token}`).digest()
}

class TcpNetwork implements Network {
  readonly nodes: readonly NodeId[]
  readonly #id: NodeId
  readonly #addresses: NodeAddresses
  readonly #clock: Clock
  readonly #log: Log
  readonly #digest: Buffer
  readonly #links = new Map<NodeId, PeerLink>()
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #dial: () => void
  #handler: ((from: NodeId, message: Uint8Array) => void) | undefined

  constructor(id: NodeId, addresses: NodeAddresses, clock: Clock, random: Random, log: Log) {
    this.#id = id
    this.#addresses = addresses
    this.#clock = clock
    this.#log = log
    this.#digest = tokenDigest(addresses.token)
    this.nodes = [...new Set([id, ...Object.keys(addresses.peers)])].sort()
    const hello = encodeHello(addresses.token, id)
    this.#dial = () => {
      for (const [peer, address] of Object.entries(addresses.peers)) {
        if (peer !== id) this.#links.set(peer, new PeerLink({ address, peer, hello, clock, random: random.fork(peer), log }))
      }
    }
  }

  /** Listens for peers, then dials them. */
  async open(): Promise<void> {
    await this.#serve(this.#addresses.listen.peer, (socket) => this.#admit(socket))
    this.#dial()
  }

  send(to: NodeId, message: Uint8Array): void {
    if (to === this.#id) {
      const copy = Buffer.from(message)
      setImmediate(() => this.#handler?.(this.#id, copy))
      return
    }
    this.#links.get(to)?.send(message)
  }

  onMessage(handler: (from: NodeId, message: Uint8Array) => void): void {
    this.#handler = handler
  }

  listen(port: PortName, accept: (stream: Stream) => void): Promise<void> {
    return this.#serve(this.#addresses.listen[port], (socket) => accept(new SocketStream(socket)))
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) link.close()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  }

  #serve(address: string, accept: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      accept(socket)
    })
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => reject(new Error(`${this.#id} cannot listen on ${address}: ${cause.message}`, { cause })))
      server.listen(parseAddress(address), resolve)
    })
  }

  /** A connection of a peer: refused unless its first frame is a hello of this run. */
  #admit(socket: Socket): void {
    const frames = new FrameReader(HELLO_BYTES_MAX)
    let from: NodeId | undefined
    let count = 0
    let receiptDue = false
    const receipt = (): void => {
      receiptDue = false
      if (socket.writable) socket.write(encodeReceipt(count))
    }
    const receive = (message: Buffer): void => {
      count++
      if (from !== undefined) {
        this.#handler?.(from, message)
        return
      }
      from = this.#greet(message)
      frames.limit = FRAME_BYTES_MAX
      if (from === undefined) {
        this.#log.warn('a connection to the peer port was refused: its hello is not of this run')
        socket.destroy()
      }
    }
    const receiveAll = (chunk: Buffer): void => {
      frames.push(chunk, (message) => {
        if (!socket.destroyed) receive(message)
      })
      if (receiptDue || from === undefined) return
      receiptDue = true
      this.#clock.after(RECEIPT_AFTER_MS, receipt)
    }
    const patience = this.#clock.after(HELLO_MS_MAX, () => {
      if (from === undefined) socket.destroy()
    })
    socket.on('close', () => patience.cancel())
    socket.on('data', (chunk) => {
      try {
        receiveAll(chunk)
      } catch (error) {
        this.#log.warn(`a connection of ${from ?? 'a stranger'} was closed: ${(error as Error).message}`)
        socket.destroy()
      }
    })
  }

  #greet(hello: Buffer): NodeId | undefined {
    const digest = hello.subarray(0, this.#digest.length)
    if (digest.length !== this.#digest.length || !timingSafeEqual(digest, this.#digest)) return undefined
    const id = hello.subarray(this.#digest.length).toString()
    return this.nodes.includes(id) ? id : undefined
  }
}
