/** Linearizability of other objects than registers: sets, counters, queues, locks. The engine is `knossos-wasm`. */
import { check, withArticle } from 'knossos-wasm'
import type { Model } from 'knossos-wasm'
import { INFO, INVOKE } from './history/index.ts'
import { toVerdict } from './linearizable.ts'
import { objectUnknown } from './object-operations.ts'
import type { History } from './history/index.ts'
import type { Judgement } from './judgement.ts'

/**
 * Linearizability as any object that the engine has a model of. `onLadder`: whether the store promises anything of the object,
 * so that a decision is one of its linearizability; otherwise, and undecided, it stands beside the ladder. `settle`: says what
 * became of operations of unknown outcome, where others tell. Where more than `crashedMax` of those that are left are on
 * one key the exponential search is not even begun.
 */
export function linearizableObject(model: Model, onLadder: boolean, { crashedMax = Infinity, settle }: { readonly crashedMax?: number; readonly settle?: (history: History) => SettledHistory } = {}): Judgement {
  return {
    name: `linearizable ${model.name}`,
    describes: `decides whether one order of the operations agrees with real time and with ${withArticle(model.name)}`,
    async judge(original, { timeLimitMs, memoryLimitMb, elapsedMs }) {
      const { history, rows } = settle?.(original) ?? { history: original, rows: undefined }
      const crashed = mostCrashed(history)
      if (crashed > crashedMax) return objectUnknown(`linearizable ${model.name}`, 0, `${crashed} operations on one key are of unknown outcome, and more than ${crashedMax} make the search exponential`)
      const { model: rung, ...verdict } = toVerdict(await check(history, { model, timeLimitMs, memoryLimitMb, elapsedMs }))
      const witnesses = verdict.witnesses.map((one) => ({ ...one, operations: one.operations.map((row) => rows?.[row] ?? row) }))
      const named = { ...verdict, witnesses, judgement: `linearizable ${model.name}` }
      return onLadder && rung !== undefined && named.verdict !== 'unknown' ? { ...named, model: rung } : named
    },
  }
}

/** A history without some of its operations of unknown outcome; by row the row in the original. */
export interface SettledHistory {
  readonly history: History
  readonly rows: readonly number[]
}

/** The most operations of unknown outcome on any key. */
function mostCrashed(history: History): number {
  const counts = new Map<number, number>()
  for (let row = 0; row < history.length; row++) {
    const done = history.pair[row]!
    if (history.type[row] !== INVOKE || history.process[row]! < 0 || (done >= 0 && history.type[done] !== INFO)) continue
    counts.set(history.key[row]!, (counts.get(history.key[row]!) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}
