/** The labels that everything made by the harness carries, so that it is found again and nothing else is touched. */
export const labels = {
  /** The run that a container, network or volume belongs to. */
  run: 'splitbrain.run',
  /** The one start that made it: two starts under one run's name do not remove each other's things. */
  start: 'splitbrain.start',
  /** The controller that made it: see controller.ts. */
  controller: 'splitbrain.controller',
  /** The node that a container or volume belongs to. */
  node: 'splitbrain.node',
  /** What a container is for: `node`, or `network` (it holds a node's network namespace open). */
  role: 'splitbrain.role',
  /** An image that the harness made; images belong to no run. */
  image: 'splitbrain.image',
} as const
