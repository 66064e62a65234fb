/**
 * Detours: proxies that stand where the nodes of a network can reach them, for what packet filters cannot do to a link.
 * A rule in a node's network leads its new connections to a peer through the link's proxy; the proxy holds bytes back or
 * damages them (`process/link-state.ts`), and leads them on to the peer.
 */
import type { Random } from '../../../harness/env.ts'
import type { Link } from '../../cluster.ts'
import { LinkState } from '../process/link-state.ts'
import { LinkProxy } from '../process/proxy.ts'

/** What a detour does to the bytes of a link. */
export interface DetourEffects {
  /** Share of the pieces of the stream that are damaged. */
  readonly corrupt: number
  readonly delay?: { readonly ms: number; readonly jitterMs: number } | undefined
}

/** Proxies for the links of one cluster. */
export interface Detours {
  /** Makes the link's proxy if there is none, and has it do this and nothing else. Resolves to its `address:port`. */
  lead(link: Link, effects: DetourEffects): Promise<string>
  /** How many pieces the link's proxy has damaged. */
  struck(link: Link): Promise<number>
  /** Takes the link's proxy away, and with it its connections. */
  leave(link: Link): Promise<void>
  close(): Promise<void>
}

/** Detours through proxies in this process, which listen on `host`. `peerAddress` is where a node's peers reach it. */
export class LocalDetours implements Detours {
  readonly #host: string
  readonly #random: Random
  readonly #peerAddress: (node: string) => string
  readonly #links = new Map<string, { readonly state: LinkState; readonly proxy: LinkProxy }>()

  constructor(host: string, random: Random, peerAddress: (node: string) => string) {
    this.#host = host
    this.#random = random
    this.#peerAddress = peerAddress
  }

  async lead({ from, to }: Link, { corrupt, delay }: DetourEffects): Promise<string> {
    const key = `${from} ${to}`
    let entry = this.#links.get(key)
    if (entry === undefined) {
      const state = new LinkState(this.#random.fork(key))
      entry = { state, proxy: new LinkProxy({ host: this.#host, way: { forth: state, back: undefined }, target: () => this.#peerAddress(to) }) }
      await entry.proxy.listen()
      this.#links.set(key, entry)
    }
    entry.state.heal()
    entry.state.corrupt(corrupt)
    if (delay !== undefined) entry.state.delay(delay.ms, delay.jitterMs)
    return entry.proxy.address
  }

  async struck({ from, to }: Link): Promise<number> {
    return this.#links.get(`${from} ${to}`)?.state.struck ?? 0
  }

  async leave({ from, to }: Link): Promise<void> {
    const entry = this.#links.get(`${from} ${to}`)
    this.#links.delete(`${from} ${to}`)
    await entry?.proxy.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ proxy }) => proxy.close()))
    this.#links.clear()
  }
}
