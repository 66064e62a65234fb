/**
 * `npm run soak`: lists the long proofs. `npm run soak -- NAME [WORD...] [--cases N] [--seed N]` runs one in full and
 * says at the end whether it passed and how to repeat it. `--slice` runs the number of cases that `npm test` runs; what
 * words mean is the soak's own affair.
 */
import { parseArgs } from 'node:util'
import { loadSoaks, type Soak } from './soaks.ts'

const usage = 'npm run soak -- NAME [WORD...] [--cases N] [--seed N] [--slice]'

interface Request {
  readonly name: string | undefined
  readonly words: readonly string[]
  readonly cases: number | undefined
  readonly seed: number
  readonly slice: boolean
}

/** A whole number from an option. Throws TypeError with a sentence. */
function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`--${name} takes a whole number, not "${text}".`)
  return value
}

function parse(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { cases: { type: 'string' }, seed: { type: 'string' }, slice: { type: 'boolean' } },
  })
  return {
    name: positionals[0],
    words: positionals.slice(1),
    cases: values.cases === undefined ? undefined : wholeNumber('cases', values.cases),
    seed: wholeNumber('seed', values.seed ?? '1'),
    slice: values.slice ?? false,
  }
}

function list(soaks: readonly Soak[], print: (line: string) => void): void {
  const width = Math.max(0, ...soaks.map(({ name }) => name.length))
  for (const { name, describes, words, full, slice } of soaks) print(`${name.padEnd(width)}  ${describes}${words === undefined ? '' : `; words: ${words}`} (${full} cases; ${slice} in npm test)`)
  print(usage)
}

/** Runs the command; resolves to 0 when the soak passed (or was only listed), 1 when not, 2 when nothing could be tried, 254 for bad usage. */
export async function main(argv: readonly string[], print: (line: string) => void = console.log): Promise<number> {
  let request: Request
  try {
    request = parse(argv)
  } catch (error) {
    print(`${(error as Error).message} ${usage}`)
    return 254
  }
  const soaks = await loadSoaks()
  if (request.name === undefined) {
    list(soaks, print)
    return 0
  }
  const soak = soaks.find(({ name }) => name === request.name)
  if (!soak) {
    print(`There is no soak "${request.name}". There are: ${soaks.map(({ name }) => name).join(', ')}.`)
    return 254
  }
  const { words } = request
  if (words.length > 0 && soak.words === undefined) {
    print(`The soak ${soak.name} takes no words, but was given ${words.join(' ')}. ${usage}`)
    return 254
  }
  const cases = request.cases ?? (request.slice ? soak.slice : soak.full)
  const started = performance.now()
  const passed = await soak.run(cases, request.seed, print, words)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (passed === undefined) {
    print(`${soak.name}: nothing was tried`)
    return 2
  }
  print(`${soak.name}: ${passed ? 'passed' : 'FAILED'}, ${cases} cases, seed ${request.seed}, ${seconds} s`)
  if (!passed) print(`Repeat it with: npm run soak -- ${[soak.name, ...words].join(' ')} --cases ${cases} --seed ${request.seed}`)
  return passed ? 0 : 1
}
