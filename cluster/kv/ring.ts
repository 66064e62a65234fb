/**
 * Consistent hashing with virtual nodes (Karger et al., STOC 1997; Dynamo, SOSP 2007, section 4.2): every node stands
 * at many places on a ring of 2^32 tokens, and a key belongs to the first N distinct nodes met clockwise from its own
 * token, its preference list. A node that joins or leaves moves only the keys next to its places.
 *
 * Every node knows the whole ring by heart; the lookups in `lookup/` are for nodes that do not.
 */
import type { NodeId } from '../../harness/env.ts'
import { murmur3 } from './hash.ts'
import type { Location, Lookup } from './lookup/lookup.ts'

/** Who holds a key, known by heart: what a protocol whose quorums must meet relies on. */
export interface PreferenceLists {
  /** The preference list of a token, the first to be asked first. */
  replicas(token: number): readonly NodeId[]
  /** The nodes that are no replicas of the token, in the order in which they stand in for replicas that are down. */
  substitutes(token: number): readonly NodeId[]
  /** The token's replicas once a change of members that is under way is done; absent where it changes nothing. */
  incoming?(token: number): readonly NodeId[] | undefined
}

/** Chooses N replicas from the nodes met clockwise (each at its first place, nearest first). */
export type Placement = (clockwise: readonly NodeId[], replicas: number) => readonly NodeId[]

/** The next N nodes on the ring. */
const simplePlacement: Placement = (clockwise, replicas) => clockwise.slice(0, replicas)

/** What a ring is made of. */
export interface RingOptions {
  readonly nodes: readonly NodeId[]
  readonly replicas: number
  readonly virtualNodes: number
  readonly placement?: Placement
  /** The places of a node, where they are not those that its name and `virtualNodes` give it. */
  readonly tokensOf?: (node: NodeId) => readonly number[]
}

/** One place on the ring. */
interface Place {
  readonly token: number
  readonly node: NodeId
}

/** Who holds the keys of an arc, and who stands in for them. */
type Preference = Pick<Location, 'replicas' | 'substitutes'>

/** The whole ring in a table. */
export class Ring implements Lookup, PreferenceLists {
  /** The tokens of all places, ascending and distinct: place i owns the arc (tokens[i - 1], tokens[i]]. */
  readonly tokens: readonly number[]
  readonly #arcs: readonly Location[]

  constructor(options: RingOptions) {
    const places = placesOf(options.nodes, options.tokensOf ?? (node => hashedTokens(node, options.virtualNodes)))
    const placement = options.placement ?? simplePlacement
    this.tokens = places.map(place => place.token)
    this.#arcs = preferencesOf(walksOf(places), walk => placement(walk, options.replicas)).map(({ replicas, substitutes }, arc) => ({ replicas, substitutes, after: this.tokens.at(arc - 1)!, upTo: this.tokens[arc]! }))
  }

  replicas(token: number): readonly NodeId[] {
    return this.find(token).replicas
  }

  substitutes(token: number): readonly NodeId[] {
    return this.find(token).substitutes
  }

  find(token: number): Location {
    return this.#arcs[this.arcOf(token)]!
  }

  /** The arc that a token lies on: the first place at or after it, past the end the first of all. */
  arcOf(token: number): number {
    let low = 0
    let high = this.tokens.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.tokens[middle]! < token) low = middle + 1
      else high = middle
    }
    return low === this.tokens.length ? 0 : low
  }
}

/** The places that a node's name gives it. */
export function hashedTokens(node: NodeId, virtualNodes: number): number[] {
  return Array.from({ length: virtualNodes }, (_, i) => murmur3(`${node}#${i}`))
}

function placesOf(nodes: readonly NodeId[], tokensOf: (node: NodeId) => readonly number[]): Place[] {
  const places: Place[] = []
  const taken = new Set<number>()
  for (const node of [...nodes].sort()) {
    for (const token of tokensOf(node)) {
      if (taken.has(token)) continue
      taken.add(token)
      places.push({ token, node })
    }
  }
  return places.sort((a, b) => a.token - b.token)
}

/** The nodes met clockwise from every place on, its own first. Seen from the place before, a place's node comes first and the order of the others stays. */
function walksOf(places: readonly Place[]): (readonly NodeId[])[] {
  const walks: (readonly NodeId[])[] = new Array(places.length)
  // Before the first place of all comes the last: from there each node is met first where it first stands.
  let walk: readonly NodeId[] = [...new Set(places.map(({ node }) => node))]
  for (let index = places.length - 1; index >= 0; index--) {
    const { node } = places[index]!
    if (walk[0] !== node) walk = [node, ...walk.filter(other => other !== node)]
    walks[index] = walk
  }
  return walks
}

/** Who is chosen on every walk. A few nodes are met in few orders: for each of these it is decided once. */
function preferencesOf(walks: readonly (readonly NodeId[])[], choose: (walk: readonly NodeId[]) => readonly NodeId[]): Preference[] {
  const known = new Map<string, Preference>()
  return walks.map(walk => {
    const order = walk.join(' ')
    let preference = known.get(order)
    if (preference === undefined) {
      const replicas = choose(walk)
      known.set(order, (preference = { replicas, substitutes: walk.filter(node => !replicas.includes(node)) }))
    }
    return preference
  })
}
