/** `splitbrain check`: judges a run again, or any history against one model. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { check, models } from 'knossos-wasm'
import type { History } from '../../checker/history/index.ts'
import { exitCodes, type VerdictDocument } from '../../checker/verdict.ts'
import { choose, type Arguments, type Command } from '../command.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import { findRuns, loadRun, readHistory } from '../run-folder.ts'
import { judgeRun } from '../run.ts'
import { UsageError } from '../usage-error.ts'

/** What `--model` may say. */
const checkable = { register: models.register, 'cas-register': models.casRegister } as const
type Checkable = keyof typeof checkable

/** How many operations of a witness are printed. */
const WITNESS_LINES_MAX = 20

export const checkCommand: Command = {
  name: 'check',
  arguments: ['FILE'],
  describes: 'Judges a history (JSONL) against a model, or a run\'s folder against everything that its system promised.',
  options: {
    model: { value: 'NAME', describes: `the object that was operated on: ${Object.keys(checkable).join(', ')}`, default: 'register' },
    'time-limit': { value: 'TIME', describes: 'give up and say unknown after this long', default: '60s' },
    'memory-limit': { value: 'MB', describes: 'give up and say unknown beyond this many megabytes', default: '2048' },
    json: { describes: 'print the whole result as JSON' },
  },
  async execute(args) {
    const file = args.positionals[0]!
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`)
    return statSync(file).isDirectory() ? checkRuns(file, args) : checkFile(file, args)
  },
}

/** Judges one history file against one model. */
async function checkFile(file: string, args: Arguments): Promise<number> {
  const name: Checkable = choose('model', args.text('model') ?? 'register', Object.keys(checkable) as Checkable[])
  const history = readHistory(file, await readFile(file))
  const result = await check(history, {
    model: checkable[name](),
    timeLimitMs: parseDuration(args.text('time-limit') ?? '60s'),
    memoryLimitMb: args.integer('memory-limit', { min: 1, max: 65_536 }) ?? 2_048,
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
      break
    case 'unknown':
      console.log(`unknown: ${result.reason} (${scope}).`)
      break
    case 'violated': {
      const broken = result.perKey.filter((k) => k.verdict === 'violated').length
      console.log(`violated: not linearizable as a ${name}: ${broken} of ${keys} key${keys === 1 ? '' : 's'} (${scope}).`)
      console.log(result.witness!.explanation)
      printOperations(history, result.witness!.operations)
    }
  }
  return exitCodes[result.verdict]
}

/** The events of a witness, as they stand in the file. */
function printOperations(history: History, rows: readonly number[]): void {
  for (const row of rows.slice(0, WITNESS_LINES_MAX)) {
    console.log(`  ${JSON.stringify(history.event(row))}`)
    const completion = history.pair[row]!
    if (completion >= 0) console.log(`  ${JSON.stringify(history.event(completion))}`)
  }
  if (rows.length > WITNESS_LINES_MAX) console.log(`  ... and ${rows.length - WITNESS_LINES_MAX} more operations`)
}

/** Judges a run's folder (or each configuration of a tour) again. */
async function checkRuns(where: string, args: Arguments): Promise<number> {
  const documents: VerdictDocument[] = []
  for (const dir of await findRuns(where)) {
    const { plan, history, document: before } = await loadRun(dir)
    const document = await judgeRun(plan, history, {
      dir,
      label: plan.name,
      emit: () => undefined,
      repeat: before?.run?.repeat ?? `npx splitbrain run --plan ${path.relative(process.cwd(), path.join(dir, 'plan.json'))}`,
      started: before?.run?.started ?? new Date(statSync(path.join(dir, 'plan.json')).mtimeMs).toISOString(),
    })
    documents.push(document)
    if (args.flag('json')) console.log(JSON.stringify(document))
    else print(plan.preset, history, document)
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
