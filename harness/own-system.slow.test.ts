import { execa } from 'execa'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { verdictDocumentSchema } from '../checker/verdict.ts'
import { packageRoot } from './version.ts'

const program = path.join(packageRoot(), 'harness', 'bin', 'splitbrain.mjs')

test('from splitbrain init to a verdict, and the same run again from its plan', async () => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'splitbrain-init-'))
  const splitbrain = (...words: string[]) => execa(process.execPath, [program, ...words], { cwd, reject: false })
  const verdict = async () => verdictDocumentSchema.parse(JSON.parse(await readFile(path.join(cwd, 'runs/latest/verdict.json'), 'utf8')))
  try {
    assert.is((await splitbrain('init')).exitCode, 0)
    assert.match((await splitbrain('init')).stderr, /my-store\.ts is there already; move it away/)
    const first = await splitbrain('run', '--system', './my-store.ts', '--workload', 'register(keys=5)', '--nodes', '3', '--clients', '6', '--nemesis', 'partition', '--time', '6s', '--seed', '1')
    assert.is(first.exitCode, 1, first.stderr + first.stdout)
    const before = await verdict()
    assert.is(before.run!.system, './my-store.ts')
    assert.ok(before.judgements.find(({ judgement }) => judgement === 'linearizable')!.witnesses.length > 0)
    const again = await splitbrain('run', '--plan', 'runs/latest/plan.json')
    assert.is(again.exitCode, 1, again.stderr + again.stdout)
    assert.is((await verdict()).run!.seed, before.run!.seed)
    const simulated = await splitbrain('run', '--system', './my-store.ts', '--driver', 'sim')
    assert.is(simulated.exitCode, 254)
    assert.match(simulated.stderr, /my-store cannot run in the simulator/)
  } finally {
    await rm(cwd, { recursive: true })
  }
})

test.run()
