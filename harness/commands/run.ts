/** `splitbrain run`: one configuration, one schedule, one verdict. */
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { ClusterError } from '../../cluster/cluster.ts'
import type { Command } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import { runInFolder } from '../run-in-folder.ts'
import { refuseIdleBugs, refuseImpossible, refuseToWatch } from '../refusals.ts'
import { planFrom, planNotes, planOptions, repeatCommand } from './plan-options.ts'
import { reporterFrom, reporterOptions } from './reporters.ts'

export const runCommand: Command = {
  name: 'run',
  arguments: [],
  describes: 'Starts a cluster, drives clients against it while the nemesis strikes, and judges what they saw.',
  options: { ...planOptions, ...reporterOptions, 'fail-fast': { describes: 'end the run at the first response that breaks what the system promises' } },
  notes: planNotes,
  async execute(args) {
    const notes: string[] = []
    const plan = await planFrom(args, (message) => notes.push(message))
    await refuseImpossible(plan)
    refuseIdleBugs(plan)
    const failFast = args.flag('fail-fast')
    if (failFast) await refuseToWatch(plan)
    const reporter = reporterFrom(args, plan.name)
    for (const message of notes) reporter.on({ type: 'warning', run: plan.name, message })
    const began = performance.now()
    const interrupt = onInterrupt((message) => reporter.on({ type: 'warning', run: plan.name, message }))
    const repeat = repeatCommand(args.words, plan.seed)
    try {
      const { document, report } = await runInFolder(plan, { repeat, failFast, emit: (event) => reporter.on(event), signal: interrupt.signal })
      reporter.on({ type: 'end', report: path.relative(process.cwd(), report), repeat, elapsed_ms: performance.now() - began })
      return exitCodes[document.verdict]
    } catch (error) {
      reporter.on({ type: 'crash', run: plan.name, message: error instanceof Error ? error.message : String(error) })
      reporter.on({ type: 'end', report: null, repeat, elapsed_ms: performance.now() - began })
      if (error instanceof ClusterError) return exitCodes.crash
      throw error
    } finally {
      interrupt.dispose()
    }
  },
}
