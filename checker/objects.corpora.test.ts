/** elle-cli's histories of banks, counters, sets and long forks, judged as documented; skipped where they are not. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { readHistory } from 'knossos-wasm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bankTotal } from './bank-total.ts'
import { counterBounds } from './counter-bounds.ts'
import { longFork } from './long-fork.ts'
import { setFull } from './set-full.ts'
import { context } from './testing/context.ts'
import { findCorpora, historiesIn } from './testing/corpora.ts'
import type { Judgement } from './judgement.ts'

const folder = findCorpora()

const documented: readonly (readonly [file: string, judgement: Judgement, verdict: 'holds' | 'violated' | 'unknown'])[] = [
  ['bank-neg.edn', bankTotal(), 'holds'],
  ['bank-negative-balances.json', bankTotal(), 'violated'],
  ['bank-tidb.edn', bankTotal(), 'violated'],
  ['bank.edn', bankTotal(), 'holds'],
  ['bank.json', bankTotal(), 'holds'],
  // elle-cli passes these, but nobody read the counter: nothing was shown.
  ['counter.edn', counterBounds(), 'unknown'],
  ['counter.json', counterBounds(), 'unknown'],
  ['long-fork.edn', longFork(), 'violated'],
  ['set.edn', setFull(), 'holds'],
  ['set_full.edn', setFull(), 'violated'],
  ['set_full.json', setFull(), 'violated'],
]

test('published histories of objects are judged as documented', async () => {
  if (!folder) return console.log('skipped: no corpora at SPLITBRAIN_CORPORA or ../shared/corpora')
  assert.equal(documented.map(([file]) => `elle-cli/jepsen/${file}`).sort(), historiesIn(folder, 'elle-cli/jepsen'))
  for (const [file, judgement, verdict] of documented) {
    const judged = await judgement.judge(readHistory(readFileSync(path.join(folder, 'elle-cli/jepsen', file))), context)
    assert.is(judged.verdict, verdict, `${file}: ${judged.summary} ${judged.reason ?? ''}`)
  }
})

test.run()
