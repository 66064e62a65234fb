/** `splitbrain doctor`: what this machine and its drivers can do. */
import type { Command } from '../command.ts'
import { doctor, doctorLines } from '../doctor.ts'
import { allDrivers } from '../registry.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  arguments: [],
  describes: 'Says which faults each driver can inject on this machine, how, or why not. Everything is tried, nothing is assumed.',
  options: {},
  async execute() {
    for (const line of doctorLines(await doctor(allDrivers()))) console.log(line)
    return 0
  },
}
