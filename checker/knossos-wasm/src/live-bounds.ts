/**
 * What is possible at least and at most at an event, whatever came before it.
 *
 * The least is what one order of all operations made of it. The most is a state that stands for all others, with any of the operations
 * that were open then done. What is possible lies between the two, and so it does after each event that follows; where the two have
 * come to be the same, nothing that came before matters any more (compare coupling from the past: Propp, Wilson 1996).
 */
import { isWithin, nothingUsed } from './live-uses.ts'
import type { Acknowledged, Configuration } from './live-frontier.ts'
import type { State } from './live-object.ts'
import type { Used } from './live-uses.ts'

/** The most that is possible is not followed where it is more than this at once. */
const MOST_MAX = 64

/** `effective`: which of the open operations had taken effect in the one order; `used`: which may have without a response. */
export function leastOf(state: State, effective: readonly Acknowledged[], used: Used): readonly Configuration[] {
  let done = 0
  for (const { slot } of effective) done |= 1 << slot
  return [{ state, done, hide: 0, used }]
}

/** `anything`: stands for every state; `open`: of which the response is known; `used`: which had certainly taken effect without one. Undefined: too much. */
export function mostOf(anything: State, open: readonly Acknowledged[], used: Used): readonly Configuration[] | undefined {
  let all: number[] = [0]
  let hide = 0
  for (const { type, slot } of open) {
    const bit = 1 << slot
    // Having looked is better than having to, and what may be hidden has taken effect or not, as one likes.
    if (type.pure) all = all.map((done) => done | bit)
    else if (type.total) hide |= bit
    else all = [...all, ...all.map((done) => done | bit)]
    if (all.length > MOST_MAX) return undefined
  }
  return all.map((done) => ({ state: anything, done, hide, used }))
}

/** What took effect without a response in all configurations, as far as one of them shows. */
export function usedByAll(frontier: readonly Configuration[]): Used {
  let least = frontier[0]!.used
  for (const { used } of frontier) if (used.size < least.size) least = used
  return frontier.every(({ used }) => isWithin(least, used)) ? least : nothingUsed()
}

/** Whether two frontiers are the same. */
export function areSame(a: readonly Configuration[], b: readonly Configuration[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => isSame(one, other)))
}

function isSame(a: Configuration, b: Configuration): boolean {
  return a.state === b.state && a.done === b.done && a.hide === b.hide && isWithin(a.used, b.used) && isWithin(b.used, a.used)
}
