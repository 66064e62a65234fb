/** The bootstrap, on a tiny repository of the same shape whose build only counts how often it ran. */
import { execa } from 'execa'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './compiled.ts'

/** A space, because paths have them. */
const folder = join(mkdtempSync(join(tmpdir(), 'splitbrain-bootstrap-')), 'a clone')
const put = (path: string, content: unknown): void => writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))

const manifest = {
  name: 'tiny',
  version: '0.0.0',
  type: 'module',
  engines: { node: '>=20.19' },
  workspaces: ['checker/part'],
  scripts: { build: 'node harness/build.mjs' },
}
const part = { name: 'part', version: '0.0.0' }
const lock = {
  name: 'tiny',
  version: '0.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: { '': manifest, 'checker/part': part, 'node_modules/part': { resolved: 'checker/part', link: true } },
}
/** Counts itself, then makes a module that shows its arguments and resolves to 7. */
const buildScript = `
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
appendFileSync('builds.log', 'built\\n')
mkdirSync('dist/harness', { recursive: true })
writeFileSync('dist/harness/hello.js', 'export async function main(args) { console.log(JSON.stringify(args)); return 7 }')
`

mkdirSync(join(folder, 'harness'), { recursive: true })
mkdirSync(join(folder, 'checker/part'), { recursive: true })
cpSync(join(root, 'harness/bin'), join(folder, 'harness/bin'), { recursive: true })
put('package.json', manifest)
put('package-lock.json', lock)
put('tsconfig.json', {})
put('checker/part/package.json', part)
put('harness/build.mjs', buildScript)
put('harness/hello.ts', 'one')
test.after(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

interface Result {
  readonly code: number | undefined
  readonly out: string
  readonly said: string
}

async function bootstrap(...args: readonly string[]): Promise<Result> {
  const result = await execa({ cwd: tmpdir(), reject: false, stdin: 'ignore', env: { npm_config_fetch_retries: '0' } })`${process.execPath} ${join(folder, 'harness/bin/bootstrap.mjs')} ${args}`
  return { code: result.exitCode, out: result.stdout, said: result.stderr }
}

const hello = (): Promise<Result> => bootstrap('harness/hello.js', '--flag', 'a b')
const builds = (): number => (existsSync(join(folder, 'builds.log')) ? readFileSync(join(folder, 'builds.log'), 'utf8').split('\n').length - 1 : 0)
const lockFile = '.prepare.lock'

test('two bootstraps of a fresh clone at the same moment install once, build once, and both run', async () => {
  const results = await Promise.all([hello(), hello()])
  for (const { code, out } of results) assert.equal([code, out], [7, '["--flag","a b"]'])
  assert.is(builds(), 1)
  const said = results.map((result) => result.said).join('\n')
  assert.is(said.match(/^splitbrain: installing/gm)?.length, 1, said)
  assert.is(said.match(/waiting for another/g)?.length, 1, said)
  assert.not.ok(existsSync(join(folder, lockFile)))
})

test('nothing is done twice, and nothing is said', async () => {
  assert.equal(await hello(), { code: 7, out: '["--flag","a b"]', said: '' })
  assert.is(builds(), 1)
})

test('a source with new content is compiled, one with a new time stamp is not', async () => {
  utimesSync(join(folder, 'harness/hello.ts'), new Date(), new Date())
  await hello()
  assert.is(builds(), 1)
  put('harness/hello.ts', 'two')
  assert.match((await hello()).said, /^splitbrain: compiling \.\.\.$/)
  assert.is(builds(), 2)
})

test('an installation that was broken off is done again', async () => {
  rmSync(join(folder, 'node_modules/.package-lock.json'))
  assert.match((await hello()).said, /installing/)
  assert.is((await hello()).said, '')
})

test('the lock of a dead process is no obstacle', async () => {
  const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' }).stdout.trim()
  put(lockFile, { pid: Number(dead), start: '', host: hostname(), nonce: 1 })
  put('harness/hello.ts', 'three')
  assert.is((await hello()).code, 7)
  assert.not.ok(existsSync(join(folder, lockFile)))
})

test('sources that do not compile end with 255 and the compiler\'s words', async () => {
  put('harness/build.mjs', `console.log('x.ts(1,1): error TS1: no'); process.exit(2)`)
  const { code, said } = await hello()
  assert.is(code, 255)
  assert.match(said, /do not compile/)
  assert.match(said, /error TS1: no/)
  put('harness/build.mjs', buildScript)
  assert.is((await hello()).code, 7)
})

test('an unreachable registry ends with 255 and a sentence', async () => {
  const far = { version: '1.0.0', resolved: 'http://127.0.0.1:9/far/-/far-1.0.0.tgz', integrity: `sha512-${'A'.repeat(86)}==` }
  put('package.json', { ...manifest, dependencies: { far: '1.0.0' } })
  put('package-lock.json', { ...lock, packages: { ...lock.packages, '': { ...manifest, dependencies: { far: '1.0.0' } }, 'node_modules/far': far } })
  const { code, said } = await hello()
  assert.is(code, 255)
  assert.match(said, /registry cannot be reached/)
  put('package.json', manifest)
  put('package-lock.json', lock)
})

test('a main that waits for what cannot happen any more ends with 255 and a sentence', async () => {
  writeFileSync(join(folder, 'dist/harness/stuck.js'), 'export const main = () => new Promise(() => undefined)')
  const { code, said } = await bootstrap('harness/stuck.js')
  assert.is(code, 255)
  assert.match(said, /^splitbrain: it stopped in the middle, .+$/m)
})

test('an error that nothing catches ends with 255, not with the 1 that says "violated"', async () => {
  writeFileSync(join(folder, 'dist/harness/late.js'), 'export function main() { setTimeout(() => { throw new Error("too late") }); return new Promise(() => setInterval(() => undefined, 1000)) }')
  const { code, said } = await bootstrap('harness/late.js')
  assert.is(code, 255)
  assert.match(said, /at an error that nothing caught.*\nError: too late/)
})

test('a module that does not exist ends with 255 and a sentence', async () => {
  const { code, said } = await bootstrap('harness/no-such.js')
  assert.is(code, 255)
  assert.match(said, /no compiled module harness\/no-such\.js/)
})

test('a Node that is too old ends with 255 and a sentence', async () => {
  put('package.json', { ...manifest, engines: { node: '>=99.1' } })
  const { code, said } = await hello()
  assert.is(code, 255)
  assert.match(said, /needs Node 99\.1 or newer; this is Node /)
})

test.run()
