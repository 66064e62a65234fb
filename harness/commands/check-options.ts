/**
 * Which options of `splitbrain check` mean something where. One that would have no effect is refused: a rule that was
 * asked for and not applied would make the verdict a verdict on something else.
 */
import type { FailedCas, NilReads } from 'knossos-wasm'
import type { Json } from '../../checker/history/index.ts'
import { models as rungs } from '../../checker/verdict.ts'
import { choose, type Arguments } from '../command.ts'
import { UsageError } from '../usage-error.ts'

/** What each option is about, and so what to do where it says nothing. */
const about = {
  model: 'it names the object that a file\'s operations are about, for the judgements "linearizable" and "transactions"; leave it out, or judge a file by one of these',
  judge: "it chooses judgements of a file; a run is judged by those of its workload, and its history.jsonl by any",
  slo: 'it sets objectives beside the judgements of single operations; leave it out',
  expect: 'it names a model of single operations; the level of transactions is --isolation',
  isolation: 'it is the level of transactions; choose --model list-append or rw-register, or --judge transactions, or leave it out',
  'failed-cas': 'it is a rule of compare-and-sets, for linearizability; choose --model cas-register, or leave it out',
  'nil-reads': 'it is a rule of registers; choose --model register or cas-register, or leave it out',
  initial: 'it is a rule of registers; choose --model register or cas-register, or leave it out',
  linearization: 'it prints the order that one model of single operations allows; leave it out, or leave out --judge, --expect and --slo',
  workers: 'it divides the check against one model of single operations; leave it out',
  lenient: 'it is for files of others; check the history.jsonl of the run',
  'time-limit': 'it limits the search of one file for an order of operations; leave it out',
  'memory-limit': 'it limits the search of one file for an order of operations; leave it out',
} as const
export type CheckOption = keyof typeof about

/** Refuses every option that was given and is not among those that are honoured. `where` completes "--initial means nothing ...". Throws UsageError. */
export function refuseOthers(args: Arguments, honoured: readonly CheckOption[], where: string): void {
  for (const option of Object.keys(about) as CheckOption[]) {
    if (!honoured.includes(option) && (args.flag(option) || args.text(option) !== undefined)) throw new UsageError(`--${option} means nothing ${where}: ${about[option]}.`)
  }
}

/** The rules of a register that the command line changes. */
export interface Rules {
  readonly failedCas?: FailedCas
  readonly nilReads?: NilReads
  readonly initial?: Json
}

/** Reads the rules of registers. Throws UsageError. */
export function rulesIn(args: Arguments): Rules {
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

/** The model that `--expect` names. Throws UsageError. */
export function expectedIn(args: Arguments): (typeof rungs)[number] | undefined {
  const name = args.text('expect')
  return name === undefined ? undefined : choose('model', name, rungs)
}
