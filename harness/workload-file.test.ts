import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from './api.ts'
import { loadWorkloadFile } from './workload-file.ts'

const dir = await mkdtemp(path.join(tmpdir(), 'splitbrain-workload-'))
const before = process.cwd()
process.chdir(dir)
test.after(async () => {
  process.chdir(before)
  await rm(dir, { recursive: true })
})

/** One key that everybody writes and reads, as a user would write it. */
const source = `import { defineWorkload, generator, registerJudgements, z } from 'splitbrain'
export const workload = defineWorkload({
  name: 'one-key',
  describes: 'everybody writes and reads one key',
  finds: 'stale reads',
  needs: ['read', 'write'],
  options: z.strictObject({ every: z.number().default(10).describe('milliseconds between operations') }),
  make: ({ every }) => {
    let value = 0
    return {
      name: 'one-key',
      describes: 'one key',
      generator: () => generator.stagger(every, generator.mix(() => ({ f: 'read', key: 'k' }), () => ({ f: 'write', key: 'k', value: ++value }))),
      keys: () => ['k'],
      judgements: registerJudgements(),
    }
  },
})
`

test('a workload in a file of its own runs, with options', async () => {
  await writeFile('my-workload.ts', source)
  const { document, plan } = await run({ workload: './my-workload.ts(every=20)', driver: 'sim', preset: 'abd', nemesis: 'none', time: '2s', seed: 1 })
  assert.is(document.verdict, 'holds', document.sentence)
  assert.is(document.promised, 'linearizable')
  assert.ok(document.operations.invoked > 50 && document.operations.invoked < 200, `${document.operations.invoked} operations`)
  assert.is(plan.name, 'abd-one-key')
})

test('a file that is no workload is refused with what is wrong', async () => {
  const refused = async (text: string, sentence: RegExp): Promise<void> => {
    await writeFile('bad.ts', text)
    await loadWorkloadFile('./bad.ts').then(() => assert.unreachable(), (error: Error) => assert.match(error.message, sentence))
  }
  await refused('export const other = 1', /^\.\/bad\.ts exports no workload: .* \(it exports other\)/)
  await refused('export const workload = { name: 7 }', /^\.\/bad\.ts: workload\.name is not as it must be/)
  await loadWorkloadFile('./none.ts').then(() => assert.unreachable(), (error: Error) => assert.match(error.message, 'There is no file ./none.ts'))
})

test.run()
