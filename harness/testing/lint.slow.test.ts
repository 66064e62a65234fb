import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './compiled.ts'
import type { Finding } from './lint/finding.ts'
import { checkLayers, layerFindings } from './lint/layers.ts'
import { checkDeadCode, checkOxlint, checkTypes } from './lint/tools.ts'

/** A small repository under the same configuration, with one offence of each kind planted. */
const planted: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'planted', version: '0.0.0', type: 'module', main: 'harness/cli.ts', dependencies: { 'never-imported': '1.0.0' } }),
  'harness/env.ts': 'export const now = (): number => Date.now()\n',
  'harness/run.ts': 'export const run = 1\n',
  'harness/roof.ts': 'export const roof = [Date.now(), Math.random()]\n',
  'harness/cli.ts': "import './roof.ts'\nimport './loop-a.ts'\nexport const main = 1\n",
  'harness/loop-a.ts': "import { b } from './loop-b.ts'\nexport const a = (): number => b()\n",
  'harness/loop-b.ts': "import { a } from './loop-a.ts'\nexport const b = (): number => a()\n",
  'harness/floating.ts': 'async function later(): Promise<void> {}\nexport function now(): void {\n  later()\n}\n',
  'harness/dead.ts': 'export const dead = 1\n',
  'harness/wrong.ts': "export const wrong: number = 'text'\n",
  'harness/loose.ts': 'export function loose(x: any): boolean {\n  return x == 1\n}\nexport default loose\n',
  'checker/upward.ts': "import { run } from '../harness/run.ts'\nexport const upward = run\n",
  'cluster/impure.ts': [
    "import { readFileSync } from 'node:fs'",
    "import { connect } from 'node:net'",
    "import { spawn } from 'node:child_process'",
    'export const all = [readFileSync, connect, spawn]',
    'export const now = (): number => Date.now()',
    'export const date = (): Date => new Date()',
    'export const fine = (): number => performance.now()',
    'export const exact = (): bigint => process.hrtime.bigint()',
    'export const chance = (): number => Math.random()',
    'setTimeout(() => {}, 1)',
    'setInterval(() => {}, 1)',
    'setImmediate(() => {})',
    'queueMicrotask(() => {})',
    'process.nextTick(() => {})',
    'globalThis.setTimeout(() => {}, 1)',
    'console.log(1)',
  ].join('\n'),
  'cluster/impure.test.ts': 'export const allowed = [Date.now(), Math.random(), performance.now()]\n',
  'cluster/drivers/real.ts': "import { connect } from 'node:net'\nexport const allowed = [connect, Date.now()]\n",
}

const folder = mkdtempSync(join(tmpdir(), 'splitbrain-lint-'))
for (const name of ['.oxlintrc.json', 'tsconfig.json', 'knip.json']) cpSync(join(root, name), join(folder, name))
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
for (const [path, text] of Object.entries(planted)) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
test.after(() => rmSync(folder, { recursive: true, force: true }))

function has(findings: readonly Finding[], file: string, line: number, rule: RegExp): void {
  const there = findings.some((finding) => finding.file === file && finding.line === line && rule.test(`${finding.rule} ${finding.message}`))
  assert.ok(there, `no ${rule} at ${file}:${line} among:\n${findings.map((f) => `${f.file}:${f.line} ${f.rule} ${f.message}`).join('\n')}`)
}

test('oxlint finds what the project forbids, each with a reason', async () => {
  const findings = await checkOxlint(folder)
  const impure: readonly (readonly [number, RegExp])[] = [
    [1, /node:fs.*Env/], [2, /node:net.*Env/], [3, /node:child_process.*Env/],
    [5, /Date.*Env/], [6, /Date.*Env/], [7, /performance.*Env/], [8, /hrtime.*Env/], [9, /Math.random.*Env/],
    [10, /setTimeout.*Env/], [11, /setInterval.*Env/], [12, /setImmediate.*Env/], [13, /queueMicrotask.*Env/],
    [14, /nextTick.*Env/], [15, /setTimeout.*Env/], [16, /console.*Env/],
  ]
  for (const [line, rule] of impure) has(findings, 'cluster/impure.ts', line, rule)
  has(findings, 'harness/env.ts', 1, /Date.*Env/)
  has(findings, 'harness/floating.ts', 3, /no-floating-promises/)
  has(findings, 'harness/loose.ts', 1, /no-explicit-any/)
  has(findings, 'harness/loose.ts', 2, /eqeqeq/)
  has(findings, 'harness/loose.ts', 4, /no-default-export/)
  assert.ok(findings.some(({ file, rule }) => /loop-[ab]/.test(file) && rule.includes('no-cycle')), 'no cycle found')
  const exempt = findings.filter(({ file }) => ['harness/roof.ts', 'cluster/impure.test.ts', 'cluster/drivers/real.ts'].includes(file))
  assert.equal(exempt, [], 'the roof, tests and drivers may touch the outside world')
})

test('the compiler is asked, in strict mode', async () => {
  has(await checkTypes(folder), 'harness/wrong.ts', 1, /TS2322/)
})

test('a file, an export and a dependency that nobody uses are found', async () => {
  const findings = await checkDeadCode(folder)
  has(findings, 'harness/dead.ts', 1, /knip\(files\)/)
  has(findings, 'package.json', 1, /never-imported/)
})

test('an import that goes upward is found in the files', () => {
  has(checkLayers(folder), 'checker/upward.ts', 1, /import-direction.*harness\/run\.ts/)
})

test('each layer is held to what it may import', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['checker/a.ts', '../harness/env.ts'], ['checker/a.ts', '../cluster/cluster.ts'],
    ['checker/knossos-wasm/src/a.ts', '../../verdict.ts'],
    ['harness/clock.ts', './run.ts'], ['harness/generator/a.ts', '../run.ts'], ['harness/generator/a.ts', '../../cluster/cluster.ts'],
    ['cluster/kv/a.ts', '../../harness/run.ts'], ['cluster/kv/a.ts', '../../harness/generator/index.ts'], ['cluster/kv/a.ts', '../../checker/ladder.ts'],
    ['cluster/kv/a.ts', '../../nemesis/fault.ts'], ['nemesis/a.ts', '../cluster/kv/node.ts'], ['nemesis/a.ts', '../harness/run.ts'],
    ['workloads/a.ts', '../cluster/drivers/x.ts'], ['workloads/a.ts', '../nemesis/fault.ts'], ['reports/html/a.ts', '../../harness/run.ts'],
    ['reports/a.ts', '../cluster/cluster.ts'],
  ]
  for (const [file, target] of refused) {
    for (const text of [`import { x } from '${target}'`, `import type { X } from '${target}'`, `export * from '${target}'`, `await import('${target}')`]) {
      assert.is(layerFindings(file, text).length, 1, `${file}: ${text}`)
    }
  }
  const allowed: readonly (readonly [string, string])[] = [
    ['checker/a.ts', './verdict.ts'], ['checker/a.ts', 'knossos-wasm'], ['cluster/kv/a.ts', '../../harness/env.ts'], ['cluster/kv/a.ts', '../../checker/history/index.ts'],
    ['nemesis/a.ts', '../cluster/cluster.ts'], ['workloads/a.ts', '../checker/linearizable.ts'], ['reports/html/a.ts', '../../checker/verdict.ts'],
    ['harness/run.ts', '../cluster/drivers/x.ts'], ['cluster/kv/a.test.ts', '../../harness/run.ts'],
  ]
  for (const [file, target] of allowed) assert.is(layerFindings(file, `import { x } from '${target}'`).length, 0, `${file}: ${target}`)
})

test.run()
