import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JudgementVerdict } from '../checker/verdict.ts'
import { runInMemory, type InMemoryRun } from './testing/in-memory.ts'

const OBJECTS = ['set', 'counter', 'queue', 'bank', 'append', 'wr'] as const
/** The judgement that is the workload's own. */
const own = { set: 'set-full', counter: 'counter', queue: 'queue', bank: 'bank', append: 'transactions', wr: 'transactions' } as const

const words = ({ verdicts }: InMemoryRun): string => [...verdicts.values()].filter(({ judgement }) => judgement !== 'convergence').map(({ judgement, verdict, summary }) => `${judgement} ${verdict}: ${summary}`).join('\n')

/** Searches that are exponential in what nobody knows, and version orders that registers do not show, may end undecided. */
const isAllowedDoubt = ({ verdict, reason = '' }: JudgementVerdict): boolean => verdict === 'unknown' && /of unknown outcome|the order of versions is not known/.test(reason)

for (const name of OBJECTS) {
  test(`${name}: a store with compare-and-set passes, whatever becomes of its answers`, async () => {
    for (const unknownShare of [0, 0.03]) {
      const run = await runInMemory(name, { unknownShare })
      for (const verdict of run.verdicts.values()) if (verdict.judgement !== 'convergence' && !isAllowedDoubt(verdict)) assert.is(verdict.verdict, 'holds', words(run))
    }
  })

  test(`${name}: without compare-and-set updates are lost, and that is found`, async () => {
    const run = await runInMemory(name, { functions: ['read', 'write'] })
    assert.is(run.verdicts.get(own[name])!.verdict, 'violated', words(run))
  })
}

for (const name of ['append', 'wr'] as const) {
  test(`${name}: a store with transactions of its own passes`, async () => {
    const run = await runInMemory(name, { functions: ['read', 'write', 'txn'] })
    const verdict = run.verdicts.get('transactions')!
    if (!isAllowedDoubt(verdict)) assert.is(verdict.verdict, 'holds', words(run))
  })

  test(`${name}: transactions that read from an hour ago are not strictly serializable`, async () => {
    let before: unknown
    const run = await runInMemory(name, {
      functions: ['read', 'write', 'txn'],
      mischief: ({ f }, answer, held, random) => {
        if (f !== 'txn' || random.float() > 0.1) return answer
        const old = (before ??= new Map(held)) as Map<unknown, never>
        const value = (answer.value as readonly (readonly [string, string, unknown])[]).map(([g, key, one]) => [g, key, g === 'r' ? (old.get(key) ?? null) : one])
        return { ...answer, value: value as never }
      },
    })
    assert.is(run.verdicts.get('transactions')!.verdict, 'violated', words(run))
  })
}

test.run()
