/**
 * Mutation check: each algorithm is broken in ten ways, one at a time, and the tests must notice every time. A mutant
 * is a copy of the compiled package with one piece of one file replaced (for the engine: its source, compiled again).
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** File (compiled, or assembly source), what stands there, what shall stand there instead. */
type Mutant = readonly [string, string, string]

const zones: readonly Mutant[] = [
  ['zones.js', 'if (writer[c] !== NOBODY)', 'if (false)'],
  ['zones.js', 'if (ret[i] < firstReturn[c])', 'if (ret[i] > firstReturn[c])'],
  ['zones.js', 'if (inv[i] > lastInvoke[c])', 'if (false)'],
  ['zones.js', 'if (reads < f)', 'if (false)'],
  ['zones.js', 'if (w === NOBODY)\n        suspect', 'if (false)\n        suspect'],
  ['zones.js', 'if (firstReturn[c] < begun)', 'if (false)'],
  ['zones.js', 'if (reads < latest)', 'if (false)'],
  ['zones.js', 'if (ret[cas] < latest)', 'if (false)'],
  ['zones.js', 'if (chained > 0 &&', 'if (false &&'],
  ['zones.js', 'f < lastInvoke[open] && firstReturn[open] < s', 'f < lastInvoke[open] && f < s'],
  ['zones.js', 'if (f < s && (open < 0', 'if (f > s && (open < 0'],
  ['zones.js', 'ret[w] === NEVER && observed[c] === 0)', 'ret[w] === NEVER)'],
]

const engine: readonly Mutant[] = [
  ['assembly/engine.ts', 'if (((doneB & ~doneA) & pure) != 0) return false', ''],
  ['assembly/engine.ts', 'if (((doneA ^ doneB) & ~hideA & ~pure) != 0) return false', ''],
  ['assembly/engine.ts', 'if ((hideB & ~hideA) != 0) return false', ''],
  ['assembly/engine.ts', 'if ((x & 0xffff) > (y & 0xffff) || (x >> 16) > (y >> 16)) return false', ''],
  ['assembly/engine.ts', 'if (needs >= 0) {\n    if (state != needs) return NONE\n  }', 'if (needs >= 0) {\n    if (state == NONE) return NONE\n  }'],
  ['assembly/engine.ts', 'const keep = load<u8>(opKeep + <usize>xOp) != 0 || isWanted(get(typeMakes, get(opType, xOp)))', 'const keep = false'],
  ['assembly/engine.ts', 'if (theirs < mine ||', 'if (theirs > mine ||'],
  ['assembly/engine.ts', 'if (!overwrites && (get(record', 'if (false && (get(record'],
  ['assembly/engine.ts', '(get(totalMask, w) & get(openMask, w)) & ~get(scratch, doneAt + w)', '0'],
  ['assembly/engine.ts', 'if (at < get(stateLast, state)) return true\n  const next = get(stateNext, state)\n  for (let w = 0; w < words; w++) {\n    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)\n    if (w == xWord)', 'if (at >= get(stateLast, state)) return true\n  const next = get(stateNext, state)\n  for (let w = 0; w < words; w++) {\n    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)\n    if (w == xWord)'],
  ['assembly/engine.ts', '&& get(wanted, next) != stamp && (!anyWanted || next == state)) continue', ') continue'],
  ['assembly/engine.ts', 'store<u16>(address, load<u16>(address) + 1)', ''],
  ['assembly/engine.ts', '== 0 || !hidesAny(from))) continue', '== 0 || true)) continue'],
]

const around: readonly Mutant[] = [
  ['order.js', 'Number(type[a] !== INVOKE) - Number(type[b] !== INVOKE)', 'Number(type[b] !== INVOKE) - Number(type[a] !== INVOKE)'],
  ['register.js', 'if (outcome === FAIL || outcome === INFO ||', 'if (outcome === INFO ||'],
  ['register.js', 'if (operation > 0 && type[at] !== INFO)', 'if (operation > 0)'],
  ['window.js', 'if (!crashed && returns[op] < make[needed] && need[needed] === -1)', 'if (need[needed] === -1)'],
  ['window.js', '(soon[made] < overwritten ||', '(soon[made] > overwritten ||'],
  ['problem.js', 'if (crashed && used !== null && !used.has(made))', 'if (crashed)'],
  ['live-zones.js', 'if (other <= value.first)', 'if (true)'],
  ['live-zones.js', 'if (most <= value.first)', 'if (false)'],
  ['live-zones.js', 'if (invoked > value.last)', 'if (false)'],
  ['minimize.js', 'ops.ret[m] >= cut && ops.inv[m] < ops.ret[r]', 'ops.ret[m] >= cut && ops.inv[m] < ops.inv[r]'],
  ['zone-order.js', 'place(x) - place(y)', 'place(y) - place(x)'],
  ['models/collections.js', "'pop', (list) => [list.length - 1])", "'pop', (list) => [0])"],
]

const collections: readonly Mutant[] = [
  ['collections.js', 'take.ret < put.inv', 'take.ret > put.inv'],
  ['collections.js', 'twice ??= ', 'void '],
  ['collections.js', 'put.ret < y.put.inv', 'put.inv < y.put.inv'],
  ['collections.js', 'takenFrom(latest) > y.take.ret', 'takenFrom(latest) > y.take.inv'],
  ['collections.js', 'takenFrom(byEnd[next]) > takenFrom(latest)', 'takenFrom(byEnd[next]) < takenFrom(latest)'],
  ['collections.js', "take?.inv ?? NEVER", "take?.inv ?? -1"],
  ['collections.js', 'if (!read.elements.has(element))', 'if (false)'],
  ['collections.js', 'if (add === undefined)', 'if (false)'],
  ['collections.js', 'latest !== undefined && read.span.ret < latest.inv', 'false'],
  ['collections.js', '!placed.has(element) && latest', 'false && latest'],
  ['collections.js', 'if (output === undefined || output === null)\n            return undefined', 'if (output === undefined || output === null)\n            continue'],
]

const here = dirname(fileURLToPath(import.meta.url))
const home = join(here, '..')
const tests = ['models.test.js', 'check.test.js', 'monitor.test.js'] as const

/** Whether the tests notice a mutant; throws when its piece is not in the file. */
function isCaught([file, before, after]: Mutant, number: number): boolean {
  const folder = join(home, '.mutants', String(number))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(here, join(folder, 'dist'), { recursive: true })
  const inSource = file.startsWith('assembly/')
  if (inSource) cpSync(join(home, 'assembly'), join(folder, 'assembly'), { recursive: true })
  const path = join(folder, inSource ? file : join('dist', file))
  const text = readFileSync(path, 'utf8')
  if (!text.includes(before)) throw new Error(`mutant ${number}: ${file} does not contain ${JSON.stringify(before)}; bring the list of mutants up to date`)
  writeFileSync(path, text.replace(before, () => after))
  if (inSource) compileEngine(folder)
  const caught = tests.some((name) => spawnSync(process.execPath, [join(folder, 'dist', name)], { timeout: 60_000 }).status !== 0)
  rmSync(folder, { recursive: true, force: true })
  return caught
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
  full: zones.length + engine.length + around.length + collections.length,
  slice: 3,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const mutants = [...zones, ...engine, ...around, ...collections]
    let survivors = 0
    for (let i = 0; i < Math.min(cases, mutants.length); i++) {
      const number = (i * 7 + seed) % mutants.length
      const [file, before, after] = mutants[number]!
      if (isCaught(mutants[number]!, number)) continue
      survivors++
      print(`not noticed: in ${file}, ${JSON.stringify(before)} replaced by ${JSON.stringify(after)}`)
    }
    print(`${Math.min(cases, mutants.length) - survivors} of ${Math.min(cases, mutants.length)} mutants were noticed`)
    return survivors === 0
  },
}
