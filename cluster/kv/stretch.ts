/**
 * Ranges of the ring that two nodes go through page by page, so that no message between them grows with the keys that
 * there are. Places are in the order in which the ranges are given, and within one in that of the disk: by token, and by
 * key where tokens are equal. A page ends behind a key, and the next one begins there.
 */
import { list, text, tokenRanges } from './messages.ts'
import type { Codec } from './messages.ts'
import type { Partitioner, TokenRange } from './partitioner.ts'
import { placeOf } from './records.ts'
import type { Storage } from './storage.ts'
import type { Cell } from './versions.ts'

/** Some ranges, none of which overlap, and perhaps not the whole of the first and of the last. */
export interface Stretch {
  readonly ranges: readonly TokenRange[]
  /** Of the first range, what lies behind this key alone; null: all of it. */
  readonly after: string | null
  /** Of the last range, what lies up to this key alone; null: all of it. */
  readonly upTo: string | null
}

/** Stretches on the wire. */
export const stretchCodec: Codec<Stretch> = {
  encode: ({ ranges, after, upTo }) => [ranges, after, upTo],
  decode: input => {
    const [ranges, after, upTo] = list(input, 3)
    return { ranges: tokenRanges(ranges), after: keyOrNull(after), upTo: keyOrNull(upTo) }
  },
}

/** A key, or null. */
export function keyOrNull(input: unknown): string | null {
  return input === null ? null : text(input)
}

/** All of these ranges. */
export function whole(ranges: readonly TokenRange[]): Stretch {
  return { ranges, after: null, upTo: null }
}

/** What of a stretch lies up to this key, which lies in it. */
export function headOf({ ranges, after }: Stretch, key: string, partitioner: Partitioner): Stretch {
  return { ranges: ranges.slice(0, rangeOf(ranges, key, partitioner) + 1), after, upTo: key }
}

/** What of a stretch lies behind this key; undefined where the key does not lie in it. */
export function restOf(stretch: Stretch, key: string, partitioner: Partitioner): Stretch | undefined {
  return contains(stretch, key, partitioner) ? { ...stretch, ranges: stretch.ranges.slice(rangeOf(stretch.ranges, key, partitioner)), after: key } : undefined
}

/** Whether a key lies in a stretch. */
export function contains({ ranges, after, upTo }: Stretch, key: string, partitioner: Partitioner): boolean {
  const range = rangeOf(ranges, key, partitioner)
  const place = placeOf(key, partitioner).diskKey
  if (range === -1 || (range === 0 && after !== null && place <= placeOf(after, partitioner).diskKey)) return false
  return upTo === null || range < ranges.length - 1 || place <= placeOf(upTo, partitioner).diskKey
}

/** The ranges of a stretch, as far as tokens tell where it begins: keys before that may have the same token. */
export function rangesFrom({ ranges, after }: Stretch, partitioner: Partitioner): readonly TokenRange[] {
  const [first, ...others] = ranges
  return first === undefined || after === null ? ranges : [[partitioner.token(after), first[1]], ...others]
}

/** The cells of a stretch, in the order of their places. */
export async function* cellsIn(storage: Storage, { ranges, after, upTo }: Stretch): AsyncGenerator<readonly [key: string, cell: Cell]> {
  for (const [i, [from, to]] of ranges.entries()) {
    yield* storage.scan(from, to, { after: i === 0 ? after : null, upTo: i === ranges.length - 1 ? upTo : null })
  }
}

function rangeOf(ranges: readonly TokenRange[], key: string, partitioner: Partitioner): number {
  const token = partitioner.token(key)
  return ranges.findIndex(([from, to]) => from <= token && token < to)
}
