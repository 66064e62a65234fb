/**
 * Where on the ring a new member should stand: where most bytes are. Names spread nodes evenly over the ring; keys and
 * values need not lie evenly on it. So the members tell how many bytes lie on each stretch that they are the first
 * replica of, and the new one takes its share of all bytes from those that hold more than theirs, arc by arc from its
 * beginning (after Karger and Ruhl, "Simple efficient load balancing algorithms for peer-to-peer systems", SPAA 2004).
 */
import type { NodeId } from '../../../harness/env.ts'
import { count, list, plain } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Ring } from '../ring.ts'

/** The bytes on a stretch of tokens: from <= token < to, within one arc. */
export type Load = readonly [from: number, to: number, bytes: number]

/** How many bytes lie where you are the first replica? Stretches in order, empty ones left out. */
export const LOADS: Kind<null, readonly Load[]> = {
  code: 55,
  request: plain(() => null),
  reply: plain(input => list(input).map(load => {
    const [from, to, bytes] = list(load, 3)
    return [count(from), count(to), count(bytes)] as const
  })),
}

/** With less than this nobody has much to give, and names spread nodes well enough. */
const BYTES_MIN = 64 * 1024

/** One arc: its loads in order, and the token that ends it. */
interface Arc {
  readonly upTo: number
  readonly loads: readonly Load[]
  readonly bytes: number
}

/** What one member has, its heaviest arcs last. */
interface Giver {
  bytes: number
  readonly arcs: Arc[]
}

/**
 * At most `places` tokens for a new member of this ring, which give it its share of the bytes; null where there are too few to
 * matter. O(L log L + T N) for L loads, T tokens, N members.
 */
export function placesByBytes(ring: Ring, loads: ReadonlyMap<NodeId, readonly Load[]>, places: number): readonly number[] | null {
  const givers = [...loads.values()].map(own => giverOf(ring, own))
  const total = givers.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total < BYTES_MIN) return null
  const share = total / (givers.length + 1)
  const tokens: number[] = []
  let taken = 0
  while (tokens.length < places && taken < share * 0.99) {
    const heaviest = givers.reduce((a, b) => (b.bytes > a.bytes ? b : a))
    const arc = heaviest.arcs.pop()
    if (arc === undefined) break
    const wanted = Math.min(arc.bytes, share - taken)
    tokens.push(endOf(arc, wanted))
    heaviest.bytes -= wanted
    taken += wanted
  }
  return tokens
}

function giverOf(ring: Ring, loads: readonly Load[]): Giver {
  const byArc = new Map<number, Load[]>()
  for (const load of loads) {
    const arc = ring.arcOf(load[0])
    byArc.set(arc, [...(byArc.get(arc) ?? []), load])
  }
  const arcs = [...byArc].map(([arc, own]): Arc => ({ upTo: ring.tokens[arc]!, loads: inOrder(own, ring.tokens.at(arc - 1)!), bytes: own.reduce((sum, [, , bytes]) => sum + bytes, 0) }))
  return { bytes: arcs.reduce((sum, { bytes }) => sum + bytes, 0), arcs: arcs.sort((a, b) => a.bytes - b.bytes) }
}

/** Clockwise from the beginning of the arc, which may lie before zero. */
function inOrder(loads: readonly Load[], after: number): Load[] {
  return [...loads.filter(([from]) => from > after), ...loads.filter(([from]) => from <= after)]
}

/** The token up to which an arc holds so many bytes, if they lie evenly in each of its stretches. Never the arc's own end, which is taken. */
function endOf({ upTo, loads }: Arc, wanted: number): number {
  let left = wanted
  for (const [from, to, bytes] of loads) {
    if (bytes < left) {
      left -= bytes
      continue
    }
    const token = Math.min(to - 1, from + Math.max(0, Math.round(((to - from) * left) / bytes) - 1))
    return token === upTo ? Math.max(from, token - 1) : token
  }
  return loads.at(-1)![0]
}
