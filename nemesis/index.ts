/** The faults there are, by name. */
import type { Fault } from './fault.ts'
import { delay } from './delay.ts'
import { kill, pause, slow } from './nodes.ts'
import { partition } from './partition.ts'

export type { Fault, Injection, Observation } from './fault.ts'

export const faults: ReadonlyMap<string, Fault> = new Map([partition, kill, pause, slow, delay].map((fault) => [fault.name, fault]))
