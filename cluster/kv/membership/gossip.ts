/**
 * Gossiped heartbeats (van Renesse, Minsky and Hayden, "A gossip-style failure detection service", Middleware 1998): every
 * node keeps a list of all members with the greatest heartbeat that it has heard of each. Once per interval (T_gossip) it
 * counts its own up and gives its list to a few others by chance; whose heartbeat has grown has been heard of. Whoever is
 * silent for T_fail is suspected, and after T_cleanup struck off the list: not sooner, or an older list would bring it back
 * as if it were new.
 *
 * News of a node come by any way that there is, so one that only some can reach is up for all.
 */
import type { NodeId, Random } from '../../../harness/env.ts'
import { MalformedMessage, count, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Rpc } from '../rpc.ts'

const LINES_MAX = 1_000

/** What a list says of one node: `generation` grows with every life of it, `heartbeat` within one. */
export type Line = readonly [node: NodeId, generation: number, heartbeat: number]

/** My list. */
const GOSSIP: Kind<readonly Line[], null> = {
  code: 56,
  request: plain(input => {
    if (list(input).length > LINES_MAX) throw new MalformedMessage(`at most ${LINES_MAX} lines`)
    return list(input).map(entry => {
      const [node, generation, heartbeat] = list(entry, 3)
      return [text(node), count(generation), count(heartbeat)] as const
    })
  }),
  reply: plain(() => null),
}

/** What gossip works with. */
export interface GossipOptions {
  readonly self: NodeId
  /** This life's number. */
  readonly generation: number
  /** Whom to gossip with, this node perhaps included. */
  readonly members: () => readonly NodeId[]
  readonly rpc: Rpc
  readonly random: Random
  /** Told whenever a node's heartbeat has grown. */
  readonly heard: (node: NodeId) => void
}

/** One node's list. */
export class Gossip {
  readonly #options: GossipOptions
  readonly #lines = new Map<NodeId, Line>()
  #heartbeat = 0

  constructor(options: GossipOptions) {
    this.#options = options
    options.rpc.serve(GOSSIP, lines => {
      for (const line of lines) this.#hear(line)
      return null
    })
  }

  /** The nodes on the list. */
  get known(): readonly NodeId[] {
    return [...this.#lines.keys()]
  }

  /** Counts up, and gives the list to others: so many that news reach everyone in a few rounds. */
  round(): void {
    const { self, generation, members, rpc, random } = this.#options
    this.#lines.set(self, [self, generation, ++this.#heartbeat])
    const others = members().filter(node => node !== self)
    const lines = [...this.#lines.values()]
    for (let told = Math.min(others.length, Math.max(2, Math.ceil(Math.log2(others.length + 1)))); told > 0; told--) {
      const [to] = others.splice(random.int(others.length), 1)
      rpc.send(to!, GOSSIP, lines)
    }
  }

  /** Strikes a node off. */
  forget(node: NodeId): void {
    this.#lines.delete(node)
  }

  #hear(line: Line): void {
    const [node, generation, heartbeat] = line
    const known = this.#lines.get(node)
    if (node === this.#options.self || (known !== undefined && (generation < known[1] || (generation === known[1] && heartbeat <= known[2])))) return
    this.#lines.set(node, line)
    this.#options.heard(node)
  }
}
