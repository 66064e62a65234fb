/** `splitbrain check`: judges a run again, or any history against one model. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { check, HistoryError, modelNamed, models, type FailedCas, type NilReads } from 'knossos-wasm'
import type { History, Json } from '../../checker/history/index.ts'
import { judge, judgements } from '../../checker/index.ts'
import { isolationIn, transactional } from '../../checker/transactional.ts'
import { exitCodes, isolationLevels, mergeVerdicts, models as rungs, type VerdictDocument } from '../../checker/verdict.ts'
import { wordFor } from '../../reports/promise.ts'
import { realClock } from '../clock.ts'
import { extraJudgements } from '../extra-judgements.ts'
import { choose, type Arguments, type Command } from '../command.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import { readHistoryFile } from '../history-file.ts'
import { configurationName } from '../plan.ts'
import { findRuns, loadRun } from '../run-folder.ts'
import { judgeRun } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { linearizationLines, operationLines, violationLines } from './explanation.ts'

/** What `--model` may say. */
const modelNames = (): string[] => [...Object.values(models).map((make) => make().name), ...transactionModels]

/** Models of transactions: judged by isolation level, not by linearizability. */
const transactionModels = ['list-append', 'rw-register']

/** How many anomalies of transactions are printed. */
const ANOMALIES_MAX = 5

export const checkCommand: Command = {
  name: 'check',
  arguments: ['FILE'],
  describes: 'Judges a history against a model (JSONL, also gzipped; Jepsen\'s EDN; Jepsen\'s etcd logs), or a run\'s folder against everything that its system promised.',
  options: {
    model: { value: 'NAME', describes: `the object that was operated on: ${modelNames().join(', ')}`, default: 'register' },
    judge: { value: 'LIST', describes: 'grade a file by every judgement (all), or by some: causal,staleness; splitbrain models lists them' },
    slo: { value: 'LIST', describes: 'objectives that must be met too: p99.9<300ms, read:p99<50ms, availability>99%' },
    expect: { value: 'MODEL', describes: 'what the history is judged against', default: "linearizable for a file, the system's promise for a run" },
    isolation: { value: 'LEVEL', describes: 'of list-append and rw-register: the level to judge against, from read-uncommitted to strict-serializable', default: 'strict-serializable' },
    'time-limit': { value: 'TIME', describes: 'give up and say unknown after this long', default: '60s' },
    'memory-limit': { value: 'MB', describes: 'give up and say unknown beyond this many megabytes', default: '2048' },
    workers: { value: 'N', describes: 'threads over keys', default: '1' },
    'failed-cas': { value: 'RULE', describes: 'a failed compare-and-set proves nothing (drop) or that the value differed (strict)', default: "the model's" },
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

/** The rules of a register that the command line changes. Throws UsageError. */
function rules(args: Arguments): { failedCas?: FailedCas; nilReads?: NilReads; initial?: Json } {
  const [failedCas, nilReads, initial] = [args.text('failed-cas'), args.text('nil-reads'), args.text('initial')]
  return {
    ...(failedCas === undefined ? {} : { failedCas: choose<FailedCas>('rule', failedCas, ['drop', 'strict']) }),
    ...(nilReads === undefined ? {} : { nilReads: choose<NilReads>('rule', nilReads, ['absent', 'unknown']) }),
    ...(initial === undefined ? {} : { initial: parseJson(initial) }),
  }
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new UsageError(`--initial takes JSON, for example 0, null or '"a"', not ${text}.`)
  }
}

/** Judges one history file against one model. */
async function checkFile(file: string, args: Arguments): Promise<number> {
  const name = choose('model', args.text('model') ?? 'register', modelNames())
  const history = await readHistoryFile(file, args.flag('lenient'))
  for (const warning of history.warnings) console.error(`${file}: ${warning}`)
  if (transactionModels.includes(name)) return checkTransactions(history, name, args)
  const model = modelNamed(name)!
  const changed = rules(args)
  const result = await check(history, {
    model,
    timeLimitMs: parseDuration(args.text('time-limit') ?? '60s'),
    memoryLimitMb: args.integer('memory-limit', { min: 1, max: 65_536 }) ?? 2_048,
    workers: args.integer('workers', { min: 1, max: 256 }) ?? 1,
    linearization: args.flag('linearization'),
    ...changed,
  }).catch((error: unknown) => {
    throw error instanceof HistoryError ? new UsageError(`${file}: ${error.message}.`) : error
  })
  if (args.flag('json')) {
    console.log(JSON.stringify(result, null, 2))
    return exitCodes[result.verdict]
  }
  const { operations, keys } = result.stats
  if (history.truncated) console.log(`${file} ends in the middle of a line: its writer was killed. The whole lines before it are judged.`)
  if (operations === 0) {
    console.log(`unknown: ${file} holds no ${name} operation of a client.`)
    return exitCodes.unknown
  }
  const scope = `${operations} operations on ${keys} key${keys === 1 ? '' : 's'}`
  switch (result.verdict) {
    case 'holds':
      console.log(`holds: linearizable as a ${name} (not refuted: ${scope}, checker complete).`)
      if (args.flag('linearization')) for (const line of linearizationLines(history, result, model.variant?.(changed) ?? model)) console.log(line)
      break
    case 'unknown':
      console.log(`unknown: ${result.reason} (${scope}).`)
      break
    case 'violated': {
      const broken = result.perKey.filter((k) => k.verdict === 'violated').length
      console.log(`violated: not linearizable as a ${name}: ${broken} of ${keys} key${keys === 1 ? '' : 's'} (${scope}).`)
      for (const line of violationLines(history, result)) console.log(line)
    }
  }
  return exitCodes[result.verdict]
}

/** Judges one history file by every judgement, or by those that `--judge` names: then the verdict is theirs alone. */
async function gradeFile(file: string, args: Arguments): Promise<number> {
  const { nilReads, initial } = rules(args)
  const options = { ...(nilReads === undefined ? {} : { nilReads: nilReads === 'unknown' ? nilReads : 'initial' as const }), ...(initial === undefined ? {} : { initial }) }
  const known = judgements(options)
  const list = args.text('judge') ?? 'all'
  const chosen = list === 'all' ? known : list.split(',').map((name) => known.find((one) => one.name === choose('judgement', name.trim(), known.map((other) => other.name)))!)
  const promised = expected(args) ?? 'linearizable'
  const history = await readHistoryFile(file, args.flag('lenient'))
  for (const warning of history.warnings) console.error(`${file}: ${warning}`)
  const clock = realClock()
  const objectives = args.text('slo') === undefined ? [] : extraJudgements({ slo: args.text('slo') }).slice(0, 1)
  const document = await judge(history, {
    ...options,
    run: null,
    promised,
    judgements: [...chosen, ...objectives],
    timeLimitMs: parseDuration(args.text('time-limit') ?? '60s'),
    memoryLimitMb: args.integer('memory-limit', { min: 1, max: 65_536 }) ?? 2_048,
    elapsedMs: () => clock.now() / 1e6,
  })
  const named = list !== 'all' && args.text('expect') === undefined ? document.judgements.filter(({ judgement }) => [...chosen, ...objectives].some(({ name }) => name === judgement)) : undefined
  const verdict = named === undefined ? document.verdict : mergeVerdicts(named.map((one) => one.verdict))
  if (args.flag('json')) console.log(JSON.stringify(document, null, 2))
  else if (named === undefined) print(path.basename(file), history, document)
  for (const one of args.flag('json') ? [] : named ?? document.judgements.filter(({ model }) => model === undefined)) {
    console.log(`  ${one.judgement.padEnd(22)}${wordFor(one).padEnd(10)}${one.summary}`)
    if (named !== undefined && one.witnesses.length > 0) printOperations(history, one.witnesses[0]!.operations)
  }
  return exitCodes[verdict]
}

/** The model that `--expect` names. Throws UsageError. */
function expected(args: Arguments): (typeof rungs)[number] | undefined {
  const name = args.text('expect')
  return name === undefined ? undefined : choose('model', name, rungs)
}

/** Judges the transactions of a file against an isolation level. */
async function checkTransactions(history: History, model: string, args: Arguments): Promise<number> {
  const level = choose('isolation level', args.text('isolation') ?? 'strict-serializable', isolationLevels)
  const verdict = await transactional(level, model).judge(history, { faults: [], timeLimitMs: 0, memoryLimitMb: 0, elapsedMs: () => 0 })
  if (args.flag('json')) {
    console.log(JSON.stringify(verdict, null, 2))
    return exitCodes[verdict.verdict]
  }
  console.log(`${verdict.verdict}: ${verdict.summary}`)
  const { isolation } = isolationIn([verdict])
  if (isolation) for (const rung of isolationLevels) console.log(`  ${rung.padEnd(34)}${isolation.levels[rung]}`)
  for (const witness of verdict.witnesses.slice(0, ANOMALIES_MAX)) {
    console.log(witness.explanation)
    printOperations(history, witness.operations)
  }
  return exitCodes[verdict.verdict]
}

function printOperations(history: History, rows: readonly number[]): void {
  for (const line of operationLines(history, rows)) console.log(line)
}

/** Judges a run's folder (or each configuration of a tour) again. */
async function checkRuns(where: string, args: Arguments): Promise<number> {
  const documents: VerdictDocument[] = []
  for (const dir of await findRuns(where)) {
    const { plan, history, document: before } = await loadRun(dir)
    const expect = expected(args)
    const document = await judgeRun({ ...plan, ...(expect === undefined ? {} : { expect }), ...(args.text('slo') === undefined ? {} : { slo: args.text('slo')! }) }, history, {
      dir,
      label: plan.name,
      emit: () => undefined,
      repeat: before?.run?.repeat ?? `npx splitbrain run --plan ${path.relative(process.cwd(), path.join(dir, 'plan.json'))}`,
      started: before?.run?.started ?? new Date(statSync(path.join(dir, 'plan.json')).mtimeMs).toISOString(),
    })
    documents.push(document)
    if (args.flag('json')) console.log(JSON.stringify(document))
    else print(configurationName(plan), history, document)
  }
  const worst = (['violated', 'unknown', 'holds'] as const).find((word) => documents.some((d) => d.verdict === word))!
  return exitCodes[worst]
}

function print(name: string, history: History, document: VerdictDocument): void {
  console.log(`${name}: ${document.verdict}. ${document.sentence}`)
  for (const rung of document.ladder) console.log(`  ${rung.model.padEnd(22)}${rung.verdict.padEnd(10)}${rung.by}`)
  const witness = document.judgements.find((j) => j.verdict === 'violated')?.witnesses[0]
  if (!witness) return
  console.log(witness.explanation)
  printOperations(history, witness.operations)
}
