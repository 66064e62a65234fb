/**
 * Half-open connections: one that a middlebox has forgotten. Both ends believe in it and hear nothing; whoever dials anew
 * gets through. A store without heartbeats on its connections waits for ever.
 */
import { countsOf, linkFault } from './link-fault.ts'

/** How long a node may take to dial another. */
const DIAL_MS = 1_000

/** `half-open(TARGETS)`. */
export const halfOpen = linkFault({
  name: 'half-open',
  describes: 'silences the connections that there are to and from nodes; new ones work',
  needs: ['half-open'],
  // Nodes that have no connection at the moment dial a new one, which nothing silences: so let them have one first.
  async disturb({ links: net }, links) {
    await Promise.allSettled(links.map((link) => net.probe(link, DIAL_MS)))
    await net.halfOpen!(links)
  },
  // Long before any node gives its connection up.
  shows: () => ({ messages: 3, bytes: 200, deadlineMs: 250 }),
  bites: ({ volley, struck }) => struck !== 0 && (struck !== undefined || countsOf(volley).lost > 0),
})
