/**
 * Linearizability, key by key: is there one order of all operations that agrees with real time and that a register
 * (with compare-and-set) could have executed? Herlihy and Wing, "Linearizability" (TOPLAS 12(3), 1990); locality
 * (their theorem 1) is why keys may be judged apart. The engine is `knossos-wasm`.
 */
import { check, createMonitor, HistoryError, models } from 'knossos-wasm'
import type { CheckResult, Model } from 'knossos-wasm'
import type { Judgement, Watch } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'

/** How a history's registers are to be read. */
export interface LinearizableOptions {
  /** `read` and `write` only, or `cas` as well. Default: cas-register. */
  readonly model?: 'register' | 'cas-register'
  /** A failed compare-and-set proves nothing (`drop`, the default) or that the value differed (`strict`). */
  readonly failedCas?: 'drop' | 'strict'
  /** A read of null saw no value (`absent`, the default) or is not known to have seen anything (`unknown`). */
  readonly nilReads?: 'absent' | 'unknown'
}

const WITNESSES_MAX = 20

/** The judgement, for histories of reads, writes and compare-and-sets. */
export function linearizable(options: LinearizableOptions = {}): Judgement {
  const { model: name = 'cas-register', ...rules } = options
  const model = name === 'register' ? models.register(rules) : models.casRegister(rules)
  return {
    name: 'linearizable',
    describes: 'decides per key whether one order of the operations agrees with real time and with a register (zones for unique values, just-in-time linearization otherwise)',
    watch: { model: 'linearizable', start: () => watch(model) },
    async judge(history, context) {
      const result = await check(history, {
        model,
        timeLimitMs: context.timeLimitMs,
        memoryLimitMb: context.memoryLimitMb,
        elapsedMs: context.elapsedMs,
        ...(context.initial === undefined ? {} : { initial: context.initial }),
        ...(context.onProgress === undefined ? {} : { onProgress: context.onProgress }),
      })
      return toVerdict(result)
    },
  }
}

/** Linearizability while the history is being made; only what is open is remembered. */
function watch(model: Model): Watch {
  const monitor = createMonitor({ model, record: false })
  let refused: string | undefined
  return {
    push(event) {
      if (refused !== undefined) return undefined
      try {
        return monitor.push(event)?.explanation
      } catch (error) {
        if (!(error instanceof HistoryError)) throw error
        refused = error.message
        return undefined
      }
    },
    get leaves() {
      return refused ?? monitor.leaves
    },
  }
}

/** What the engine found, as a verdict. */
export function toVerdict({ verdict, reason, perKey, stats }: CheckResult): JudgementVerdict {
  const violated = perKey.filter((key) => key.verdict === 'violated')
  const undecided = perKey.filter((key) => key.verdict === 'unknown')
  const witnesses = violated
    .map((key) => key.witness!)
    .sort((a, b) => a.operations.length - b.operations.length)
    .slice(0, WITNESSES_MAX)
    .map((witness) => ({ ...(witness.key === null ? {} : { key: plain(witness.key) }), operations: [...witness.operations], explanation: witness.explanation }))
  const over = `${stats.operations} ${stats.operations === 1 ? 'operation' : 'operations'} on ${stats.keys} ${stats.keys === 1 ? 'key' : 'keys'}`
  const summary =
    verdict === 'holds' ? `not refuted: ${over} ${stats.operations === 1 ? 'has' : 'have'} a linearization`
    : verdict === 'violated' ? `${violated.length} of ${stats.keys} ${stats.keys === 1 ? 'key' : 'keys'} not linearizable: ${witnesses[0]!.explanation}`
    : `undecided: ${reason}`
  return {
    judgement: 'linearizable',
    model: 'linearizable',
    verdict,
    ...(reason === undefined ? {} : { reason }),
    summary,
    operations: stats.operations,
    witnesses,
    metrics: { keys: stats.keys, keys_violated: violated.length, keys_undecided: undecided.length, visits: stats.visits },
  }
}

/** A mutable copy, as zod's JSON type wants it. */
function plain(value: unknown): string | number | boolean | null {
  return JSON.parse(JSON.stringify(value)) as string | number | boolean | null
}
