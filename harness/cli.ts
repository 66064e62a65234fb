/**
 * The command line: finds the subcommand, hands it its arguments, and turns what comes back into an exit code
 * (0 holds, 1 violated, 2 unknown, 254 bad usage, 255 the harness failed, as Jepsen's).
 */
import { exitCodes } from '../checker/exit-codes.ts'
import { closest, help, parseArguments, type Command } from './command.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

/** Every subcommand, in the order in which the help lists them. Only what is asked for is loaded: all of it takes longer than many a command. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  tour: async () => (await import('./commands/tour.ts')).tourCommand,
  run: async () => (await import('./commands/run.ts')).runCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  compare: async () => (await import('./commands/compare.ts')).compareCommand,
  shrink: async () => (await import('./commands/shrink.ts')).shrinkCommand,
  bisect: async () => (await import('./commands/bisect.ts')).bisectCommand,
  cap: async () => (await import('./commands/cap.ts')).capCommand,
  campaign: async () => (await import('./commands/campaign.ts')).campaignCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  query: async () => (await import('./commands/query.ts')).queryCommand,
  cluster: async () => (await import('./commands/cluster.ts')).clusterCommand,
  presets: async () => (await import('./commands/presets.ts')).presetsCommand,
  workloads: async () => (await import('./commands/workloads.ts')).workloadsCommand,
  models: async () => (await import('./commands/models.ts')).modelsCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  images: async () => (await import('./commands/images.ts')).imagesCommand,
  clean: async () => (await import('./commands/clean.ts')).cleanCommand,
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()))
  const width = Math.max(...all.map((c) => c.name.length)) + 2
  return [
    'splitbrain COMMAND [options]',
    '',
    'Tests what a distributed key-value store really guarantees when its network and its nodes fail.',
    '',
    ...all.map((c) => `  ${c.name.padEnd(width)}${c.describes.split('. ')[0]!.replace(/\.$/, '')}`),
    '',
    'splitbrain COMMAND --help (or help COMMAND) tells more, --version says which this is. Exit codes: 0 holds, 1 violated, 2 unknown, 254 bad usage, 255 the harness failed.',
  ].join('\n')
}

/** Throws UsageError with the closest name. */
function commandNamed(name: string): Promise<Command> {
  if (Object.hasOwn(commands, name)) return commands[name]!()
  const near = closest(name, Object.keys(commands))
  throw new UsageError(`There is no command "${name}".${near.length > 0 ? ` Did you mean ${near[0]}?` : ''} See splitbrain --help.`)
}

/** Tells the error, as a sentence where it is one for the user rather than a defect of ours, and how to end. */
async function tellError(error: unknown): Promise<number> {
  const { ClusterError } = await import('../cluster/cluster.ts')
  const { ScheduleError } = await import('../nemesis/notation.ts')
  const { WorkloadError } = await import('../workloads/index.ts')
  const { DatabaseError } = await import('./store/errors.ts')
  if (error instanceof UsageError || error instanceof ScheduleError || error instanceof WorkloadError) {
    console.error(error.message)
    return exitCodes.usage
  }
  console.error(error instanceof ClusterError || error instanceof DatabaseError || isOfTheFileSystem(error) ? error.message : error)
  return exitCodes.crash
}

/** What the machine refuses (no right, no room, a disk that cannot be written) is no defect of ours; Node's message says what and where. */
const isOfTheFileSystem = (error: unknown): error is Error => error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'EMFILE'].includes(String(error.code))

/** Runs the command line (without `node` and the script's name) and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...words] = argv
  try {
    if (name === '--version' || name === 'version') {
      console.log(version)
      return 0
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      console.log(name === 'help' && words[0] !== undefined ? help(await commandNamed(words[0])) : await overview())
      return name === undefined ? exitCodes.usage : 0
    }
    const command = await commandNamed(name)
    if (words.includes('--help') || words.includes('-h')) {
      console.log(help(command))
      return 0
    }
    return await command.execute(parseArguments(command, words))
  } catch (error) {
    return tellError(error)
  }
}
