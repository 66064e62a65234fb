import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compiledModules } from './compiled.ts'
import { main } from './runner.ts'
import { parseClosing, skipReasons } from './uvu-output.ts'

test('a pattern that matches nothing is a failure', async () => {
  const lines: string[] = []
  assert.is(await main(['no-such-file'], (line) => lines.push(line)), 1)
  assert.is(lines.at(-1), '0 passed, 1 failed')
})

test('an unknown option is refused with a sentence', async () => {
  const lines: string[] = []
  assert.is(await main(['--fats'], (line) => lines.push(line)), 254)
  assert.match(lines.join(), /--fats/)
  assert.is(await main(['--limit', 'soon'], (line) => lines.push(line)), 254)
})

test('compiled tests are found in the root and in the workspace, those without a source are not', () => {
  const base = mkdtempSync(join(tmpdir(), 'splitbrain-compiled-'))
  try {
    for (const path of [
      'harness/a.test.ts', 'dist/harness/a.test.js', 'dist/harness/gone.test.js', 'dist/harness/a.js',
      'checker/knossos-wasm/src/b.test.ts', 'checker/knossos-wasm/dist/b.test.js',
    ]) {
      mkdirSync(dirname(join(base, path)), { recursive: true })
      writeFileSync(join(base, path), '')
    }
    assert.equal(compiledModules('.test.js', base), [
      { name: 'checker/knossos-wasm/src/b.test.ts', file: join(base, 'checker/knossos-wasm/dist/b.test.js') },
      { name: 'harness/a.test.ts', file: join(base, 'dist/harness/a.test.js') },
    ])
  } finally {
    rmSync(base, { recursive: true })
  }
})

test('closing lines are read only where they are whole', () => {
  assert.equal(parseClosing('• •   (2 / 2)\n\n  Total:     2\n  Passed:    2\n  Skipped:   1\n  Duration:  0.40ms\n\n'), { total: 2, passed: 2, skipped: 1 })
  assert.is(parseClosing('  Total:     2\n  Passed:    2\n'), undefined)
  assert.is(parseClosing(''), undefined)
})

test('a skip is told by a line of its own, also behind uvu\'s dots', () => {
  assert.equal(skipReasons(' docker  • ✘ • skip: no Docker\nwe skip: nothing\nskipped: no browser \n'), ['no Docker', 'no browser'])
})

test.run()
