/**
 * What a replica holds for a key, and how two replicas' views become one.
 *
 * A cell is a value (or a tombstone: the record of a deletion) under a version. Merging keeps the greater version,
 * which is commutative, associative and idempotent: replicas that have seen the same cells hold the same cell, in
 * whatever order and however often these arrived (a join semilattice; the last-writer-wins register of Shapiro et
 * al., "A comprehensive study of convergent and commutative replicated data types", INRIA 2011, section 3.2).
 *
 * A version is (counter, writer). The counter is a Lamport clock or a wall clock, see `timestamps.ts`; the writer
 * names one life of one coordinator, which never issues the same counter twice. So no two writes share a version.
 */

/** When a value was written, and by whom. */
export interface Version {
  readonly counter: number
  readonly writer: string
}

/** A version, and the value that it brought: null is a tombstone. */
export interface Cell extends Version {
  readonly value: Uint8Array | null
}

/** What a replica holds that never heard of the key: less than every version ever issued. */
export const ABSENT: Cell = { counter: 0, writer: '', value: null }

/** Negative, zero or positive as the version of `a` is less than, equal to or greater than that of `b`. */
export function compareVersions(a: Version, b: Version): number {
  if (a.counter !== b.counter) return a.counter - b.counter
  return a.writer === b.writer ? 0 : a.writer < b.writer ? -1 : 1
}

/** The join of two cells. Returns one of its arguments, and `a` when both are the same. */
export function mergeCells(a: Cell, b: Cell): Cell {
  return (compareVersions(a, b) || compareValues(a.value, b.value)) >= 0 ? a : b
}

/** What becomes of writes that conflict. */
export interface ConflictRule {
  /** The join of two cells of one key: commutative, associative, idempotent. Returns `a` itself when `b` adds nothing. */
  merge(a: Cell, b: Cell): Cell
  /** Whether the cell of the greater version is always the join of both. Otherwise replicas that differ give each other theirs. */
  readonly ordered: boolean
}

/** The greater version stays. */
export const lastWriteWins: ConflictRule = { merge: mergeCells, ordered: true }

/** Only a broken coordinator issues a version twice; even then replicas agree in the end: a tombstone wins, then the greater bytes. */
function compareValues(a: Uint8Array | null, b: Uint8Array | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0)
  return Buffer.compare(a, b)
}
