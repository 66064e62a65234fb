/**
 * What was true: histories, judgements of them, and the verdict document. Everything that the rest of the project
 * (and a program that uses the package) needs of this folder.
 */
export { judge, judgements, registerJudgements } from './judge.ts'
export type { JudgeOptions } from './judge.ts'
export type { JudgeContext, Judgement } from './judgement.ts'
export { linearizable } from './linearizable.ts'
export { sequential } from './sequential.ts'
export { regular } from './regular.ts'
export { safe } from './safe.ts'
export { causal } from './causal.ts'
export { monotonicReads, monotonicWrites, pram, readYourWrites, writesFollowReads } from './sessions.ts'
export { convergence } from './convergence.ts'
export { durability } from './durability.ts'
export { staleness } from './staleness.ts'
export { vacuity } from './vacuity.ts'
export { availabilityOf } from './availability.ts'
export { latencyOf } from './latency.ts'
export { faultWindows } from './faults.ts'
export { implied, ladderOf, meanings, strongestOf, weakerThan } from './ladder.ts'
export { periodsOf, windowName } from './periods.ts'
export { replicasOf } from './replicas.ts'
export * from './verdict.ts'
