/** Connections that break again and again, as middleboxes and overloaded hosts break them. What was under way is gone. */
import { countsOf, linkFault } from './link-fault.ts'

/** `reset(TARGETS)`. */
export const reset = linkFault({
  name: 'reset',
  describes: 'resets connections to and from nodes',
  parameters: { share: { describes: 'of the packets that are answered by a reset', default: 0.1, min: 0.001, max: 1, swarm: [0.01, 0.2] } },
  needs: ['reset'],
  disturb: (cluster, links, { share }) => cluster.links.reset!(links, Number(share)),
  bites: ({ volley, struck }) => (struck === undefined ? countsOf(volley).lost > 0 : struck > 0),
})
