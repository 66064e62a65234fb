/** Disks that have become read-only, as a file system makes itself after an error. */
import { diskFault } from './disk-fault.ts'

/** `read-only-disk(TARGETS)`. */
export const readOnlyDisk = diskFault({
  name: 'read-only-disk',
  describes: 'makes the disks of nodes read-only, so that their writes fail with EROFS; healing makes them writable and restarts the nodes',
  fault: () => ({ type: 'read-only' }),
  bites: ({ error }) => error === 'EROFS',
  restarts: true,
})
