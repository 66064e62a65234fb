/** Full disks: nothing can be written any more, and what is there can be read. */
import { diskFault } from './disk-fault.ts'

/** `full-disk(TARGETS)`. */
export const fullDisk = diskFault({
  name: 'full-disk',
  describes: 'fills the disks of nodes, so that their writes fail with ENOSPC; healing frees them and restarts the nodes',
  fault: () => ({ type: 'full' }),
  bites: ({ error }) => error === 'ENOSPC',
  restarts: true,
})
