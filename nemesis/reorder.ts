/** Messages that are overtaken by later ones. */
import { countsOf, linkFault } from './link-fault.ts'

/** `reorder(TARGETS)`. */
export const reorder = linkFault({
  name: 'reorder',
  describes: 'lets a share of the messages to and from nodes be overtaken by later ones',
  parameters: {
    share: { describes: 'of the messages that are held back', default: 0.3, min: 0.001, max: 1, swarm: [0.05, 0.8] },
    ms: { describes: 'how long they are held back at most', default: 50, min: 1, max: 60_000, swarm: [5, 200] },
  },
  needs: ['reorder'],
  disturb: (cluster, links, { share, ms }) => cluster.links.reorder!(links, Number(share), Number(ms)),
  bites: ({ volley, struck }) => countsOf(volley).overtaken > 0 && struck !== 0,
})
