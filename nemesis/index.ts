/** The faults there are, by name. */
import type { Fault } from './fault.ts'
import { clockBump, clockDrift, clockSkew, clockStrobe } from './clock.ts'
import { crashInRecovery, crashLoop } from './crash-loop.ts'
import { delay } from './delay.ts'
import { flapping } from './flapping.ts'
import { kill } from './kill.ts'
import { partition } from './partition.ts'
import { partitionClients } from './partition-clients.ts'
import { pause } from './pause.ts'
import { restart, rollingRestart } from './restart.ts'
import { slow } from './slow.ts'
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
  pause,
  stall,
  slow,
  delay,
  clockBump,
  clockSkew,
  clockStrobe,
  clockDrift,
]

export const faults: ReadonlyMap<string, Fault> = new Map(all.map((fault) => [fault.name, fault]))
