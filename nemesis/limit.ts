/** Thin links: so few bytes a second that queues build up, and what is sent arrives late. */
import { linkFault } from './link-fault.ts'

/** How long the volley takes on the limited link, and its messages' size. */
const TAKES_S = 0.6
const BYTES = 500
/** Frames and headers come on top, bursts and buffers take off: a volley at this much of its rate is limited. */
const TOLERANCE = 0.6

/** `limit(TARGETS)`. */
export const limit = linkFault({
  name: 'limit',
  describes: 'bounds the bandwidth of links to and from nodes',
  parameters: { bytes_per_second: { describes: 'in each direction of each link', default: 20_000, min: 1_000, max: 2_000_000, swarm: [10_000, 200_000] } },
  needs: ['limit'],
  disturb: (cluster, links, { bytes_per_second: rate }) => cluster.links.limit!(links, Number(rate)),
  shows: ({ bytes_per_second: rate }) => ({ messages: Math.max(1, Math.ceil((Number(rate) * TAKES_S) / BYTES)), bytes: BYTES, deadlineMs: 5_000 }),
  bites: ({ volley }) => volley.elapsedMs >= TAKES_S * 1_000 * TOLERANCE,
})
