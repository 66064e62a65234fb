/**
 * Disks that take writes and cannot make them safe. Who tries fsync again after such an error may be told that all is
 * well, and has lost what was written (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
 */
import { diskFault } from './disk-fault.ts'

/** `failing-sync(TARGETS)`. */
export const failingSync = diskFault({
  name: 'failing-sync',
  describes: 'lets syncs of the disks of nodes fail with EIO; healing makes the disks whole and restarts the nodes',
  fault: () => ({ type: 'failing-sync' }),
  bites: ({ error }) => error === 'EIO',
  restarts: true,
})
