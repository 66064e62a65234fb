/** `splitbrain doctor`: what this machine can do, per driver, and why not. */
import { capabilities } from '../../cluster/cluster.ts'
import { faults } from '../../nemesis/index.ts'
import type { Command } from '../command.ts'
import { allDrivers } from '../registry.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  arguments: [],
  describes: 'Shows what each driver can do to a cluster on this machine, and why not.',
  options: { json: { describes: 'print the matrix as JSON' } },
  async execute(args) {
    const reports = await Promise.all(allDrivers().map(async (driver) => ({ driver: driver.name, report: await driver.capabilities() })))
    if (args.flag('json')) {
      console.log(JSON.stringify(Object.fromEntries(reports.map(({ driver, report }) => [driver, report])), null, 2))
      return 0
    }
    for (const { driver, report } of reports) {
      console.log(`${driver}:`)
      for (const capability of capabilities) console.log(`  ${report[capability].available ? 'yes' : 'no '}  ${capability.padEnd(10)} ${report[capability].reason}`)
      const able = [...faults.values()].filter((fault) => fault.needs.every((need) => report[need].available)).map((fault) => fault.name)
      console.log(`  faults: ${able.length === 0 ? 'none' : able.join(', ')}`)
    }
    return 0
  },
}
