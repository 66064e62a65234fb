/** `splitbrain shrink`: the smallest run that still fails. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Schedule, ScheduledFault } from '../../nemesis/schedule.ts'
import { formatNoun } from '../../reports/format.ts'
import { kindOf, optionTexts, workloadOptions, workloadWith } from '../../workloads/index.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import type { Command } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import type { Plan } from '../plan.ts'
import { findRuns, readPlan } from '../run-folder.ts'
import { runInFolder } from '../run-in-folder.ts'
import { runPlan } from '../run.ts'
import { simplerFault, shrink, type Trial } from '../shrink.ts'
import { UsageError } from '../usage-error.ts'
import { loadWorkloadFile } from '../workload-file.ts'

/** Operations per second of a run that had no rate of its own. */
const RATE = 100

export const shrinkCommand: Command = {
  name: 'shrink',
  arguments: ['RUN'],
  describes: 'Finds a smaller run that still breaks the promise: fewer and shorter faults, fewer operations, keys and clients. Tries in the simulator, whose runs replay exactly; a run of real nodes is shrunk when it fails there too.',
  options: {
    attempts: { value: 'N', describes: 'runs to try at most', default: '200' },
    seeds: { value: 'N', describes: 'seeds to try for each smaller run', default: '3' },
  },
  async execute(args) {
    const dirs = await findRuns(args.positionals[0]!)
    if (dirs.length > 1) throw new UsageError(`${args.positionals[0]} holds ${dirs.length} runs; name one of them: ${dirs.map((dir) => path.relative(process.cwd(), dir)).join(', ')}.`)
    const plan = simulated(await readPlan(path.join(dirs[0]!, 'plan.json')))
    await loadWorkloadFile(plan.workload)
    const scratch = await mkdtemp(path.join(tmpdir(), 'splitbrain-shrink-'))
    const interrupt = onInterrupt(() => console.error('Interrupted: the smallest run so far is shown. Once more to leave at once.'))
    try {
      const first = trialOf(plan)
      if (!(await violates(planOf(plan, first), scratch))) {
        console.log(`unknown: this run does not break its promise in the simulator${plan.driver === 'sim' ? '' : ', although it may on real nodes'}, so there is nothing to shrink.`)
        return exitCodes.unknown
      }
      console.log(describe(first))
      const { trial, attempts, minimal } = await shrink(first, (candidate) => violates(planOf(plan, candidate), scratch), {
        attemptsMax: args.integer('attempts', { min: 1, max: 100_000 }) ?? 200,
        seeds: args.integer('seeds', { min: 1, max: 100 }) ?? 3,
        simpler: simplerFault,
        signal: interrupt.signal,
        onProgress: (smaller, tried) => console.log(`${describe(smaller)} (attempt ${tried})`),
      })
      return await show({ ...planOf(plan, trial), name: `${plan.name}-shrunk` }, `${formatNoun(attempts, 'run')} tried; ${minimal ? 'nothing smaller fails' : 'there may be a smaller one'}`)
    } finally {
      interrupt.dispose()
      await rm(scratch, { recursive: true, force: true })
    }
  },
}

function simulated(plan: Plan): Plan {
  return { ...plan, driver: 'sim', rate: plan.rate ?? RATE }
}

function trialOf({ schedule, time_ms, rate, workload, clients, seed }: Plan): Trial<ScheduledFault> {
  const keys = workloadOptions(workload)['keys']
  return { faults: schedule, operations: Math.ceil((time_ms * rate!) / 1000), keys: typeof keys === 'number' ? keys : 1, clients, seed }
}

/** The plan of a trial: operations are time, at the plan's own rate. */
function planOf(plan: Plan, { faults, operations, keys, clients, seed }: Trial<ScheduledFault>): Plan {
  const counted = optionTexts(kindOf(plan.workload)).some(({ name }) => name === 'keys')
  return { ...plan, schedule: faults as Schedule, time_ms: (operations * 1000) / plan.rate!, clients, seed, workload: counted ? workloadWith(plan.workload, { keys }) : plan.workload }
}

/** Whether a plan breaks its promise, tried in a folder of its own. A run that cannot be carried out does not. */
async function violates(plan: Plan, scratch: string): Promise<boolean> {
  const dir = await mkdtemp(path.join(scratch, 'run-'))
  try {
    const { document } = await runPlan(plan, { dir, label: plan.name, emit: () => undefined, repeat: '', started: '' })
    return document.verdict === 'violated'
  } catch {
    return false
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function describe({ faults, operations, keys, clients, seed }: Trial<ScheduledFault>): string {
  return `${formatNoun(faults.length, 'fault')}, ${formatNoun(operations, 'operation')}, ${formatNoun(keys, 'key')}, ${formatNoun(clients, 'client')}, seed ${seed}`
}

/** Runs the smallest once more, in a folder of its own, with a report. */
async function show(plan: Plan, how: string): Promise<number> {
  const { dir, document, report } = await runInFolder(plan, { repeat: `npx splitbrain run --plan ${path.join('runs', plan.name, 'plan.json')}`, emit: () => undefined })
  const shown = path.relative(process.cwd(), dir)
  console.log(`\n${how}.\n${document.sentence}`)
  for (const fault of plan.schedule) console.log(`  ${fault.fault} at ${fault.at_ms / 1000} s for ${fault.for_ms / 1000} s`)
  console.log(`\nreport  ${path.relative(process.cwd(), report)}\nrepeat  npx splitbrain run --plan ${path.join(shown, 'plan.json')}`)
  return exitCodes[document.verdict]
}
