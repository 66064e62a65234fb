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

for (const name of ['lock', 'lock(fencing=false)', 'multi-register', 'long-fork', 'set-delete', 'sessions', 'register-dup', 'register-delete', 'directory-churn', 'mixed', 'mixed(mix=d)', 'mixed(mix=e)', 'mixed(mix=f)']) {
  test(`${name}: a store with one copy of everything passes`, async () => {
    const run = await runInMemory(name, { operations: 300 })
    for (const verdict of run.verdicts.values()) if (!['convergence', 'durability'].includes(verdict.judgement) && !isAllowedDoubt(verdict) && !/written more than once|also written/.test(verdict.reason ?? '')) assert.is(verdict.verdict, 'holds', words(run))
  })
}

test('lock: without compare-and-set two clients hold one lock', async () => {
  const run = await runInMemory('lock(keys=1)', { functions: ['read', 'write'], operations: 300 })
  assert.is(run.verdicts.get('linearizable fenced-lock')!.verdict, 'violated', words(run))
})

test('set-delete: a store that forgets deletes has its elements rise from the dead', async () => {
  const run = await runInMemory('set-delete', { operations: 400, mischief: ({ f, key, value }, answer, held) => {
    // The tombstone is lost: what was deleted comes back.
    if (f === 'delete' && (key as string).endsWith('7')) held.set(key!, value ?? 7)
    return answer
  } })
  assert.ok((run.verdicts.get('set-full')!.metrics['resurrected'] as number) > 0, words(run))
})

test('register-delete: a value that comes back after its delete is not linearizable', async () => {
  const run = await runInMemory('register-delete', { operations: 400, mischief: ({ f, key }, answer, held) => {
    if (f === 'delete' && (key as string).endsWith('7')) held.set(key!, 7)
    return answer
  } })
  assert.is(run.verdicts.get('linearizable')!.verdict, 'violated', words(run))
})

test.run()
