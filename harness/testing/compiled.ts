/**
 * Finds compiled modules by the end of their names: tests, soaks, benchmarks, in the root package and in the
 * `knossos-wasm` workspace. A compiled file whose source is gone is a leftover of an older build and does not count.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root: the nearest folder above this module that has a package.json. */
export const root: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
})()

/** Where sources lie and where their compiled form goes, relative to the root. */
const packages = [
  { source: '.', dist: 'dist' },
  { source: 'checker/knossos-wasm/src', dist: 'checker/knossos-wasm/dist' },
] as const

/** One compiled module. */
export interface Compiled {
  /** The source's path relative to the root, as a person would name it: `harness/clock.test.ts`. */
  readonly name: string
  /** Absolute path of the `.js` file. */
  readonly file: string
}

/** All modules whose compiled name ends in `suffix` (`.test.js`), by name. */
export function compiledModules(suffix: string, base: string = root): Compiled[] {
  return packages
    .flatMap(({ source, dist }) => {
      const folder = join(base, dist)
      if (!existsSync(folder)) return []
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith(suffix))
        .map((path) => ({ name: relative(base, join(base, source, path.replace(/\.js$/, '.ts'))), file: join(folder, path) }))
    })
    .filter(({ name }) => existsSync(join(base, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
