/** `splitbrain cap`: the CAP map of any configurations under the same faults and seeds. */
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { runConfigurations, type PlannedRun } from '../configurations.ts'
import { parseArguments, type Arguments, type Command, type Option } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import { createRunFolder } from '../run-folder.ts'
import { refuseImpossible } from '../refusals.ts'
import { kvPresets } from '../systems.ts'
import { planFrom, planOptions, repeatCommand } from './plan-options.ts'
import { reporterFrom, reporterOptions } from './reporters.ts'
import { runCommand } from './run.ts'

/** Options of `run` that all configurations share. */
const shared = ['workload', 'nemesis', 'driver', 'nodes', 'clients', 'rate', 'time', 'op-timeout', 'expect', 'dcs', 'racks'] as const

const options: Readonly<Record<string, Option>> = {
  presets: { value: 'LIST', describes: 'configurations of the store to compare', default: 'abd,quorum,one' },
  seeds: { value: 'N', describes: 'runs of each configuration', default: '1' },
  seed: { value: 'N', describes: 'the first seed', default: '1' },
  ...Object.fromEntries(shared.map((name) => [name, planOptions[name]!])),
  nemesis: { ...planOptions['nemesis']!, default: 'partition(majority-minority)' },
  ...reporterOptions,
}

/** One run for each configuration and seed. Throws UsageError for what cannot be carried out. */
async function plannedRuns(args: Arguments): Promise<PlannedRun[]> {
  const presets = (args.text('presets') ?? 'abd,quorum,one').split(',').map((name) => name.trim())
  const [first, seeds] = [args.integer('seed', { min: 0, max: 1_000_000_000 }) ?? 1, args.integer('seeds', { min: 1, max: 1_000 }) ?? 1]
  const common = shared.flatMap((name) => (args.text(name) === undefined ? [] : [`--${name}`, args.text(name)!]))
  const planned: PlannedRun[] = []
  for (const preset of presets) {
    for (let seed = first; seed < first + seeds; seed++) {
      const words = ['--preset', preset, ...common, ...(args.text('nemesis') === undefined ? ['--nemesis', 'partition(majority-minority)'] : []), '--seed', String(seed)]
      planned.push({ name: preset, plan: { ...(await planFrom(parseArguments(runCommand, words))), name: 'cap' } })
    }
  }
  for (const { plan } of planned) if (plan.seed === first) await refuseImpossible(plan)
  return planned
}

export const capCommand: Command = {
  name: 'cap',
  arguments: [],
  describes: 'Draws the CAP map: several configurations under the same faults and seeds, what each gave up, and at what latency.',
  options,
  notes: () => ['Configurations:', ...kvPresets.map((p) => `  ${p.name.padEnd(24)}${p.promise}`)],
  async execute(args) {
    const planned = await plannedRuns(args)
    const title = 'The CAP trade-off, observed'
    const startedMs = Date.now()
    const dir = await createRunFolder('cap', startedMs)
    const reporter = reporterFrom(args, title)
    const interrupt = onInterrupt((message) => reporter.on({ type: 'warning', run: planned[0]!.name, message }))
    const repeat = repeatCommand(args.words, planned[0]!.plan.seed)
    try {
      const { report, verdict } = await runConfigurations(planned, { dir, title, reporter, signal: interrupt.signal, repeat, started: new Date(startedMs).toISOString() })
      reporter.on({ type: 'end', report: path.relative(process.cwd(), report), repeat, elapsed_ms: Date.now() - startedMs })
      return exitCodes[verdict]
    } finally {
      interrupt.dispose()
    }
  },
}
