/**
 * The package as its users get it: packed, installed into an empty project, and the examples of the README run there.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = await mkdtemp(path.join(tmpdir(), 'splitbrain-package-'))
test.after(() => rm(dir, { recursive: true, force: true }))

/** The environment without what npm and our own start left in it: a user has neither. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^SPLITBRAIN_/i.test(name)))
const inProject = (file: string, args: readonly string[]) => execa(file, args, { cwd: dir, env, extendEnv: false, all: true, reject: false })

const examples = async (): Promise<string[]> => {
  const section = (await readFile(path.join(root, 'README.md'), 'utf8')).split('## As a library')[1]!.split('\n## ')[0]!
  return [...section.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!)
}

const packed = await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], { cwd: root, env, extendEnv: false })
const tarball = path.join(dir, packed.stdout.trim().split('\n').at(-1)!)

test('what package.json exports is there, with types', async () => {
  const bytes = await readFile(tarball)
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) } })
  assert.equal(messages.map((message) => formatMessage(message, pkg)), [])
})

test('installed into an empty project, the examples of the README run', async () => {
  await writeFile(path.join(dir, 'package.json'), '{"type":"module","private":true}')
  const installed = await inProject('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball])
  assert.is(installed.exitCode, 0, installed.all)
  const [library, campaign] = await examples()
  await writeFile(path.join(dir, 'library.js'), library!)
  const ran = await inProject('node', ['library.js'])
  assert.is(ran.exitCode, 0, ran.all)
  assert.match(ran.stdout, /^holds Promised eventual\. Holds/)
  assert.match(await readFile(path.join(dir, 'causal.html'), 'utf8'), 'one, as causal')
  await writeFile(path.join(dir, 'nightly.ts'), campaign!)
  const matrix = await inProject('npx', ['--no-install', 'splitbrain', 'campaign', 'run', 'nightly.ts'])
  assert.is(matrix.exitCode, 0, matrix.all)
  assert.match(matrix.stdout, /abd · partition +0\/2 violated/)
})

test.run()
