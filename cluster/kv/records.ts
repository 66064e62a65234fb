/**
 * Cells as they lie on disk: checksum u32 | flags u8 | counter f64 | length of the writer u8 | writer | value. A record that
 * fails its checksum is refused, never taken for absent. Records lie in the order of their tokens (`d` + eight hex digits +
 * key), so that a range of the ring is a range of the disk.
 */
import { StoreError } from './errors.ts'
import { murmur3Bytes } from './hash.ts'
import type { Partitioner } from './partitioner.ts'
import type { Cell } from './versions.ts'

const CHECKSUM_BYTES = 4
const COUNTER_AT = 5
const WRITER_LENGTH_AT = 13
const WRITER_AT = 14
const TOMBSTONE = 1

/** The record of a cell. */
export function encodeCell(cell: Cell): Uint8Array {
  const valueAt = WRITER_AT + cell.writer.length
  const record = Buffer.allocUnsafe(valueAt + (cell.value?.length ?? 0))
  record[CHECKSUM_BYTES] = cell.value === null ? TOMBSTONE : 0
  record.writeDoubleLE(cell.counter, COUNTER_AT)
  record[WRITER_LENGTH_AT] = cell.writer.length
  for (let i = 0; i < cell.writer.length; i++) record[WRITER_AT + i] = cell.writer.charCodeAt(i)
  if (cell.value !== null) record.set(cell.value, valueAt)
  record.writeUInt32LE(murmur3Bytes(record, CHECKSUM_BYTES), 0)
  return record
}

/** The record of a cell, and the cell with its value as a view into that record: one copy serves both. */
export function recorded(cell: Cell): { readonly record: Uint8Array; readonly held: Cell } {
  const record = encodeCell(cell)
  const { counter, writer, value } = cell
  return { record, held: { counter, writer, value: value === null ? null : record.subarray(WRITER_AT + writer.length) } }
}

/** The cell of a record; its value is a view into that. Throws when the record is not what was written. */
export function decodeCell(key: string, bytes: Uint8Array): Cell {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const valueAt = WRITER_AT + (record[WRITER_LENGTH_AT] ?? 0)
  if (record.length < valueAt || record.readUInt32LE(0) !== murmur3Bytes(record, CHECKSUM_BYTES)) throw new StoreError('DISK', `the record of "${key}" is corrupt`)
  const writer = record.toString('latin1', WRITER_AT, valueAt)
  return { counter: record.readDoubleLE(COUNTER_AT), writer, value: record[CHECKSUM_BYTES] === TOMBSTONE ? null : record.subarray(valueAt) }
}

/** Where a key stands on the ring, and where its record lies in the table `store`. */
export function placeOf(key: string, partitioner: Partitioner): { readonly token: number; readonly diskKey: string } {
  const token = partitioner.token(key)
  return { token, diskKey: tokenPrefix(token) + key }
}

/** How the disk keys of a token begin. */
export function tokenPrefix(token: number): string {
  return `d${token.toString(16).padStart(8, '0')}`
}

/** The key whose record lies there. */
export function keyIn(diskKey: string): string {
  return diskKey.slice(9)
}
