/** `splitbrain report`: writes a run's report again, judging first what was never judged. */
import path from 'node:path'
import type { Command } from '../command.ts'
import { configurationName } from '../plan.ts'
import { kvPresets } from '../systems.ts'
import { writeReport, type JudgedRun } from '../report-files.ts'
import { findRuns, loadRun } from '../run-folder.ts'
import { judgeRun } from '../run.ts'

export const reportCommand: Command = {
  name: 'report',
  arguments: ['RUN'],
  describes: 'Writes report.html of a run or a tour again (RUN is its folder, for example runs/latest). A run that was cut short is judged first.',
  options: {},
  async execute(args) {
    const where = args.positionals[0]!
    const dirs = await findRuns(where)
    const runs: (JudgedRun & { readonly title: string })[] = []
    for (const dir of dirs) {
      const { plan, history, document } = await loadRun(dir)
      const repeat = `npx splitbrain run --plan ${path.relative(process.cwd(), path.join(dir, 'plan.json'))}`
      runs.push({
        name: dirs.length === 1 ? configurationName(plan) : path.basename(dir),
        title: plan.name,
        dir,
        history,
        document: document ?? await judgeRun(plan, history, { dir, label: plan.name, emit: () => undefined, repeat, started: new Date().toISOString() }),
      })
    }
    const order = kvPresets.map((p) => p.name)
    runs.sort((a, b) => order.indexOf(a.document.run?.preset ?? '') - order.indexOf(b.document.run?.preset ?? ''))
    const target = dirs.length === 1 ? dirs[0]! : path.dirname(dirs[0]!)
    const [first] = runs
    const report = await writeReport(runs, { dir: target, title: dirs.length === 1 ? first!.title : 'The CAP trade-off, observed', repeat: first!.document.run?.repeat ?? '', generated: first!.document.run?.started ?? '' })
    console.log(path.relative(process.cwd(), report))
    return 0
  },
}
