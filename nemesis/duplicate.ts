/** Doubled packets. TCP hides them from the nodes, which then see nothing but more traffic; messages of the simulator come twice. */
import { countsOf, linkFault } from './link-fault.ts'

/** `duplicate(TARGETS)`. */
export const duplicate = linkFault({
  name: 'duplicate',
  describes: 'sends a share of the packets (in the simulator: messages) to and from nodes twice',
  parameters: { share: { describes: 'of the packets that are sent twice', default: 0.3, min: 0.001, max: 1, swarm: [0.05, 0.8] } },
  needs: ['duplicate'],
  disturb: (cluster, links, { share }) => cluster.links.duplicate!(links, Number(share)),
  bites: ({ volley, struck }) => countsOf(volley).doubled > 0 || (struck ?? 0) > 0,
})
