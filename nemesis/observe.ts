/**
 * Looking for an effect until it shows: heals take a moment to be seen, and a single look would lie.
 */
import type { Clock } from '../harness/env.ts'
import { sleep } from '../harness/clock.ts'
import type { Observation } from './fault.ts'

/** Time between two looks. */
const INTERVAL_MS = 50

/** Repeats `look` until it sees the effect or `deadlineMs` has passed; returns the last observation. */
export async function untilSeen(clock: Clock, deadlineMs: number, look: () => Promise<Observation>): Promise<Observation> {
  const start = clock.now()
  for (;;) {
    const observation = await look()
    if (observation.seen || clock.now() - start >= deadlineMs * 1e6) return observation
    await sleep(clock, INTERVAL_MS)
  }
}
