/**
 * Histories whose verdicts are known: Porcupine's etcd logs and kv histories, Knossos's examples. They lie outside
 * the repository: in the folder named by SPLITBRAIN_CORPORA, or in ../shared/corpora beside it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { corpusHistories, findCorpora, modelOf } from './testing/corpora.ts'
import { readHistory } from './jepsen.ts'

const root = findCorpora()

if (root === undefined) {
  test('the corpora', () => {
    console.log('skipped: no corpora (set SPLITBRAIN_CORPORA to their folder)')
  })
} else {
  test('every history with a known verdict is judged so, and none is unknown', async () => {
    let judged = 0
    for (const { path, model, verdict } of corpusHistories(readFileSync(join(root, 'INDEX.md'), 'utf8'))) {
      if (!existsSync(join(root, path))) continue
      const result = await check(readHistory(readFileSync(join(root, path))), { model: modelOf(path, model)!, elapsedMs: () => 0 })
      assert.is(result.verdict, verdict, path)
      judged++
    }
    assert.ok(judged >= 190, `only ${judged} histories were found`)
  })
}

test.run()
