/** The faults there are, by name. */
import type { Fault } from './fault.ts'
import { clockBump, clockDrift, clockSkew, clockStrobe } from './clock.ts'
import { corrupt } from './corrupt.ts'
import { crashInRecovery, crashLoop } from './crash-loop.ts'
import { bitFlip, truncateFile } from './damage.ts'
import { delay } from './delay.ts'
import { duplicate } from './duplicate.ts'
import { failingSync } from './failing-sync.ts'
import { flapping } from './flapping.ts'
import { fullDisk } from './full-disk.ts'
import { halfOpen } from './half-open.ts'
import { kill } from './kill.ts'
import { limit } from './limit.ts'
import { lose } from './lose.ts'
import { join, leave, replace } from './membership.ts'
import { partition } from './partition.ts'
import { partitionClients } from './partition-clients.ts'
import { pause } from './pause.ts'
import { readOnlyDisk } from './read-only-disk.ts'
import { reorder } from './reorder.ts'
import { outOfMemory } from './out-of-memory.ts'
import { powerLoss, tornWrite } from './power-loss.ts'
import { reset } from './reset.ts'
import { restart, rollingRestart } from './restart.ts'
import { slow } from './slow.ts'
import { slowDisk } from './slow-disk.ts'
import { stall } from './stall.ts'
import { terminate } from './terminate.ts'

const all: readonly Fault[] = [
  partition,
  partitionClients,
  flapping,
  kill,
  terminate,
  restart,
  rollingRestart,
  crashLoop,
  crashInRecovery,
  powerLoss,
  tornWrite,
  pause,
  stall,
  slow,
  slowDisk,
  fullDisk,
  readOnlyDisk,
  failingSync,
  bitFlip,
  truncateFile,
  outOfMemory,
  delay,
  lose,
  duplicate,
  reorder,
  corrupt,
  limit,
  reset,
  halfOpen,
  clockBump,
  clockSkew,
  clockStrobe,
  clockDrift,
  join,
  leave,
  replace,
]

export const faults: ReadonlyMap<string, Fault> = new Map(all.map((fault) => [fault.name, fault]))
