/**
 * What the controller asks the warden, and what comes back. The warden is the first process of a cluster's namespaces
 * and does there what the controller, outside of them, cannot.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { DiskFault, DiskTrial, Link, NodeState, PowerLoss } from '../../cluster.ts'
import type { Command } from '../../system.ts'
import type { DetourEffects } from '../docker/detours.ts'

/** One node as the warden knows it. */
export interface WardenNode {
  readonly id: NodeId
  readonly dataDir: string
  readonly logFile: string
}

/** Something for the warden to do, and under `result` what it answers. */
export interface Requests {
  open: { readonly ask: { readonly runId: string; readonly dir: string; readonly nodes: readonly WardenNode[]; readonly disks: boolean }; readonly result: null }
  spawn: { readonly ask: { readonly node: NodeId; readonly command: Command }; readonly result: null }
  kill: { readonly ask: { readonly node: NodeId }; readonly result: null }
  terminate: { readonly ask: { readonly node: NodeId }; readonly result: null }
  pause: { readonly ask: { readonly node: NodeId }; readonly result: null }
  resume: { readonly ask: { readonly node: NodeId }; readonly result: null }
  throttle: { readonly ask: { readonly node: NodeId; readonly share: number }; readonly result: null }
  /** Of nodes with disks of their own: what is wrong with one (null: nothing), a write on it, and the loss of what was not synced. */
  spoil: { readonly ask: { readonly node: NodeId; readonly fault: DiskFault | null }; readonly result: null }
  trial: { readonly ask: { readonly node: NodeId }; readonly result: DiskTrial }
  lose: { readonly ask: { readonly node: NodeId; readonly tear: boolean }; readonly result: PowerLoss }
  squeeze: { readonly ask: { readonly node: NodeId; readonly squeezed: boolean }; readonly result: null }
  state: { readonly ask: { readonly node: NodeId }; readonly result: NodeState }
  /** What the node's last process has written. */
  log: { readonly ask: { readonly node: NodeId }; readonly result: string }
  /** Runs a program in a node's network namespace with this input. */
  feed: { readonly ask: { readonly node: NodeId; readonly program: readonly [string, ...string[]]; readonly input: string }; readonly result: string }
  /** Leads a link through a proxy on the hub; without effects, leads it there no more. Answers where the proxy is. */
  detour: { readonly ask: { readonly link: Link; readonly effects: DetourEffects | null }; readonly result: string }
  /** How many pieces a link's proxy has damaged. */
  struck: { readonly ask: { readonly link: Link }; readonly result: number }
  /** Connects from the hub; the socket itself is handed over. */
  dial: { readonly ask: { readonly address: string; readonly deadlineMs: number }; readonly result: null }
}
export type RequestType = keyof Requests

/** A request on its way. */
export type Request = { [T in RequestType]: { readonly id: number; readonly type: T; readonly ask: Requests[T]['ask'] } }[RequestType]

/** An answer on its way: a result, or the code and sentence of an error. */
export type Answer =
  | { readonly id: number; readonly type: 'result'; readonly result: unknown }
  | { readonly id: number; readonly type: 'error'; readonly code: string; readonly message: string }
