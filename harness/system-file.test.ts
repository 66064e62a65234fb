import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadSystemFile } from './system-file.ts'
import { UsageError } from './usage-error.ts'
import { packageRoot } from './version.ts'

const dir = await mkdtemp(path.join(tmpdir(), 'splitbrain-system-'))
test.after(() => rm(dir, { recursive: true }))

const FIELDS = `name: 'mine', expected: 'eventual', promise: 'none', functions: ['read'], client: () => ({}), nodes: (ids) => ids.map((id) => ({ id, command: () => ({ file: 'x', args: [] }) }))`

async function write(name: string, text: string): Promise<string> {
  const file = path.join(dir, name)
  await writeFile(file, text)
  return file
}

async function refusal(text: string, name = 'bad.ts'): Promise<string> {
  const file = await write(name, text)
  const error = await loadSystemFile(file).then(() => assert.unreachable('it was accepted'), (reason: unknown) => reason)
  assert.instance(error, UsageError)
  return (error as Error).message.replaceAll(file, 'FILE')
}

test('the file that splitbrain init writes is a system, and knows where it lies', async () => {
  const template = path.join(packageRoot(), 'harness', 'template', 'my-store.ts')
  const system = await loadSystemFile(template)
  assert.is(system.name, 'my-store')
  const image = system.nodes(['n1'])[0]!.image as { program: string }
  assert.is(image.program, path.join(path.dirname(template), 'toy-server.mjs'))
})

test('TypeScript with imports of its own is loaded, and every file knows its own place; nothing is left beside it', async () => {
  await write('place.ts', 'export const place: string = import.meta.url')
  const file = await write('typed.ts', `import { defineSystem } from 'splitbrain'\nimport { place } from './place.ts'\nexport const system = defineSystem({ ${FIELDS.replace("promise: 'none'", 'promise: place')} } as never)`)
  const { promise } = await loadSystemFile(file)
  assert.is(fileURLToPath(promise), path.join(dir, 'place.ts'))
  assert.equal((await readdir(dir)).filter((name) => name.startsWith('.')), [])
})

test('plain JavaScript and a default export will do', async () => {
  const { name } = await loadSystemFile(await write('plain.mjs', `export default { ${FIELDS} }`))
  assert.is(name, 'mine')
})

test('a file that is not there, or no module, is refused', async () => {
  const missing = await loadSystemFile(path.join(dir, 'none.ts')).then(() => '', (error: Error) => error.message)
  assert.match(missing, /There is no file .*none\.ts; splitbrain init writes one/)
  assert.match(await refusal('{}', 'bad.json'), /FILE .*must end in \.ts/)
})

test('a file that does not compile or throws is refused with its place and reason', async () => {
  assert.match(await refusal('export const system = {\n  name: \n}'), /FILE cannot be compiled: Unexpected "}" \(.*:3\)/)
  assert.match(await refusal("throw new Error('no such licence')"), /FILE fails while it is imported: no such licence/)
})

test('a file without a system is refused with what it does export', async () => {
  assert.match(await refusal('export const store = 1'), /FILE exports no system: write "export const system = .*\(it exports store\)/)
})

test('a system of the wrong shape is refused with the field', async () => {
  const system = (fields: string): string => `export const system = { ${fields} }`
  assert.match(await refusal(system(FIELDS.replace('client: () => ({})', 'client: 3'))), /FILE: system\.client is not as it must be: must be a function/)
  assert.match(await refusal(system(FIELDS.replace("'eventual'", "'strong'"))), /FILE: system\.expected is not as it must be: .*linearizable/)
  assert.match(await refusal(system(FIELDS.replace('command: () => ({', 'start: () => ({'))), /FILE: system\.nodes\(ids\)\[0\]\.command is not as it must be: must be a function/)
  assert.match(await refusal(system(FIELDS.replace('ids.map((id) => ({ id,', "['a'].map((id) => ({ id,"))), /must return one node for each id, in their order; for n1, n2, n3 it returned a/)
})

test.run()
