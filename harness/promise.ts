/** What a run is judged against. */
import type { Judgement } from '../checker/judgement.ts'
import type { Model } from '../checker/verdict.ts'
import type { System } from '../cluster/system.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Plan } from './plan.ts'

/** What the plan asks for, or else what the system promises to clients that go about as the workload's do. */
export function promisedIn({ expect }: Pick<Plan, 'expect'>, { expected, expectedWhenMoving = expected }: Pick<System, 'expected' | 'expectedWhenMoving'>, { moves }: Pick<Workload, 'moves'>): Model {
  return expect ?? (moves === true ? expectedWhenMoving : expected)
}

/** Whether acknowledged writes may be lost under this plan's faults without a promise being broken. A plan that asks for a model itself asks for its writes, too. */
export function losesWrites({ losesWrites: when }: System, { expect, schedule }: Plan): boolean {
  if (expect !== undefined) return false
  return when === 'at failover' || (when === 'when clocks differ' && schedule.some(({ fault }) => /clock|skew/.test(fault)))
}

/** The workload's judgements. Where acknowledged writes may be lost, its object suffers by that, and breaks no promise. */
export function judgementsIn(plan: Plan, system: System, { judgements }: Workload): readonly Judgement[] {
  return losesWrites(system, plan) ? judgements.map((one) => (one.binding === true ? { ...one, binding: false } : one)) : judgements
}
