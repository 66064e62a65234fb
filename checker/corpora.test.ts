/** Published histories of registers and other objects: their documented verdicts, and the ladder: whatever holds a model holds every weaker one. Skipped where there are none. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { models, readHistory } from 'knossos-wasm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { linearizableObject } from './linearizable-object.ts'
import { context } from './testing/context.ts'
import { findCorpora, historiesIn } from './testing/corpora.ts'
import { monotoneVerdicts } from './testing/monotone.ts'
import type { JudgeContext } from './judgement.ts'

const corpora = findCorpora()
const missing = 'skipped: no corpora at SPLITBRAIN_CORPORA or ../shared/corpora'

/** Knossos's histories start from 0, and its reads of nil say nothing; Porcupine's start from nothing. */
function rulesOf(file: string): Partial<JudgeContext> {
  return file.startsWith('porcupine') ? {} : { initial: 0, nilReads: 'unknown' }
}

/** Histories of one compare-and-set register each: of what says good or bad in their path, or of Porcupine's index. */
const registers = ['porcupine/jepsen', 'knossos/cas-register', 'elle-cli/knossos/cas-register']

test('published register histories are judged as documented, and monotone along the ladder', async () => {
  if (!corpora) return console.log(missing)
  const documented = verdictsIn(readFileSync(path.join(corpora, 'INDEX.md'), 'utf8'))
  let judged = 0
  for (const file of historiesIn(corpora, ...registers)) {
    const verdict = documented.get(file)
    // A cluster that failed to start left an empty log.
    if (verdict === undefined) continue
    const verdicts = await monotoneVerdicts(readHistory(readFileSync(path.join(corpora, file))), { ...rulesOf(file), timeLimitMs: 5_000 })
    assert.is(verdicts[0]!.verdict, verdict, file)
    judged++
  }
  assert.is(judged, 102 + 80 + 8)
})

/** Histories of other objects, by folder. */
const objects = { 'porcupine/kv': models.kv(), 'knossos/multi-register': models.multiRegister({ initial: { x: 0, y: 0 } }), 'knossos/mutex': models.mutex(), 'elle-cli/knossos/mutex': models.mutex() }

test('published histories of key-value stores, of several registers and of locks are judged as documented', async () => {
  if (!corpora) return console.log(missing)
  const documented = verdictsIn(readFileSync(path.join(corpora, 'INDEX.md'), 'utf8'))
  for (const [folder, model] of Object.entries(objects)) {
    for (const file of historiesIn(corpora, folder)) {
      const { verdict } = await linearizableObject(model, true).judge(readHistory(readFileSync(path.join(corpora, file))), context)
      assert.is(verdict, documented.get(file), file)
    }
  }
})

test('every published history with a known verdict is judged by some test', () => {
  if (!corpora) return console.log(missing)
  // The others have tests of their own, which name every file of their folders.
  const judged = [...registers, ...Object.keys(objects), 'elle', 'elle-cli/elle', 'elle-cli/jepsen', 'awdit']
  const known = [...verdictsIn(readFileSync(path.join(corpora, 'INDEX.md'), 'utf8')).keys()]
  assert.equal(known.filter((file) => !judged.some((folder) => file.startsWith(`${folder}/`))), [])
})

/** By file what the index says of it, where that is a word. */
function verdictsIn(index: string): Map<string, 'holds' | 'violated'> {
  const rows = index.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(rows.flatMap(([, file, , , word]) => (file !== undefined && (word === 'good' || word === 'bad') ? [[file, word === 'good' ? 'holds' : 'violated'] as const] : [])))
}

test.run()
