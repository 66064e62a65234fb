/**
 * Mutation check: each algorithm is broken in ten ways, one at a time, and the tests must notice every time. A mutant
 * is a copy of the compiled package with one piece of one file replaced (for the engine: its source, compiled again).
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemElapsedMs } from './clock.ts'
import { mutants } from './testing/mutants.ts'
import type { Mutant } from './testing/mutants.ts'

const here = dirname(fileURLToPath(import.meta.url))
const home = join(here, '..')
/** The tests that are about the algorithms; by beginning of its name, those that a file is tested by first. */
const tests = ['time-column.test.js', 'models.test.js', 'values.test.js', 'accept-zones.test.js', 'reading.test.js', 'collections/collections.test.js', 'check.test.js', 'monitor.test.js', 'live-order.test.js', 'live-bounds.test.js', 'live-queue.test.js', 'live-collections.test.js', 'live-kv.test.js', 'collections/collections.slow.test.js', 'check.slow.test.js', 'live-window.slow.test.js', 'monitor.slow.test.js']
const testedBy: readonly (readonly [string, string])[] = [
  ['collections/', 'collections/collections.slow.test.js'], ['live-queue', 'live-queue.test.js'], ['live-order', 'live-order.test.js'], ['live-repair', 'live-order.test.js'], ['live-bounds', 'live-bounds.test.js'],
  ...['live-list', 'live-set', 'live-stack', 'live-unseen', 'live-placement', 'live-priority-queue', 'live-log'].map((name) => [name, 'live-collections.test.js'] as const),
  ...['live-kv', 'live-eras', 'live-gaps', 'live-line', 'live-texts'].map((name) => [name, 'live-kv.test.js'] as const),
  ['live-zones', 'monitor.slow.test.js'], ['live-register', 'monitor.slow.test.js'], ['live-', 'live-window.slow.test.js'], ['accept-', 'accept-zones.test.js'], ['time-column', 'time-column.test.js'],
  ['history', 'reading.test.js'], ['column', 'reading.test.js'], ['values', 'reading.test.js'], ['assembly/scan', 'reading.test.js'], ['assembly/names', 'reading.test.js'],
]
/** A mutant that takes so many times as long as the package itself is one that never ends. */
const PATIENCE = 10

/** By test: how long it may take. */
const limitsMs = new Map<string, number>()

async function limitOf(name: string): Promise<number> {
  let limitMs = limitsMs.get(name)
  if (limitMs === undefined) {
    const begun = systemElapsedMs()
    if (await fails(join(here, name), 0)) throw new Error(`${name} fails although nothing is broken`)
    limitMs = Math.ceil((systemElapsedMs() - begun) * PATIENCE)
    limitsMs.set(name, limitMs)
  }
  return limitMs
}

/** Whether a file of tests fails; it is ended at the first of them that does. `limitMs` 0: it may take as long as it likes. */
function fails(path: string, limitMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [path], { timeout: limitMs, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('✘')) child.kill('SIGKILL')
  })
  return new Promise((resolve) => child.on('close', (code) => resolve(code !== 0)))
}

/** Whether the tests notice a mutant; throws when its piece is not in the file. */
async function isCaught([file, before, after]: Mutant, number: number): Promise<boolean> {
  const folder = join(home, '.mutants', String(number))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    cpSync(here, join(folder, 'dist'), { recursive: true })
    const inSource = file.startsWith('assembly/')
    if (inSource) cpSync(join(home, 'assembly'), join(folder, 'assembly'), { recursive: true })
    const path = join(folder, inSource ? file : join('dist', file))
    const text = readFileSync(path, 'utf8')
    if (!text.includes(before)) throw new Error(`mutant ${number}: ${file} does not contain ${JSON.stringify(before)}; bring the list of mutants up to date`)
    writeFileSync(path, text.replace(before, () => after))
    if (inSource) compileEngine(folder)
    const first = testedBy.find(([prefix]) => file.startsWith(prefix))?.[1] ?? 'check.slow.test.js'
    for (const name of [first, ...tests.filter((other) => other !== first)]) if (await fails(join(folder, 'dist', name), await limitOf(name))) return true
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compileEngine(folder: string): void {
  cpSync(join(home, 'asconfig.json'), join(folder, 'asconfig.json'))
  const asc = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin/asc.js')
  const { status, stderr } = spawnSync(process.execPath, [asc, '--config', 'asconfig.json'], { cwd: folder })
  if (status !== 0) throw new Error(`a mutant does not compile: ${String(stderr)}`)
  const bytes = readFileSync(join(folder, 'dist/engine.wasm'))
  writeFileSync(join(folder, 'dist/generated/engine.js'), `export const engineBase64 = '${bytes.toString('base64')}'\n`)
}

export const soak = {
  name: 'mutations',
  describes: 'breaks the algorithms one piece at a time: the tests notice every time',
  full: mutants.length,
  slice: 3,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const count = Math.min(cases, mutants.length)
    let survivors = 0
    for (let i = 0; i < count; i++) {
      const number = (i + seed) % mutants.length
      const [file, before, after] = mutants[number]!
      if (await isCaught(mutants[number]!, number)) continue
      survivors++
      print(`not noticed: ${number}, in ${file}, ${JSON.stringify(before)} replaced by ${JSON.stringify(after)}`)
    }
    print(`${count - survivors} of ${count} mutants were noticed`)
    return survivors === 0
  },
}
