/** `splitbrain check FILE`: one history against one model, of single operations or of transactions. */
import { check, HistoryError, modelNamed, models, withArticle, type CheckResult } from 'knossos-wasm'
import type { History } from '../../checker/history/index.ts'
import { isolationIn, transactional } from '../../checker/transactional.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { outcomes } from '../../checker/vacuity.ts'
import { isolationLevels, type IsolationLevel } from '../../checker/verdict.ts'
import { choose, type Arguments } from '../command.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import { readHistoryFile } from '../history-file.ts'
import { UsageError } from '../usage-error.ts'
import { refuseOthers, rulesIn } from './check-options.ts'
import { printOperations, printTorn, say } from './check-text.ts'
import { linearizationLines, violationLines } from './explanation.ts'

/** Models of transactions: judged by isolation level, not by linearizability. */
export const transactionModels = ['list-append', 'rw-register']

/** What `--model` may say. */
export const modelNames = (): string[] => [...Object.values(models).map((make) => make().name), ...transactionModels]

/** How many anomalies of transactions are printed. */
const ANOMALIES_MAX = 5

/** The limits of a search. Throws UsageError. */
export function limitsIn(args: Arguments): { readonly timeLimitMs: number; readonly memoryLimitMb: number } {
  return { timeLimitMs: parseDuration(args.text('time-limit') ?? '60s'), memoryLimitMb: args.integer('memory-limit', { min: 1, max: 65_536 }) ?? 2_048 }
}

/** The level that `--isolation` names. Throws UsageError. */
export const levelIn = (args: Arguments): IsolationLevel => choose('isolation level', args.text('isolation') ?? 'strict-serializable', isolationLevels)

/** Reads the file, and tells what a lenient reader let pass. Throws UsageError. */
export async function historyIn(file: string, args: Arguments): Promise<History> {
  const history = await readHistoryFile(file, args.flag('lenient'))
  for (const warning of history.warnings) console.error(`${file}: ${warning}`)
  return history
}

/** Judges one history file against one model. */
export async function checkFile(file: string, args: Arguments): Promise<number> {
  const name = choose('model', args.text('model') ?? 'register', modelNames())
  if (transactionModels.includes(name)) return checkTransactions(file, name, args)
  const model = modelNamed(name)!
  refuseOthers(args, ['model', 'lenient', 'time-limit', 'memory-limit', 'workers', 'linearization', ...(model.register === undefined ? [] : ['nil-reads', 'initial'] as const), ...(model.functions.includes('cas') ? ['failed-cas'] as const : [])], `of ${withArticle(name)}`)
  const rules = rulesIn(args)
  const options = { ...limitsIn(args), workers: args.integer('workers', { min: 1, max: 256 }) ?? 1, linearization: args.flag('linearization') }
  const history = await historyIn(file, args)
  const found = await check(history, { model, ...options, ...rules }).catch((error: unknown) => {
    throw error instanceof HistoryError ? new UsageError(`${file}: ${error.message}.`) : error
  })
  // Nothing that the model knows was asked, or nothing was answered: that nothing refutes it says nothing.
  const vacuous = found.stats.operations === 0 ? `${file} holds no ${name} operation of a client` : outcomes(history).ok === 0 ? 'no operation succeeded' : undefined
  const result: CheckResult = found.verdict !== 'holds' || vacuous === undefined ? found : { ...found, verdict: 'unknown', reason: vacuous }
  if (args.flag('json')) console.log(JSON.stringify({ ...result, truncated: history.truncated }, null, 2))
  else {
    printTorn(file, history)
    for (const line of linesOf(history, result, name)) say(line)
    if (result.verdict === 'holds' && options.linearization) for (const line of linearizationLines(history, result, model.variant?.(rules) ?? model)) say(line)
  }
  return exitCodes[result.verdict]
}

function linesOf(history: History, result: CheckResult, name: string): string[] {
  const { operations, keys } = result.stats
  const scope = `${operations} operation${operations === 1 ? '' : 's'} on ${keys} key${keys === 1 ? '' : 's'}`
  if (result.verdict === 'holds') return [`holds: linearizable as ${withArticle(name)} (not refuted: ${scope}, checker complete).`]
  if (result.verdict === 'unknown') return [`unknown: ${result.reason}${operations === 0 ? '' : ` (${scope})`}.`]
  const broken = result.perKey.filter((k) => k.verdict === 'violated').length
  return [`violated: not linearizable as ${withArticle(name)}: ${broken} of ${keys} key${keys === 1 ? '' : 's'} (${scope}).`, ...violationLines(history, result)]
}

/** Judges the transactions of a file against an isolation level. */
async function checkTransactions(file: string, model: string, args: Arguments): Promise<number> {
  refuseOthers(args, ['model', 'isolation', 'lenient'], `of the transactions of ${model}`)
  const level = levelIn(args)
  const history = await historyIn(file, args)
  const verdict = await transactional(level, model).judge(history, { faults: [], timeLimitMs: 0, memoryLimitMb: 0, elapsedMs: () => 0 })
  if (args.flag('json')) {
    console.log(JSON.stringify({ ...verdict, truncated: history.truncated }, null, 2))
    return exitCodes[verdict.verdict]
  }
  printTorn(file, history)
  say(`${verdict.verdict}: ${verdict.summary}`)
  const { isolation } = isolationIn([verdict])
  if (isolation) for (const rung of isolationLevels) say(`  ${rung.padEnd(34)}${isolation.levels[rung]}`)
  for (const witness of verdict.witnesses.slice(0, ANOMALIES_MAX)) {
    say(witness.explanation)
    printOperations(history, witness.operations)
  }
  return exitCodes[verdict.verdict]
}
