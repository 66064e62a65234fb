/** Witnesses against themselves: their operations alone must break what they witness, and none of them can be spared. */
import type { Operation } from './operations.ts'

/** The operations that a witness names by the rows of their invocations. A write stays failed, or unknown, as it was. */
function named(operations: readonly Operation[], rows: readonly number[]): Operation[] {
  const events = operations.flatMap((o) => [{ at: o.start, o }, ...(o.outcome === 'open' ? [] : [{ at: o.end, o: undefined }])]).sort((a, b) => a.at - b.at)
  return rows.flatMap((row) => events[row]!.o ?? [])
}

/** What is wrong with a witness, undefined when nothing is. `breaks` says, by definition, whether operations break the model. */
export function witnessFlaw(operations: readonly Operation[], { operations: rows, explanation }: { readonly operations: readonly number[]; readonly explanation: string }, breaks: (operations: readonly Operation[]) => boolean): string | undefined {
  const alone = named(operations, rows)
  if (!breaks(alone)) return `its operations do not break it: ${explanation}`
  // Without a write nobody can have read it.
  const without = (one: Operation): Operation[] => alone.filter((o) => o !== one && !(one.f === 'write' && o.f === 'read' && o.key === one.key && o.value === one.value))
  const spared = alone.find((one) => breaks(without(one)))
  return spared === undefined ? undefined : `its ${spared.f} of ${spared.key} = ${JSON.stringify(spared.value)} can be spared: ${explanation}`
}
