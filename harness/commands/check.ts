/** `splitbrain check`: judges a run again, or any history against one model. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { mergeVerdicts, type VerdictDocument } from '../../checker/verdict.ts'
import type { Arguments, Command } from '../command.ts'
import { configurationName } from '../plan.ts'
import { findRuns, loadRun } from '../run-folder.ts'
import { judgeRun } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { checkFile, modelNames } from './check-file.ts'
import { gradeFile } from './check-graded.ts'
import { expectedIn, refuseOthers } from './check-options.ts'
import { printDocument } from './check-text.ts'

export const checkCommand: Command = {
  name: 'check',
  arguments: ['FILE'],
  describes: 'Judges a history against a model (JSONL, also gzipped; Jepsen\'s EDN; Jepsen\'s etcd logs), or a run\'s folder against everything that its system promised.',
  options: {
    model: { value: 'NAME', describes: `the object that was operated on: ${modelNames().join(', ')}`, default: 'register; with --judge, --expect or --slo cas-register' },
    judge: { value: 'LIST', describes: 'grade a file by every judgement (all), or by some: causal,staleness; splitbrain models lists them' },
    slo: { value: 'LIST', describes: 'objectives that must be met too: p99.9<300ms, read:p99<50ms, availability>99%' },
    expect: { value: 'MODEL', describes: 'what the history is judged against', default: "linearizable for a file, the system's promise for a run" },
    isolation: { value: 'LEVEL', describes: 'of transactions: the level to judge against, from read-uncommitted to strict-serializable', default: 'strict-serializable' },
    'time-limit': { value: 'TIME', describes: 'give up and say unknown after this long', default: '60s' },
    'memory-limit': { value: 'MB', describes: 'give up and say unknown beyond this many megabytes', default: '2048' },
    workers: { value: 'N', describes: 'threads over keys', default: '1' },
    'failed-cas': { value: 'RULE', describes: 'for linearizability, a failed compare-and-set proves nothing (drop) or that the value differed (strict)', default: "the model's" },
    'nil-reads': { value: 'RULE', describes: 'a read of nil saw no value (absent) or is not known to have seen anything (unknown)', default: "the model's" },
    initial: { value: 'JSON', describes: 'what a register holds at first', default: "the model's" },
    linearization: { describes: 'of a history that holds: print the order of operations that explains it (checked by an independent verifier)' },
    lenient: { describes: 'turn malformed lines into warnings and judge the rest' },
    json: { describes: 'print the whole result as JSON' },
  },
  async execute(args) {
    const file = args.positionals[0]!
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`)
    if (statSync(file).isDirectory()) return checkRuns(file, args)
    return ['judge', 'expect', 'slo'].every((option) => args.text(option) === undefined) ? checkFile(file, args) : gradeFile(file, args)
  },
}

/** Judges a run's folder (or each configuration of a tour) again. */
async function checkRuns(where: string, args: Arguments): Promise<number> {
  refuseOthers(args, ['expect', 'slo'], 'for a run')
  const documents: VerdictDocument[] = []
  for (const dir of await findRuns(where)) {
    const { plan, history, document: before } = await loadRun(dir)
    const expect = expectedIn(args)
    const document = await judgeRun({ ...plan, ...(expect === undefined ? {} : { expect }), ...(args.text('slo') === undefined ? {} : { slo: args.text('slo')! }) }, history, {
      dir,
      label: plan.name,
      emit: () => undefined,
      repeat: before?.run?.repeat ?? `npx splitbrain run --plan ${path.relative(process.cwd(), path.join(dir, 'plan.json'))}`,
      started: before?.run?.started ?? new Date(statSync(path.join(dir, 'plan.json')).mtimeMs).toISOString(),
    })
    documents.push(document)
    if (args.flag('json')) console.log(JSON.stringify(document))
    else printDocument(configurationName(plan), history, document)
  }
  return exitCodes[mergeVerdicts(documents.map(({ verdict }) => verdict))]
}
