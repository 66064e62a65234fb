/** `splitbrain presets`: the configurations of our own store, with what each promises and what that costs. */
import { presets } from '../../cluster/kv/presets.ts'
import type { Command } from '../command.ts'

export const presetsCommand: Command = {
  name: 'presets',
  arguments: [],
  describes: "Lists the configurations of our own store, with what each promises and at what cost.",
  options: {},
  async execute() {
    for (const { name, expected, promise } of Object.values(presets)) console.log(`${name.padEnd(24)}${expected.padEnd(18)}${promise}`)
    return 0
  },
}
