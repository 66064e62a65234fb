/**
 * Published histories of registers: their documented verdicts, and the ladder: whatever holds a model holds every weaker one. Found through SPLITBRAIN_CORPORA,
 * or beside the repository; skipped where there are none.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chance } from './testing/chance.ts'
import { context } from './testing/context.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { readJsonl } from './history/index.ts'
import { registerJudgements } from './judge.ts'
import { weakerThan } from './ladder.ts'
import type { History } from './history/index.ts'
import type { JudgementVerdict } from './verdict.ts'

const root = path.dirname(fileURLToPath(import.meta.url))
const folder = [process.env['SPLITBRAIN_CORPORA'], path.join(root, '../../shared/corpora'), path.join(root, '../../../shared/corpora')]
  .map((one) => one && path.join(one, 'normalized'))
  .find((one) => one && existsSync(one))

/** Knossos's histories start from 0, and its reads of nil say nothing; Porcupine's start from nothing. */
async function judged(history: History, knossos = false): Promise<JudgementVerdict[]> {
  const nilReads = knossos ? 'unknown' : 'initial'
  const judgements = registerJudgements({ nilReads }).filter((one) => one.name !== 'convergence' && one.name !== 'durability')
  return Promise.all(judgements.map(async (one) => one.judge(history, { ...context, timeLimitMs: 5_000, nilReads, ...(knossos ? { initial: 0 } : {}) })))
}

/** A model that holds although a weaker one is violated. */
function contradiction(verdicts: readonly JudgementVerdict[]): string | undefined {
  const word = (model: string): string | undefined => verdicts.find((one) => one.model === model)?.verdict
  for (const { model, verdict } of verdicts) {
    const broken = model !== undefined && verdict === 'holds' ? weakerThan(model).find((weaker) => word(weaker) === 'violated') : undefined
    if (broken !== undefined) return `${model} holds, but ${broken} is violated: ${verdicts.find((one) => one.model === broken)!.summary}`
  }
  return undefined
}

test('published register histories are judged as documented, and monotone along the ladder', async () => {
  if (!folder) return console.log('skipped: no corpora at SPLITBRAIN_CORPORA or ../shared/corpora')
  const decided = new Map<string, number>()
  const expected = new Map(readFileSync(path.join(folder, 'verdicts.tsv'), 'utf8').trim().split('\n').map((line) => line.split('\t')).map(([name, verdict]) => [name!, verdict === 'true']))
  // Porcupine's key-value histories append to strings, which is no operation on a register.
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl') && !name.startsWith('porcupine-kv'))) {
    const verdicts = await judged(readJsonl(readFileSync(path.join(folder, file))), file.startsWith('knossos'))
    assert.is(contradiction(verdicts), undefined, file)
    const documented = expected.get(file.slice(0, -'.jsonl'.length))
    if (documented !== undefined) assert.is(verdicts[0]!.verdict, documented ? 'holds' : 'violated', file)
    for (const { judgement, verdict } of verdicts) decided.set(`${judgement} ${verdict}`, (decided.get(`${judgement} ${verdict}`) ?? 0) + 1)
  }
  assert.ok((decided.get('linearizable holds') ?? 0) > 50, [...decided].join(' '))
})

test('random histories are monotone along the ladder', async () => {
  const random = chance(5)
  for (let at = 0; at < 1_500; at++) {
    const operations = randomOperations(random, { processes: 3, operations: 4 + random(12), keys: 1 + random(2), noise: [0, 0, 10, 40][random(4)]! })
    assert.is(contradiction(await judged(historyOf(operations))), undefined, JSON.stringify(operations))
  }
})

test.run()
