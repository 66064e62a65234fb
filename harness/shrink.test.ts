import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simplerFault, shrink, type Trial } from './shrink.ts'

const large = (faults: readonly string[]): Trial<string> => ({ faults, operations: 100_000, keys: 8, clients: 10, seed: 7 })
const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')

test('what does not matter goes away', async () => {
  const { trial, minimal } = await shrink(large(letters), async () => true)
  assert.equal(trial, { faults: [], operations: 1, keys: 1, clients: 1, seed: 7 })
  assert.ok(minimal)
})

test('the faults that matter stay, in their order', async () => {
  const { trial, attempts } = await shrink(large(letters), async ({ faults }) => ['d', 'q', 'r'].every(fault => faults.includes(fault)))
  assert.equal(trial.faults, ['d', 'q', 'r'])
  assert.ok(attempts < 120, `${attempts} attempts`)
})

test('numbers go down to the least that still fails', async () => {
  const { trial } = await shrink(large([]), async ({ operations, keys, clients }) => operations >= 1234 && keys >= 2 && clients >= 3)
  assert.equal([trial.operations, trial.keys, trial.clients], [1234, 2, 3])
})

test('passes alternate: fewer operations may make a fault superfluous', async () => {
  const { trial } = await shrink(large(['a', 'b']), async ({ faults, operations }) => faults.includes('a') && (operations < 100 || faults.includes('b')))
  assert.equal([trial.faults, trial.operations], [['a'], 1])
})

test('other seeds are tried where one no longer fails', async () => {
  const fails = async ({ operations, seed }: Trial<string>): Promise<boolean> => operations === 100_000 || (operations >= 10 && seed % 3 === operations % 3)
  const { trial } = await shrink(large([]), fails, { seeds: 3 })
  assert.is(trial.operations, 10)
  assert.ok(await fails(trial))
})

test('it stops after so many attempts with the best so far', async () => {
  const { trial, attempts, minimal } = await shrink(large(letters), async ({ faults }) => faults.includes('m'), { attemptsMax: 5 })
  assert.is(attempts, 5)
  assert.not.ok(minimal)
  assert.ok(trial.faults.length < letters.length && trial.faults.includes('m'))
})

test('it stops when it is told to', async () => {
  const controller = new AbortController()
  const { minimal } = await shrink(large(letters), async () => (controller.abort(), true), { signal: controller.signal })
  assert.not.ok(minimal)
})

test('a run that does not fail cannot be shrunk', async () => {
  await shrink(large([]), async () => false).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'nothing to shrink'),
  )
})

test('scheduled faults get shorter and come sooner', async () => {
  const fault = { fault: 'partition(one)', at_ms: 1000, for_ms: 8000 }
  const { trial } = await shrink({ ...large([]), faults: [fault] }, async ({ faults }) => (faults[0]?.for_ms ?? 0) >= 1500, { simpler: simplerFault })
  assert.equal(trial.faults, [{ ...fault, at_ms: 500, for_ms: 2000 }])
  assert.equal(simplerFault({ ...fault, at_ms: 500, for_ms: 500 }), [])
})

test('the result always fails, no single fault can be left out, and nothing is tried twice', async () => {
  const needed = fc.array(fc.subarray(letters, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(needed, fc.nat({ max: 50 }), async (causes, least) => {
      const tried = new Set<string>()
      const fails = ({ faults, operations }: Trial<string>): boolean => operations >= least && causes.some(cause => cause.every(fault => faults.includes(fault)))
      const { trial } = await shrink(large(letters), async candidate => {
        const text = JSON.stringify(candidate)
        assert.not.ok(tried.has(text))
        tried.add(text)
        return fails(candidate)
      })
      assert.ok(fails(trial))
      for (const fault of trial.faults) assert.not.ok(fails({ ...trial, faults: trial.faults.filter(other => other !== fault) }))
      assert.is(trial.operations, Math.max(1, least))
    }),
    { numRuns: 200, seed: 3 },
  )
})

test.run()
