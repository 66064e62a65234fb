/**
 * The command line: finds the subcommand, hands it its arguments, and turns what comes back into an exit code
 * (0 holds, 1 violated, 2 unknown, 254 bad usage, 255 the harness failed, as Jepsen's).
 */
import { exitCodes } from '../checker/verdict.ts'
import { ClusterError } from '../cluster/cluster.ts'
import { ScheduleError } from '../nemesis/notation.ts'
import { WorkloadError } from '../workloads/index.ts'
import { closest, help, parseArguments, type Command } from './command.ts'
import { bisectCommand } from './commands/bisect.ts'
import { campaignCommand } from './commands/campaign.ts'
import { capCommand } from './commands/cap.ts'
import { checkCommand } from './commands/check.ts'
import { cleanCommand } from './commands/clean.ts'
import { clusterCommand } from './commands/cluster.ts'
import { compareCommand } from './commands/compare.ts'
import { doctorCommand } from './commands/doctor.ts'
import { initCommand } from './commands/init.ts'
import { imagesCommand } from './commands/images.ts'
import { modelsCommand } from './commands/models.ts'
import { presetsCommand } from './commands/presets.ts'
import { queryCommand } from './commands/query.ts'
import { reportCommand } from './commands/report.ts'
import { serveCommand } from './commands/serve.ts'
import { runCommand } from './commands/run.ts'
import { shrinkCommand } from './commands/shrink.ts'
import { tourCommand } from './commands/tour.ts'
import { workerCommand } from './commands/worker.ts'
import { workloadsCommand } from './commands/workloads.ts'
import { DatabaseError } from './store/errors.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

/** Every subcommand, in the order in which the help lists them. */
export const commands: readonly Command[] = [tourCommand, runCommand, initCommand, checkCommand, reportCommand, serveCommand, compareCommand, shrinkCommand, bisectCommand, capCommand, campaignCommand, workerCommand, queryCommand, clusterCommand, presetsCommand, workloadsCommand, modelsCommand, doctorCommand, imagesCommand, cleanCommand]

function overview(): string {
  const width = Math.max(...commands.map((c) => c.name.length)) + 2
  return [
    'splitbrain COMMAND [options]',
    '',
    'Tests what a distributed key-value store really guarantees when its network and its nodes fail.',
    '',
    ...commands.map((c) => `  ${c.name.padEnd(width)}${c.describes.split('. ')[0]!.replace(/\.$/, '')}`),
    '',
    'splitbrain COMMAND --help (or help COMMAND) tells more, --version says which this is. Exit codes: 0 holds, 1 violated, 2 unknown, 254 bad usage, 255 the harness failed.',
  ].join('\n')
}

/** Throws UsageError with the closest name. */
function commandNamed(name: string): Command {
  const command = commands.find((one) => one.name === name)
  if (command !== undefined) return command
  const near = closest(name, commands.map((one) => one.name))
  throw new UsageError(`There is no command "${name}".${near.length > 0 ? ` Did you mean ${near[0]}?` : ''} See splitbrain --help.`)
}

/** Whether an error is a sentence for the user rather than a defect of ours. */
function isSentence(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof ScheduleError || error instanceof WorkloadError
}

/** Runs the command line (without `node` and the script's name) and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...words] = argv
  try {
    if (name === '--version' || name === 'version') {
      console.log(version)
      return 0
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      console.log(name === 'help' && words[0] !== undefined ? help(commandNamed(words[0])) : overview())
      return name === undefined ? exitCodes.usage : 0
    }
    const command = commandNamed(name)
    if (words.includes('--help') || words.includes('-h')) {
      console.log(help(command))
      return 0
    }
    return await command.execute(parseArguments(command, words))
  } catch (error) {
    if (isSentence(error)) {
      console.error(error.message)
      return exitCodes.usage
    }
    console.error(error instanceof ClusterError || error instanceof DatabaseError ? error.message : error)
    return exitCodes.crash
  }
}
