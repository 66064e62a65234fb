/**
 * A TCP proxy: whoever listens behind it is reached through it alone. Connections are made by one side and run along the
 * link from there; what the other side answers on them belongs to the opposite link and follows that one's state.
 */
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { parseAddress } from '../real/socket-stream.ts'
import type { LinkState } from './link-state.ts'
import { Lane } from './link-state.ts'

/** The links that a connection runs along: its bytes, and those that are answered on it. They pass undisturbed where there is none. */
export interface Way {
  readonly forth: LinkState | undefined
  readonly back: LinkState | undefined
}

/** What a proxy stands between. */
export interface ProxyOptions {
  /** The address that it listens on; left out: 127.0.0.1. */
  readonly host?: string
  /** Where its connections lead: asked anew for every one. Undefined: nobody has listened there yet, and it is refused. */
  readonly target: () => string | undefined
  /** The way of all its connections, or of each as it comes: undefined for one that leads nowhere and is broken. */
  readonly way: Way | ((socket: Socket) => Promise<Way | undefined>)
}

/** One proxy, listening on a port of its own. */
export class LinkProxy {
  readonly #options: ProxyOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #address = ''

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket))
  }

  /** `host:port`, once it listens. */
  get address(): string {
    return this.#address
  }

  async listen(): Promise<void> {
    const { host = '127.0.0.1' } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, host, resolve)
    })
    this.#address = `${host}:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks every connection and stops to listen. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#keep(socket)
    const { way } = this.#options
    if (typeof way === 'object') return this.#admit(socket, way)
    way(socket).then((found) => (found === undefined ? socket.resetAndDestroy() : this.#admit(socket, found)), () => socket.destroy())
  }

  /** Leads a connection on, as soon as its link is whole. */
  #admit(socket: Socket, way: Way): void {
    if (way.forth === undefined) return this.#lead(socket, way)
    const forget = way.forth.whenOpen(() => this.#lead(socket, way))
    socket.once('close', forget)
  }

  #lead(socket: Socket, { forth, back }: Way): void {
    if (socket.destroyed) return
    const target = this.#options.target()
    if (target === undefined) {
      socket.resetAndDestroy()
      return
    }
    const onward = connect({ ...parseAddress(target), allowHalfOpen: true, noDelay: true })
    this.#keep(onward)
    const refuse = (): void => void socket.resetAndDestroy()
    onward.once('error', refuse)
    onward.once('connect', () => {
      onward.off('error', refuse)
      carry(socket, onward, forth)
      carry(onward, socket, back)
    })
    socket.once('close', () => {
      if (onward.connecting) onward.destroy()
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** Carries what `source` says to `sink` along a link. */
function carry(source: Socket, sink: Socket, state: LinkState | undefined): void {
  const pass = (what: Uint8Array | 'end' | 'break'): void => {
    if (what === 'end') sink.end()
    else if (what === 'break') sink.destroySoon()
    else if (sink.writable && !sink.write(what)) source.pause()
  }
  if (state === undefined) {
    source.on('data', pass)
    source.on('end', () => pass('end'))
    source.on('close', () => pass('break'))
    sink.on('drain', () => source.resume())
    source.resume()
    return
  }
  const lane = new Lane(state, {
    pass,
    reset: () => {
      source.resetAndDestroy()
      sink.resetAndDestroy()
    },
    ready: () => !sink.writableNeedDrain,
    flow: (on) => void (on ? source.resume() : source.pause()),
  })
  source.on('data', (chunk) => lane.take(chunk))
  source.on('end', () => lane.take('end'))
  source.on('close', () => lane.take('break'))
  sink.on('drain', () => lane.follow())
  sink.on('close', () => lane.leave())
  lane.follow()
}
