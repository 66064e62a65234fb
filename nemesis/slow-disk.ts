/** Slow disks: writes that must survive a power loss are confirmed late, and with them whatever waits for them. */
import { diskFault } from './disk-fault.ts'

/** The disk itself may be slow by nature, but not by as much and always. */
const QUICK_MS = 5

/** `slow-disk(TARGETS)`. */
export const slowDisk = diskFault({
  name: 'slow-disk',
  describes: 'lets the disks of nodes confirm synced writes late',
  parameters: { ms: { describes: 'how late', default: 100, min: 1, max: 60_000, swarm: [10, 500] } },
  fault: ({ ms }) => ({ type: 'slow', ms: Number(ms) }),
  bites: ({ tookMs, error }, { ms }) => error === undefined && tookMs >= Math.max(Number(ms), QUICK_MS),
  restarts: false,
})
