/**
 * Schedules as files: every run writes its own as `faults.json` into its folder, so that any run's faults can be read,
 * edited and played again (`--schedule FILE`); and what no schedule may ask for.
 */
import { z } from 'zod'
import { faultText, resolveFault, ScheduleError, strikeProblem } from './notation.ts'
import { scheduleSchema, type Schedule, type ScheduledFault } from './schedule.ts'
import type { Scene } from './targets.ts'

/** `faults.json`. */
const scheduleFileSchema = z.strictObject({
  schema: z.literal('splitbrain-faults/1'),
  seed: z.int().min(0).max(0x7fffffff).optional().describe('whom chance strikes; --seed says otherwise'),
  faults: scheduleSchema,
})
export type ScheduleFile = z.infer<typeof scheduleFileSchema>

/** What a run writes as `faults.json`. */
export function scheduleFile(schedule: Schedule, seed: number): ScheduleFile {
  return { schema: 'splitbrain-faults/1', seed, faults: schedule }
}

/** Reads the text of a schedule file. Throws ScheduleError: what is wrong, and where. */
export function parseScheduleFile(text: string, file: string): ScheduleFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ScheduleError(`${file} is not JSON: ${(error as Error).message}. It looks like {"schema": "splitbrain-faults/1", "faults": [{"fault": "kill(one)", "at_ms": 1000, "for_ms": 2000}]}.`)
  }
  const parsed = scheduleFileSchema.safeParse(value)
  if (!parsed.success) throw new ScheduleError(`${file} is no schedule:\n${z.prettifyError(parsed.error)}`)
  const faults = parsed.data.faults.map((entry, index) => {
    try {
      return { ...entry, fault: faultText(resolveFault(entry.fault)) }
    } catch (error) {
      throw new ScheduleError(`${file}, faults[${index}]: ${(error as Error).message}`)
    }
  })
  return { ...parsed.data, faults }
}

/**
 * Throws ScheduleError when two faults would disturb the same kind of thing at the same time: the heal of one would
 * take the other's effect away, and its window in the history would be a lie.
 */
export function refuseOverlaps(schedule: Schedule): void {
  const until = new Map<string, ScheduledFault>()
  for (const next of [...schedule].sort((a, b) => a.at_ms - b.at_ms)) {
    const { disturbs } = resolveFault(next.fault).fault
    const before = until.get(disturbs)
    if (before && before.at_ms + before.for_ms > next.at_ms) {
      throw new ScheduleError(`${before.fault} (from ${before.at_ms} to ${before.at_ms + before.for_ms} ms) and ${next.fault} (from ${next.at_ms} ms) both disturb ${disturbs} at the same time, and the heal of one would heal the other; let them take turns.`)
    }
    until.set(disturbs, next)
  }
}

/** Throws ScheduleError when every fault would begin after clients have stopped: a run in which nothing goes wrong would pass for one that withstood it. */
export function refuseTooLate(schedule: Schedule, timeMs: number): void {
  const first = Math.min(...schedule.map(({ at_ms }) => at_ms))
  if (schedule.length > 0 && first >= timeMs) throw new ScheduleError(`The first fault begins after ${first} ms, and clients work for ${timeMs} ms: nothing would go wrong. Let it begin earlier, or give them more time.`)
}

/** Throws ScheduleError when a fault's selector can select nobody in this scene. */
export function refuseStrangers(schedule: Schedule, scene: Scene): void {
  for (const { fault: text } of schedule) {
    const problem = strikeProblem(resolveFault(text), scene)
    if (problem !== undefined) throw new ScheduleError(`${text} cannot strike here: ${problem}.`)
  }
}
