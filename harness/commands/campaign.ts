/** `splitbrain campaign`: configurations x faults x seeds, one matrix, kept in a database. */
import { choose, type Arguments, type Command, type Option } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { cancelCampaign, exportCampaign, grantRights, reportCampaign, showCampaign, statusOfCampaign } from './campaign-read.ts'
import { matrixOptions, resumeCampaign, runNewCampaign } from './campaign-run.ts'
import { reporterOptions } from './reporters.ts'
import { workOptions } from './store-options.ts'

const actions: Readonly<Record<string, { readonly takes: string; readonly execute: (args: Arguments, what: string | undefined) => Promise<number> }>> = {
  run: { takes: 'FILE (or the options below)', execute: runNewCampaign },
  resume: { takes: 'a campaign', execute: resumeCampaign },
  status: { takes: 'a campaign, or nothing for all of them', execute: statusOfCampaign },
  show: { takes: 'a campaign', execute: showCampaign },
  report: { takes: 'a campaign', execute: reportCampaign },
  export: { takes: 'a campaign', execute: exportCampaign },
  cancel: { takes: 'a campaign', execute: cancelCampaign },
  grant: { takes: "a database role, which may then carry out campaigns' runs as a worker", execute: grantRights },
}

const options: Readonly<Record<string, Option>> = {
  ...matrixOptions,
  ...workOptions,
  ...reporterOptions,
  junit: { value: 'FILE', describes: 'write JUnit XML, a test case for each cell' },
  run: { value: 'ID', describes: 'with show: one run, whose folder is made again from the store' },
  json: { describes: 'with status and show: as JSON' },
}

export const campaignCommand: Command = {
  name: 'campaign',
  arguments: ['ACTION', '[WHAT]'],
  describes: 'Runs a matrix of configurations, faults and seeds, and shows where promises break, how often, and by which smallest run. Can be stopped and resumed at any time.',
  options,
  notes: () => ['ACTION:', ...Object.entries(actions).map(([name, { takes }]) => `  ${name.padEnd(8)}${takes}`), '', 'A campaign is named by its name (the newest of that name) or its number.', 'Example: splitbrain campaign run --presets abd,quorum,one --nemesis partition,kill,swarm --seeds 100'],
  async execute(args) {
    const [name, what] = args.positionals
    const action = actions[choose('action', name!, Object.keys(actions))]!
    if (what === undefined && name === 'grant') throw new UsageError(`splitbrain campaign ${name} takes ${action.takes}.`)
    return action.execute(args, what)
  },
}
