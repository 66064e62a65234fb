/** Staleness by its definition: every read against every pair of writes, on plain operations. */
import type { Operation } from './operations.ts'

/** How old one read was. */
export interface Age {
  /** Milliseconds since what it returned was certainly overwritten; 0 where it was not. */
  readonly ms: number
  /** Acknowledged writes that certainly came after what it returned, and before the read. 0 where it is not stale. */
  readonly versions: number
  /** Milliseconds from the last acknowledgement of a write to its key to the read, and whether it may have returned that write or a newer one; undefined where there is none, or nobody wrote what it returned. */
  readonly sinceWrite: { readonly ms: number; readonly consistent: boolean } | undefined
}

/** For each successful read. Values are written once. */
export function ages(operations: readonly Operation[]): Age[] {
  return operations.filter(({ f, outcome }) => f === 'read' && outcome === 'ok').map((read) => ageOf(read, operations.filter(({ key, outcome }) => key === read.key && outcome !== 'fail')))
}

function ageOf(read: Operation, register: readonly Operation[]): Age {
  const acknowledged = register.filter(({ f, outcome }) => f === 'write' && outcome === 'ok')
  const returned = register.some(({ f, value }) => f === 'write' && value === read.value)
  if (read.value !== null && !returned) return { ms: 0, versions: 0, sinceWrite: undefined }
  // It had taken effect once its writer was told so, or somebody had read it.
  const effect = read.value === null ? -Infinity : Math.min(...register.filter(({ value, outcome }) => value === read.value && outcome === 'ok').map(({ end }) => end))
  const newer = acknowledged.filter(({ start, end }) => start > effect && end < read.start)
  const earlier = acknowledged.filter(({ end }) => end < read.start)
  const last = earlier.find(({ end }) => earlier.every((other) => other.end <= end))
  return {
    ms: newer.length === 0 ? 0 : read.start - Math.min(...newer.map(({ end }) => end)),
    versions: newer.length,
    sinceWrite: last && { ms: read.start - last.end, consistent: effect >= last.start },
  }
}
