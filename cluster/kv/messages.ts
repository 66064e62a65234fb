/**
 * What nodes ask of each other, and how it is checked on arrival. Every message is a MessagePack array; nothing in a
 * message is believed before its decoder has looked at it.
 */
import { TOKENS } from './partitioner.ts'
import type { TokenRange } from './partitioner.ts'
import type { Cell } from './versions.ts'

/** A message that is not what its kind says. */
export class MalformedMessage extends Error {
  constructor(expected: string) {
    super(`expected ${expected}`)
    this.name = 'MalformedMessage'
  }
}

/** One direction of a kind: what stands on the wire, and how it is checked on the way in. */
export interface Codec<T> {
  encode(value: T): unknown
  decode(input: unknown): T
}

/** One kind of request: its number on the wire, and its two directions. */
export interface Kind<Request, Reply> {
  readonly code: number
  readonly request: Codec<Request>
  readonly reply: Codec<Reply>
  /** It asks a holder of data as such: answered only where both nodes are in the same view of the members. */
  readonly ofView?: true
}

/** A key with its cell. */
export type KeyCell = readonly [key: string, cell: Cell]

const KEY_CHARACTERS_MAX = 1 << 20

/** A codec for what MessagePack carries as it is. */
export function plain<T>(decode: (input: unknown) => T): Codec<T> {
  return { encode: value => value, decode }
}

/** A list, of that length if one is given. */
export function list(input: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(input) || (length !== undefined && input.length !== length)) throw new MalformedMessage(length === undefined ? 'a list' : `a list of ${length}`)
  return input
}

/** A key, or other text of bounded length. */
export function text(input: unknown): string {
  if (typeof input !== 'string' || input.length > KEY_CHARACTERS_MAX) throw new MalformedMessage('a string')
  return input
}

/** An integer of at least 0 that a double holds exactly. */
export function count(input: unknown): number {
  if (typeof input !== 'number' || !Number.isSafeInteger(input) || input < 0) throw new MalformedMessage('a count')
  return input
}

/** True or false. */
export function flag(input: unknown): boolean {
  if (typeof input !== 'boolean') throw new MalformedMessage('true or false')
  return input
}

/** The writer of a version. */
export function writerName(input: unknown): string {
  if (typeof input !== 'string' || input.length > 128) throw new MalformedMessage("a writer's name")
  return input
}

/** The bytes of a value, or null. */
export function bytesOrNull(input: unknown): Uint8Array | null {
  if (input !== null && !(input instanceof Uint8Array)) throw new MalformedMessage('bytes or null')
  return input
}

/** A cell as `encodeCell` writes it. */
export function cell(input: unknown): Cell {
  const [counter, writer, value] = list(input, 3)
  return { counter: count(counter), writer: writerName(writer), value: bytesOrNull(value) }
}

/** A key with its cell as `encodeKeyCell` writes them. */
export function keyCell(input: unknown): KeyCell {
  const [key, keyed] = list(input, 2)
  return [text(key), cell(keyed)]
}

/** A cell for the wire: [counter, writer, value]. */
export function encodeCell(value: Cell): unknown {
  return [value.counter, value.writer, value.value]
}

/** A key with its cell for the wire. */
export function encodeKeyCell(value: KeyCell): unknown {
  return [value[0], encodeCell(value[1])]
}

function counts(input: unknown): readonly number[] {
  return list(input).map(count)
}

/** The cell of a key. */
export const READ: Kind<string, Cell> = { code: 2, ofView: true, request: plain(text), reply: { encode: encodeCell, decode: cell } }

/** The version of a key's cell without its value. */
export const VERSION: Kind<string, readonly [counter: number, exists: boolean]> = {
  code: 3,
  ofView: true,
  request: plain(text),
  reply: plain(input => {
    const [counter, exists] = list(input, 2)
    return [count(counter), flag(exists)] as const
  }),
}

/** Who stands in for whom: [substitute, replica, substitute, replica, ...]. */
export type StandIns = readonly string[]

/** Nobody stands in for anybody. */
export const NOBODY: StandIns = []

/** Merge this cell in, or keep it for the replica that you stand in for. The reply comes when that is durable and says whether the key had a value before. */
export const WRITE: Kind<readonly [key: string, cell: Cell, standIns: StandIns], boolean> = {
  code: 4,
  ofView: true,
  request: {
    encode: ([key, written, standIns]) => [key, encodeCell(written), standIns],
    decode: input => {
      const [key, written, standIns] = list(input, 3)
      return [text(key), cell(written), list(standIns).length === 0 ? NOBODY : list(standIns).map(text)] as const
    },
  },
  reply: plain(flag),
}

/** Are you there? */
export const HEARTBEAT: Kind<null, null> = { code: 8, request: plain(() => null), reply: plain(() => null) }

/** What does your clock say? In nanoseconds, monotonic. */
export const CLOCK: Kind<null, number> = { code: 9, request: plain(() => null), reply: plain(count) }

/** One way: this nonce came from me. */
export const PING: Kind<string, null> = { code: 5, request: plain(text), reply: plain(() => null) }

/** Which of these nodes of the hash tree that we share differ at your side? Replies with their indices. */
export const COMPARE: Kind<readonly [level: number, indices: readonly number[], digests: readonly number[]], readonly number[]> = {
  code: 6,
  ofView: true,
  request: plain(input => {
    const [level, indices, digests] = list(input, 3)
    return [count(level), counts(indices), counts(digests)] as const
  }),
  reply: plain(counts),
}

const RANGES_MAX = 4096

function tokenRange(input: unknown): TokenRange {
  const [from, to] = list(input, 2)
  if (count(from) >= count(to) || count(to) > TOKENS) throw new MalformedMessage('a range of tokens')
  return [count(from), count(to)]
}

/** Ranges of tokens, not too many. */
export function tokenRanges(input: unknown): readonly TokenRange[] {
  const ranges = list(input)
  if (ranges.length > RANGES_MAX) throw new MalformedMessage(`at most ${RANGES_MAX} ranges`)
  return ranges.map(tokenRange)
}

/** What are the digests of your cells in these ranges? */
export const DIGESTS: Kind<readonly TokenRange[], readonly number[]> = { code: 60, request: plain(tokenRanges), reply: plain(counts) }
