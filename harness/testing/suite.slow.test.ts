import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runParts } from './runner.ts'
import { runPart, type Outcome, type Part, type RunOptions } from './suite.ts'

/** Small test files, each falling into one of uvu's traps, and what is said of each. */
const folder = mkdtempSync(join(tmpdir(), 'splitbrain-suite-'))
const options: RunOptions = { requireAll: false, lingerMs: 300 }
const uvu = JSON.stringify(import.meta.resolve('uvu'))

function part(body: string, limitMs = 20_000): Part {
  const file = join(folder, `${Math.abs(hash(body))}.mjs`)
  writeFileSync(file, `import { test, suite } from ${uvu}\n${body}\n`)
  return { name: 'fixture', type: 'file', args: [file], limitMs }
}

function hash(text: string): number {
  let sum = 0
  for (const letter of text) sum = (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0
  return sum
}

const outcome = (body: string, changed: Partial<RunOptions> = {}, limitMs?: number): Promise<Outcome> => runPart(part(body, limitMs), { ...options, ...changed })

async function failing(body: string, reason: RegExp, limitMs?: number): Promise<Outcome> {
  const result = await outcome(body, {}, limitMs)
  assert.is(result.failed >= 1, true, `nothing failed: ${result.output}`)
  assert.match(result.reasons.join(' '), reason)
  return result
}

const refused = async (body: string, reason: RegExp, limitMs?: number): Promise<void> => void (await failing(body, reason, limitMs))

const one = `test('one', () => {}); test.run()`

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('a file whose tests pass is passed', async () => {
  const result = await outcome(`test('one', () => {}); test('two', async () => {}); test.run()`)
  assert.equal([result.passed, result.failed, result.skipped, result.reasons], [2, 0, 0, []])
})

test('the tests of several suites in one file are summed', async () => {
  const result = await outcome(`const a = suite('a'); a('x', () => {}); a.run(); const b = suite('b'); b('y', () => {}); b('z', () => {}); b.run()`)
  assert.equal([result.passed, result.failed], [3, 0])
})

test('a failing test fails, and the others still count', async () => {
  const result = await failing(`test('bad', () => { throw new Error('no') }); test('good', () => {}); test.run()`, /exit code is 1.*Of 2 tests 1 passed/)
  assert.equal([result.passed, result.failed], [1, 1])
})

test('a throwing before hook fails, though uvu exits 0', () => refused(`test.before(() => { throw new Error('no') }); ${one}`, /Of 1 tests 0 passed/))

test('a thrown string fails, though uvu exits 0', () => refused(`test('bad', () => { throw 'no' }); ${one}`, /Of 2 tests/))

test('a missing test.run() fails, though uvu exits 0', () => refused(`test('one', () => {})`, /no closing lines/))

test('a file without tests fails', () => refused(`test.run()`, /no tests/))

test('a promise that never settles fails', () => refused(`test('hangs', () => new Promise(() => {})); test.run()`, /no closing lines/))

test('a file that ends itself with exit code 0 before its tests are done fails', () => refused(`test('quits', () => process.reallyExit(0)); ${one}`, /no closing lines/))

test('a leaked handle fails and is named', async () => {
  const result = await failing(`setInterval(() => {}, 1000); ${one}`, /did not end within 0.3 s/)
  assert.match(result.output, /still open: Timeout/)
})

test('an error after the closing lines fails', async () => {
  await refused(`process.once('exit', () => { throw new Error('late') }); ${one}`, /not caught: late/)
  await refused(`test('one', () => { setTimeout(() => Promise.reject(new Error('floating')), 20) }); test.run()`, /not caught: floating/)
})

test('a child left running fails and is killed', async () => {
  const child = `import('node:child_process').then(({ spawn }) => spawn('sleep', ['987'], { stdio: 'ignore' }).unref())`
  await refused(`test('spawns', () => ${child}); test.run()`, /left processes running \(killed now\): sleep 987/)
})

if (process.platform === 'linux') {
  test('a child left running in a session of its own fails too', async () => {
    const child = `import('node:child_process').then(({ spawn }) => spawn('sleep', ['986'], { stdio: 'ignore', detached: true }).unref())`
    await refused(`test('spawns', () => ${child}); test.run()`, /left processes running \(killed now\): sleep 986/)
  })
}

test('a file is killed at its time limit', () => refused(`test('spins', () => { for (;;); }); test.run()`, /time limit of 0.5 s/, 500))

test('a skip with its reason is counted and told', async () => {
  const result = await outcome(`console.log('skip: no Docker here'); test.skip('one', () => {}); test('two', () => {}); test.run()`)
  assert.equal([result.passed, result.failed, result.skipped, result.skips], [1, 0, 1, ['no Docker here']])
})

test('a test that prints its skip and returns counts as skipped, not as passed', async () => {
  const result = await outcome(`test('one', () => { console.log('skip: no corpora'); }); test('two', () => {}); test.run()`)
  assert.equal([result.passed, result.failed, result.skipped, result.skips], [1, 0, 1, ['no corpora']])
})

test('a skip without a reason fails', () => refused(`test.skip('one', () => {}); test('two', () => {}); test.run()`, /prints no line "skip: REASON"/))

test('where everything is required, a skip for lack of Docker fails, another does not', async () => {
  const skip = (reason: string): string => `console.log('skip: ${reason}'); test.skip('one', () => {}); ${one}`
  assert.is((await outcome(skip('no Docker here'), { requireAll: true })).failed, 1)
  assert.is((await outcome(skip('no corpora'), { requireAll: true })).failed, 0)
  assert.is((await outcome(skip('DOCKER_HOSTS names no second engine'), { requireAll: true })).failed, 0)
  assert.is((await outcome(`test('told', () => { if (process.env.SPLITBRAIN_REQUIRE_DOCKER !== '1') throw new Error('not told') }); test.run()`, { requireAll: true })).failed, 0)
})

test('the run ends with the sums alone on a line', async () => {
  const lines: string[] = []
  const code = await runParts([part(one), part(`test('bad', () => { throw new Error('no') }); test.run()`)], 2, options, (line) => lines.push(line))
  assert.is(code, 1)
  assert.is(lines.at(-1), '1 passed, 1 failed')
  assert.is(await runParts([part(one)], 1, options, (line) => lines.push(line)), 0)
  assert.is(lines.at(-1), '1 passed, 0 failed')
})

test.run()
