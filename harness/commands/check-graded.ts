/**
 * `splitbrain check FILE --judge ...`, `--expect`, `--slo`: one history by many judgements. What the operations are about is as
 * for one model: a register with compare-and-set unless `--model` says otherwise. Transactions promise an isolation level,
 * everything else a model of the ladder. The document that `--json` prints is what the text and the exit code are made of.
 */
import path from 'node:path'
import { modelNamed } from 'knossos-wasm'
import { judge, judgements, linearizable, registerJudgements, type Judgement } from '../../checker/index.ts'
import { linearizableObject } from '../../checker/linearizable-object.ts'
import { transactional } from '../../checker/transactional.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { mergeVerdicts, models as rungs, type JudgementVerdict, type Model, type VerdictDocument } from '../../checker/verdict.ts'
import { wordFor } from '../../reports/promise.ts'
import { realClock } from '../clock.ts'
import { choose, type Arguments } from '../command.ts'
import { extraJudgements } from '../extra-judgements.ts'
import { historyIn, levelIn, limitsIn, modelNames, transactionModels } from './check-file.ts'
import { expectedIn, refuseOthers, rulesIn, type Rules } from './check-options.ts'
import { printDocument, printOperations, printTorn, say } from './check-text.ts'

/** Judges one history file by every judgement, or by those that `--judge` names: without `--expect` the verdict is then theirs alone. */
export async function gradeFile(file: string, args: Arguments): Promise<number> {
  const model = args.text('model') === undefined ? undefined : choose('model', args.text('model')!, modelNames())
  const promisesLevel = args.text('isolation') !== undefined || (model !== undefined && transactionModels.includes(model))
  const rules = rulesIn(args)
  const known = knownJudgements(args, model, promisesLevel, rules)
  const list = args.text('judge') ?? 'all'
  const names = known.map(nameOf)
  const chosen = list === 'all' ? known : list.split(',').map((name) => known[names.indexOf(choose('judgement', name.trim(), names))]!)
  refuseMeaningless(args, model, promisesLevel, chosen)
  const objectives = args.text('slo') === undefined ? [] : extraJudgements({ slo: args.text('slo') }).slice(0, 1)
  const expected = expectedIn(args)
  const limits = limitsIn(args)
  const history = await historyIn(file, args)
  const clock = realClock()
  const judged = await judge(history, {
    ...contextOf(rules),
    ...limits,
    run: null,
    promised: expected ?? soleModel(chosen) ?? 'linearizable',
    expected: true,
    judgements: [...chosen, ...objectives],
    elapsedMs: () => clock.now() / 1e6,
  })
  const named = list !== 'all' && expected === undefined ? [...chosen, ...objectives].map(({ name }) => judged.judgements.find(({ judgement }) => judgement === name)!) : undefined
  const document = named === undefined ? judged : byThese(judged, named)
  if (args.flag('json')) console.log(JSON.stringify(document, null, 2))
  else if (named === undefined) {
    printDocument(path.basename(file), history, document)
    for (const one of document.judgements.filter(({ judgement }) => !rungs.some((rung) => rung === judgement))) printRow(document, one)
  } else {
    printTorn(path.basename(file), history)
    for (const one of named) {
      printRow(document, one)
      if (one.witnesses.length > 0) printOperations(history, one.witnesses[0]!.operations)
    }
  }
  return exitCodes[document.verdict]
}

/** The judgements with the model and the rules that were asked for. */
function knownJudgements(args: Arguments, model: string | undefined, promisesLevel: boolean, rules: Rules): Judgement[] {
  const all = judgements(contextOf(rules))
  if (promisesLevel) {
    const transactions: Judgement = { ...transactional(levelIn(args), model), binding: true }
    return all.flatMap((one) => (one.name === 'linearizable' ? [] : one.name === transactions.name ? [transactions] : [one]))
  }
  return all.map((one) => (one.name !== 'linearizable' ? one : linearizableAs(model ?? 'cas-register', rules)))
}

function linearizableAs(model: string, { failedCas, nilReads }: Rules): Judgement {
  if (model === 'register' || model === 'cas-register') return linearizable({ model, ...(failedCas === undefined ? {} : { failedCas }), ...(nilReads === undefined ? {} : { nilReads }) })
  const object = linearizableObject(modelNamed(model)!, true)
  // Undecided too it is the rung's judgement: there is no other.
  return { ...object, judge: async (history, context) => ({ ...(await object.judge(history, context)), model: 'linearizable' }) }
}

/** `--judge linearizable` is the judgement of the model, whatever that is. */
const nameOf = ({ name }: Judgement): string => (name.startsWith('linearizable ') ? 'linearizable' : name)

function contextOf({ nilReads, initial }: Rules) {
  return { ...(nilReads === undefined ? {} : { nilReads: nilReads === 'unknown' ? nilReads : 'initial' as const }), ...(initial === undefined ? {} : { initial }) }
}

function refuseMeaningless(args: Arguments, model: string | undefined, promisesLevel: boolean, chosen: readonly Judgement[]): void {
  const names = chosen.map(nameOf)
  const ofRegisters = new Set(registerJudgements().map(({ name }) => name))
  const aboutRegisters = !promisesLevel && (model === undefined || modelNamed(model)?.register !== undefined) && names.some((name) => ofRegisters.has(name))
  const comparing = names.includes('linearizable') && (model ?? 'cas-register') === 'cas-register'
  refuseOthers(args, [
    'judge', 'slo', 'lenient', 'time-limit', 'memory-limit',
    ...(promisesLevel ? [] : ['expect'] as const),
    ...(names.includes(promisesLevel ? 'transactions' : 'linearizable') ? ['model'] as const : []),
    ...(names.includes('transactions') ? ['isolation'] as const : []),
    ...(aboutRegisters ? ['nil-reads', 'initial'] as const : []),
    ...(comparing ? ['failed-cas'] as const : []),
  ], `for ${args.text('judge') === undefined || args.text('judge') === 'all' ? 'all judgements' : names.length === 1 ? `the judgement ${names[0]}` : `the judgements ${names.join(', ')}`}${model === undefined ? '' : ` of the model ${model}`}`)
}

/** The rung that was asked for, where it is one. */
function soleModel(chosen: readonly Judgement[]): Model | undefined {
  const asked = rungs.filter((rung) => chosen.some((one) => nameOf(one) === rung))
  return asked.length === 1 ? asked[0] : undefined
}

const SILENT = 'no operation succeeded'

/** What a judgement comes to: its rung may be decided by another one, and holds only where an operation succeeded. */
function wordOf({ ladder, operations }: VerdictDocument, verdict: JudgementVerdict): JudgementVerdict['verdict'] {
  const open = verdict.verdict === 'unknown' || (verdict.verdict === 'holds' && operations.ok === 0)
  return open && verdict.model !== undefined ? ladder.find(({ model }) => model === verdict.model)!.verdict : verdict.verdict
}

/** The document with the verdict of these judgements alone. */
function byThese(document: VerdictDocument, named: readonly JudgementVerdict[]): VerdictDocument {
  const { reason: _, promise_verdict: _own, ...rest } = document
  const words = named.map((one) => wordOf(document, one))
  const verdict = mergeVerdicts(words)
  const deciding = named.filter((_one, at) => words[at] === verdict)
  const reason = verdict === 'unknown' ? [...new Set(deciding.map((one) => (one.verdict === 'holds' ? SILENT : (one.reason ?? one.summary))))].join('; ') : undefined
  const names = deciding.map(({ judgement }) => judgement).join(', ')
  const sentence = `Judged by ${named.map(({ judgement }) => judgement).join(', ')}. ${reason !== undefined ? `Unknown: ${reason}.` : verdict === 'violated' ? `Violated: ${names}.` : 'Holds.'}`
  return { ...rest, verdict, ...(reason === undefined ? {} : { reason }), sentence }
}

function printRow(document: VerdictDocument, one: JudgementVerdict): void {
  const word = wordOf(document, one)
  const by = word === one.verdict ? '' : one.verdict === 'holds' ? `${SILENT}; by itself: ` : `${document.ladder.find(({ model }) => model === one.model)!.by}; by itself: `
  say(`  ${one.judgement.padEnd(22)}${wordFor({ judgement: one.judgement, verdict: word }).padEnd(10)}${by}${one.summary}`)
}
