/**
 * Vector clocks with siblings (Dynamo, SOSP 2007, section 4.4): a replica keeps every write of a key that no other
 * write has replaced knowingly. A write brings the clock of what its writer had seen; writes that did not know of each
 * other stand side by side until somebody who has read them writes again. Nothing depends on wall clocks.
 *
 * The actors of a clock are sessions of clients, which do one thing after the other. So a clock that counts an actor up
 * to n has really seen all that this actor wrote up to n: an actor's writes each know of those before. (Clocks
 * of servers, which write for many clients at once, cannot tell these apart: Preguica, Baquero et al., "Dotted version
 * vectors", 2010.) A write is its dot, (actor, counter), and the clock of its past, without the dot.
 *
 * The siblings of a key travel and lie on the disk as one cell. Its value holds them all, its version is the greatest
 * counter among them and a digest of all, so that equal versions mean equal siblings; merging two cells is a union
 * without what is covered, which is a join like that of `versions.ts`.
 *
 * Clocks grow with the sessions that wrote a key one after the other. Beyond `CLOCK_ENTRIES_MAX` the oldest entry is
 * forgotten, as in Dynamo: what it covered may then stand as a sibling once more, but nothing is lost.
 */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { bytesOrNull, count, list, writerName } from './messages.ts'
import { StoreError } from './errors.ts'
import { ABSENT, lastWriteWins } from './versions.ts'
import type { Cell, ConflictRule, Version } from './versions.ts'

/** Entries of one clock; the counters are microseconds, so the least is the oldest. */
const CLOCK_ENTRIES_MAX = 20
const DIGEST_CHARACTERS = 16

/** What was seen of each actor: everything up to its counter. */
export type VectorClock = ReadonlyMap<string, number>

/** One write that nothing has replaced. A null value is a deletion. */
export interface Sibling {
  /** Its version: the actor and the actor's counter. */
  readonly dot: Version
  readonly past: VectorClock
  readonly value: Uint8Array | null
}

const packr = new Packr({ useRecords: false })

type Pair = readonly [actor: string, counter: number]

const pairsOf = (clock: VectorClock): Pair[] => [...clock].sort(([a], [b]) => (a < b ? -1 : 1))

function clockOf(input: unknown): VectorClock {
  return new Map(list(input).map((pair) => {
    const [actor, counter] = list(pair, 2)
    return [writerName(actor), count(counter)] as const
  }))
}

/** The siblings of a cell, the one with the greatest counter first; none when it was never written. */
export function siblingsOf(cell: Cell): readonly Sibling[] {
  if (cell.value === null) return []
  return list(packr.unpack(cell.value)).map((item) => {
    const [writer, counter, past, value] = list(item, 4)
    return { dot: { writer: writerName(writer), counter: count(counter) }, past: clockOf(past), value: bytesOrNull(value) }
  })
}

/** The cell that holds these siblings, in whatever order they come. */
export function cellOf(siblings: readonly Sibling[]): Cell {
  if (siblings.length === 0) return ABSENT
  const sorted = [...siblings].sort(({ dot: a }, { dot: b }) => b.counter - a.counter || (a.writer < b.writer ? -1 : 1))
  const value = packr.pack(sorted.map(({ dot, past, value: bytes }) => [dot.writer, dot.counter, pairsOf(past), bytes]))
  return { counter: sorted[0]!.dot.counter, writer: createHash('sha256').update(value).digest('base64url').slice(0, DIGEST_CHARACTERS), value }
}

/** Whether `by` replaces `old` knowingly. */
function replaces(by: Sibling, old: Sibling): boolean {
  return (by.past.get(old.dot.writer) ?? 0) >= old.dot.counter
}

/** The join of two cells; `a` itself when `b` adds nothing to it. */
function merge(a: Cell, b: Cell): Cell {
  if (b.value === null || (a.counter === b.counter && a.writer === b.writer)) return a
  if (a.value === null) return b
  const ours = siblingsOf(a)
  const theirs = siblingsOf(b).filter((one) => !ours.some(({ dot }) => dot.writer === one.dot.writer && dot.counter === one.dot.counter))
  const left = [...ours, ...theirs].filter((one, _, all) => !all.some((other) => replaces(other, one)))
  const merged = cellOf(left)
  return merged.writer === a.writer ? a : merged.writer === b.writer ? b : merged
}

/** Conflicting writes stand side by side. Of two different cells either may lack something of the other. */
const keepSiblings: ConflictRule = { merge, ordered: false }

/** What becomes of conflicting writes, by name. */
export const conflictRules = { 'last-write-wins': lastWriteWins, 'vector-clocks': keepSiblings } as const satisfies Record<string, ConflictRule>

/** What `versions` in a configuration may say. */
export const conflictRuleNames = Object.keys(conflictRules) as [keyof typeof conflictRules, ...(keyof typeof conflictRules)[]]

/** Everything that these clocks have seen, its oldest entries forgotten where there are too many. */
export function joinClocks(clocks: readonly VectorClock[]): VectorClock {
  const joined = new Map<string, number>()
  for (const clock of clocks) for (const [actor, counter] of clock) joined.set(actor, Math.max(counter, joined.get(actor) ?? 0))
  const newest = [...joined].sort(([, a], [, b]) => b - a)
  return new Map(newest.slice(0, CLOCK_ENTRIES_MAX))
}

/** The clock of whoever has read this sibling. */
export function clockAfter({ dot, past }: Sibling): VectorClock {
  return new Map([...past, [dot.writer, dot.counter]])
}

/** A clock as clients hand it back: opaque text. */
export function encodeContext(clock: VectorClock): string {
  return packr.pack(pairsOf(clock)).toString('base64url')
}

/** Throws a StoreError (ERR) when this is no context. */
export function decodeContext(text: string): VectorClock {
  try {
    return clockOf(packr.unpack(Buffer.from(text, 'base64url')))
  } catch (error) {
    throw new StoreError('ERR', `"${text.slice(0, 32)}" is no context that GETS has given`, { cause: error })
  }
}
