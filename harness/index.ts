/**
 * The package's root: what `import { defineSystem } from 'splitbrain'` finds. A file for `--system` needs nothing else.
 */
export { defineSystem } from '../cluster/system.ts'
export type { Client, Command, ImageContents, NodeAddresses, NodeSpec, Peek, System, SystemMembership } from '../cluster/system.ts'
export type { Cluster, Link, Links, Node, NodeState } from '../cluster/cluster.ts'
export type { Completion, Invocation, Json } from '../checker/history/index.ts'
export type { Model } from '../checker/verdict.ts'
export type { NodeId, PortName } from './env.ts'
