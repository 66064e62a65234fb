/** `splitbrain clean`: removes what killed runs left behind. */
import type { Command } from '../command.ts'
import { engineOptions, enginesFrom } from './container-options.ts'
import { sweepTrees } from '../bisect/tree.ts'
import { sweepWorkFolders } from '../campaign/work-folder.ts'
import { allDrivers } from '../registry.ts'
import { sweepEmbedded } from '../store/database.ts'

export const cleanCommand: Command = {
  name: 'clean',
  arguments: [],
  describes: 'Removes every process, container, network and volume that killed runs left, working trees of killed bisections, and ends the embedded database when nobody uses it. Runs that still go on are not touched; histories, reports and campaigns stay.',
  options: { ...engineOptions, run: { value: 'ID', describes: 'only this run; its containers even if it still goes on, its processes only when its controller is gone' } },
  async execute(args) {
    const removed: string[] = []
    for (const driver of await allDrivers(enginesFrom(args))) {
      // A driver that can do nothing here (no engine, no right to use it) cannot have left anything that we could remove.
      const able = Object.values(await driver.capabilities()).some((status) => status.available)
      if (able) removed.push(...await driver.clean(args.text('run')))
    }
    if (args.text('run') === undefined) removed.push(...await sweepWorkFolders(), ...await sweepTrees(), ...await sweepEmbedded())
    for (const line of removed) console.log(line)
    console.log(removed.length === 0 ? 'Nothing was left behind.' : `Removed ${removed.length}.`)
    return 0
  },
}
