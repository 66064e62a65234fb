/** `splitbrain doctor`: what this machine can do, per driver, and why not. */
import type { Command } from '../command.ts'
import { engineOptions, enginesFrom } from './container-options.ts'
import { doctor, doctorLines } from '../doctor.ts'
import { allDrivers } from '../registry.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  arguments: [],
  describes: 'Shows what each driver can do to a cluster on this machine, how, or why not.',
  options: { ...engineOptions, json: { describes: 'print the findings as JSON' } },
  async execute(args) {
    const engines = enginesFrom(args)
    const report = await doctor(await allDrivers(engines), engines?.hosts)
    console.log(args.flag('json') ? JSON.stringify(report, null, 2) : doctorLines(report).join('\n'))
    return 0
  },
}
