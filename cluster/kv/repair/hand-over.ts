/**
 * Handing over: a node that holds cells of a range that is not its own any more gives them to those whose it is, and
 * lets go of each when all of these have it. What is not confirmed stays here and is tried again, so that nothing is
 * lost while ranges move, whoever fails meanwhile.
 */
import type { NodeId } from '../../../harness/env.ts'
import { NOBODY, WRITE } from '../messages.ts'
import type { TokenRange } from '../partitioner.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import type { Cell } from '../versions.ts'

/** Cells under way at a time. */
const AT_ONCE = 64

/** What handing over works on. */
export interface HandOverOptions {
  readonly rpc: Rpc
  readonly storage: Storage
  /** Whether this node lets go of what the others have. */
  readonly forget: boolean
  /** Whether that is still right, asked before each. Default: always. */
  readonly still?: () => boolean
}

/** Gives the cells of these ranges to all `owners`. Resolves to how many were confirmed by all of them, and how many were not. */
export async function handOver({ rpc, storage, forget, still }: HandOverOptions, ranges: readonly TokenRange[], owners: readonly NodeId[]): Promise<{ readonly given: number; readonly left: number }> {
  let given = 0
  let left = 0
  const give = async (batch: readonly (readonly [key: string, cell: Cell])[]): Promise<void> => {
    await Promise.all(batch.map(async ([key, cell]) => {
      const stored = await rpc.gather(WRITE, { to: owners, request: [key, cell, NOBODY], need: owners.length })
      if (!stored.complete) left++
      else if (!forget || (await storage.forget(key, cell, still))) given++
      else left++
    }))
  }
  for (const range of ranges) {
    let batch: (readonly [string, Cell])[] = []
    for await (const entry of storage.scan(...range)) {
      batch.push(entry)
      if (batch.length < AT_ONCE) continue
      await give(batch)
      batch = []
      // Owners that do not answer now are not asked for every single cell.
      if (left > 0) return { given, left }
    }
    await give(batch)
  }
  return { given, left }
}
