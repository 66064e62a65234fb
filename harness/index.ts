/**
 * The package's root: `import { run, check, report, defineSystem, defineCampaign } from 'splitbrain'`.
 */
export { check, report, run } from './api.ts'
export { defineCampaign } from './campaign/definition.ts'
export { defineSystem } from '../cluster/system.ts'
export { History, HistoryError } from '../checker/history/index.ts'
export type { CheckInput, ReportInput, RunInput } from './api.ts'
export type { CampaignDefinition } from './campaign/definition.ts'
export type { FolderRun } from './run-in-folder.ts'
export type { RunEvent } from '../reports/events.ts'
export type { Client, Command, ImageContents, NodeAddresses, NodeSpec, Peek, RunningNode, System, SystemMembership } from '../cluster/system.ts'
export type { ClockSkew, Cluster, ClusterMembership, Link, Links, Node, NodeClock, NodeState } from '../cluster/cluster.ts'
export type { Completion, Event, Invocation, Json } from '../checker/history/index.ts'
export type { Model, VerdictDocument } from '../checker/verdict.ts'
export type { Clock, Disk, Env, Log, Network, NodeId, PortName, Random, Stream, Table, Timer } from './env.ts'
