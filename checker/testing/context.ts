/** What a judgement is told in tests: no faults, no clock, no limits that matter. */
import type { JudgeContext } from '../judgement.ts'

/** A context for tests. */
export const context: JudgeContext = { faults: [], timeLimitMs: 60_000, memoryLimitMb: 1_000, elapsedMs: () => 0 }
