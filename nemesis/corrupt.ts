/** Damaged bytes, past TCP's own checksum. The store's checksums must catch them: what it believes nevertheless is its fault. */
import { countsOf, linkFault } from './link-fault.ts'

/** `corrupt(TARGETS)`. */
export const corrupt = linkFault({
  name: 'corrupt',
  describes: 'flips bits in what travels to and from nodes',
  parameters: { share: { describes: 'of the pieces of a stream that are damaged', default: 0.2, min: 0.001, max: 1, swarm: [0.02, 0.3] } },
  needs: ['corrupt'],
  disturb: (cluster, links, { share }) => cluster.links.corrupt!(links, Number(share)),
  bites: ({ volley, struck }) => (struck === undefined ? countsOf(volley).lost > 0 : struck > 0),
})
