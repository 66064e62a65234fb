/** `splitbrain run`: one configuration, one schedule, one verdict. */
import path from 'node:path'
import { exitCodes } from '../../checker/verdict.ts'
import { ClusterError } from '../../cluster/cluster.ts'
import type { Command } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import { configurationName } from '../plan.ts'
import { writeReport } from '../report-files.ts'
import { createRunFolder, point } from '../run-folder.ts'
import { refuseImpossible, refuseToWatch, runPlan } from '../run.ts'
import { planFrom, planNotes, planOptions, repeatCommand } from './plan-options.ts'
import { reporterFrom, reporterOptions } from './reporters.ts'

export const runCommand: Command = {
  name: 'run',
  arguments: [],
  describes: 'Starts a cluster, drives clients against it while the nemesis strikes, and judges what they saw.',
  options: { ...planOptions, ...reporterOptions, 'fail-fast': { describes: 'end the run at the first response that breaks what the system promises' } },
  notes: planNotes,
  async execute(args) {
    const plan = await planFrom(args)
    await refuseImpossible(plan)
    if (args.flag('fail-fast')) await refuseToWatch(plan)
    const configuration = configurationName(plan)
    const startedMs = Date.now()
    const dir = await createRunFolder(plan.name, startedMs)
    const reporter = reporterFrom(args, plan.name)
    const interrupt = onInterrupt((message) => reporter.on({ type: 'warning', run: plan.name, message }))
    const repeat = repeatCommand(args.words, plan.seed)
    const started = plan.driver === 'sim' ? new Date(Date.UTC(2025, 0, 1)).toISOString() : new Date(startedMs).toISOString()
    reporter.on({ type: 'announce', run: plan.name, describes: `${configuration} on ${plan.nodes} nodes (${plan.driver})` })
    try {
      const { document, history } = await runPlan(plan, { dir, label: plan.name, emit: (event) => reporter.on(event), signal: interrupt.signal, failFast: args.flag('fail-fast'), repeat, started })
      reporter.on({ type: 'phase', run: plan.name, phase: 'report', left_ms: null })
      const report = await writeReport([{ name: configuration, dir, document, history }], { dir, title: plan.name, repeat, generated: started })
      await point('latest', dir)
      reporter.on({ type: 'end', report: path.relative(process.cwd(), report), repeat, elapsed_ms: Date.now() - startedMs })
      // A run that was cut short has not shown what it was asked to show.
      return interrupt.signal.aborted && document.verdict === 'holds' ? exitCodes.unknown : exitCodes[document.verdict]
    } catch (error) {
      reporter.on({ type: 'crash', run: plan.name, message: error instanceof Error ? error.message : String(error) })
      reporter.on({ type: 'end', report: null, repeat, elapsed_ms: Date.now() - startedMs })
      if (error instanceof ClusterError) return exitCodes.crash
      throw error
    } finally {
      interrupt.dispose()
    }
  },
}
