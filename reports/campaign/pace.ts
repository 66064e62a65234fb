/**
 * How fast a campaign goes and how long it will still take, from how far it was and is. Only the last half minute
 * counts: runs differ, workers come and go.
 */
import { formatCount, formatNoun, visible } from '../format.ts'

const windowMs = 30_000
const sampleMs = 250
/** Before that, a speed says nothing. */
const knownAfterMs = 1000

/** Remembers how far it was. */
export interface Pace {
  /** Takes note that so many runs have ended. */
  tell(done: number, nowMs: number): void
  /** Runs a second; undefined while it cannot be known. */
  perSecond(nowMs: number): number | undefined
}

/** Nothing told yet. */
export function createPace(): Pace {
  let told: { readonly done: number; readonly atMs: number }[] = []
  return {
    tell(done, nowMs) {
      if (done <= (told.at(-1)?.done ?? -1)) return
      if (told.length > 1 && nowMs - told.at(-2)!.atMs < sampleMs) told.pop()
      told.push({ done, atMs: nowMs })
      // One that is older than the window stays, so that slow runs have a speed, too.
      const first = told.findLastIndex(({ atMs }) => atMs <= nowMs - windowMs)
      if (first > 0) told = told.slice(first)
    },
    perSecond(nowMs) {
      const [first, last] = [told[0], told.at(-1)]
      if (first === undefined || last!.done === first.done || nowMs - first.atMs < knownAfterMs) return undefined
      return ((last!.done - first.done) * 1000) / (nowMs - first.atMs)
    },
  }
}

/** "[42/300] 3.1 runs/s, 4 workers, about 83 s left", or what it waits for. */
export function paceWords({ done, total, workers, waiting }: { readonly done: number; readonly total: number | null; readonly workers: number; readonly waiting: string | null }, perSecond: number | undefined): string {
  const count = total === null ? `[${formatCount(done)}]` : `[${formatCount(done)}/${formatCount(total)}]`
  if (waiting !== null) return `${count} waiting: ${visible(waiting)}`
  const parts = [
    ...(perSecond === undefined ? [] : [`${perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond)} runs/s`]),
    ...(workers === 0 ? [] : [formatNoun(workers, 'worker')]),
    ...(perSecond === undefined || total === null || total <= done ? [] : [`about ${leftText(Math.ceil((total - done) / perSecond))} left`]),
  ]
  return `${count} ${parts.join(', ')}`.trimEnd()
}

/** No more exactly than it can be known: "45 s", "12 min", "3 h 20 min". */
function leftText(seconds: number): string {
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
