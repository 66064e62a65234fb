/** Lossy links. Protocols over TCP see loss as waiting: a lost segment is sent again after 200 ms or more. */
import { countsOf, linkFault } from './link-fault.ts'

/** TCP's shortest wait before it sends again, with something off for clocks. */
const RETRANSMISSION_MS = 150

/** `lose(TARGETS)`. */
export const lose = linkFault({
  name: 'lose',
  describes: 'loses a share of the packets (in the simulator: messages) to and from nodes',
  parameters: { share: { describes: 'of the packets that are lost', default: 0.2, min: 0.001, max: 0.95, swarm: [0.05, 0.4] } },
  needs: ['lose'],
  disturb: (cluster, links, { share }) => cluster.links.lose!(links, Number(share)),
  bites: ({ volley, struck }) => struck !== 0 && (struck !== undefined || countsOf(volley).lost > 0 || volley.elapsedMs >= RETRANSMISSION_MS),
})
