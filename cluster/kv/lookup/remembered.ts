/**
 * A lookup that remembers for a moment: whoever asks for many keys at once asks for each arc of the ring once.
 */
import type { Clock } from '../../../harness/env.ts'
import { onArc } from '../partitioner.ts'
import type { Location, Lookup } from './lookup.ts'

/** The same lookup; what it said within the last `forMs` holds for the whole arc. */
export function remembered(lookup: Lookup, clock: Clock, forMs: number): Lookup {
  let arcs: { readonly location: Location; readonly until: number }[] = []
  let last: Promise<unknown> = Promise.resolve()
  const known = (token: number): Location | undefined => {
    const now = clock.now()
    arcs = arcs.filter(({ until }) => until > now)
    return arcs.find(({ location }) => onArc(token, location.after, location.upTo))?.location
  }
  const ask = async (token: number): Promise<Location> => {
    const location = known(token) ?? (await lookup.find(token))
    if (known(token) === undefined) arcs.push({ location, until: clock.now() + forMs * 1e6 })
    return location
  }
  return {
    find: token => {
      // One after the other: the answer to the first is that to most of the others.
      const answer = last.then(() => ask(token))
      last = answer.catch(() => undefined)
      return answer
    },
  }
}
