/**
 * Partitioners: from a key to its token, the place on the ring of 2^32 where it belongs.
 *
 * A hash spreads any keys evenly and forgets their order. The ordered partitioner keeps it, so that a range of keys is
 * a stretch of the ring and can be read in one go; then the keys decide how evenly the nodes are loaded.
 */
import { createHash } from 'node:crypto'
import { murmur3 } from './hash.ts'

/** How many tokens there are. */
export const TOKENS = 2 ** 32

/** Maps keys (one character per byte) to tokens in [0, 2^32). */
export interface Partitioner {
  readonly name: string
  /** Whether a smaller key never has a greater token. */
  readonly ordered: boolean
  token(key: string): number
}

const murmur3Partitioner: Partitioner = { name: 'murmur3', ordered: false, token: key => murmur3(key) }

/** The first four bytes of MD5, as the rings of Chord and Dynamo are drawn (with SHA-1 and MD5). Slower than murmur3, and as even. */
const md5Partitioner: Partitioner = { name: 'md5', ordered: false, token: key => createHash('md5').update(key, 'latin1').digest().readUInt32BE(0) }

/** The first four bytes of the key itself; keys that share these share the token. */
const orderedPartitioner: Partitioner = {
  name: 'ordered',
  ordered: true,
  token: key => {
    let token = 0
    for (let i = 0; i < 4; i++) token = token * 256 + (i < key.length ? key.charCodeAt(i) & 0xff : 0)
    return token
  },
}

/** The partitioners by name. */
export const partitioners = { murmur3: murmur3Partitioner, md5: md5Partitioner, ordered: orderedPartitioner } as const satisfies Record<string, Partitioner>

/** What `partitioner` in a configuration may say. */
export const partitionerNames = Object.keys(partitioners) as [keyof typeof partitioners, ...(keyof typeof partitioners)[]]

/** How far it is clockwise from one token to another: 0 to themselves. */
export function clockwise(from: number, to: number): number {
  return from <= to ? to - from : to - from + TOKENS
}

/** Whether a token lies on the arc (after, upTo]; an arc that ends where it begins is the whole ring. */
export function onArc(token: number, after: number, upTo: number): boolean {
  const distance = clockwise(after, token)
  return after === upTo || (distance > 0 && distance <= clockwise(after, upTo))
}

/** A stretch of tokens: from <= token < to, not across zero. */
export type TokenRange = readonly [from: number, to: number]

/** The tokens of the arc (after, upTo], cut where it crosses zero. */
export function rangesOf({ after, upTo }: { readonly after: number; readonly upTo: number }): TokenRange[] {
  if (after === upTo) return [[0, TOKENS]]
  if (after < upTo) return [[after + 1, upTo + 1]]
  return [[0, upTo + 1] as const, [after + 1, TOKENS] as const].filter(([from, to]) => from < to)
}
