/**
 * Long proofs and benchmarks: modules beside the code that they exercise, found by name (`x.soak.ts`,
 * `bench/x.bench.ts`), each exporting one description with a `run`.
 */
import { pathToFileURL } from 'node:url'
import { compiledModules, type Compiled } from './compiled.ts'

/** A proof over many random cases. `npm test` runs its slice, a person runs it in full. */
export interface Soak {
  readonly name: string
  readonly describes: string
  /** Cases of a full run, and of the slice in CI. */
  readonly full: number
  readonly slice: number
  /** What words after its name narrow it down to; left out: it takes none. */
  readonly words?: string
  /** Resolves to whether all cases passed; to undefined where this machine can try none, having told why (`skip: REASON`). The same seed gives the same cases. */
  run(cases: number, seed: number, print: (line: string) => void, words: readonly string[]): Promise<boolean | undefined>
}

/** A measurement. */
export interface Bench {
  readonly name: string
  readonly describes: string
  run(args: string[], print: (line: string) => void): Promise<void>
}

async function load(modules: readonly Compiled[], exported: string): Promise<unknown[]> {
  const found: unknown[] = []
  for (const { name, file } of modules) {
    const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
    if (module[exported] === undefined) throw new Error(`${name} exports no "${exported}".`)
    found.push(module[exported])
  }
  return found
}

/** Every soak. */
export async function loadSoaks(): Promise<Soak[]> {
  return (await load(compiledModules('.soak.js'), 'soak')) as Soak[]
}

/** Every benchmark. */
export async function loadBenches(): Promise<Bench[]> {
  return (await load(compiledModules('.bench.js'), 'bench')) as Bench[]
}
