/**
 * Half-open connections: one that a middlebox has forgotten. Both ends believe in it and hear nothing; whoever dials anew
 * gets through. A store without heartbeats on its connections waits for ever.
 */
import { countsOf, linkFault } from './link-fault.ts'

/** `half-open(TARGETS)`. */
export const halfOpen = linkFault({
  name: 'half-open',
  describes: 'silences the connections that there are to and from nodes; new ones work',
  needs: ['half-open'],
  disturb: (cluster, links) => cluster.links.halfOpen!(links),
  // Long before any node gives its connection up.
  shows: () => ({ messages: 3, bytes: 200, deadlineMs: 250 }),
  bites: ({ volley, struck }) => struck !== 0 && (struck !== undefined || countsOf(volley).lost > 0),
})
