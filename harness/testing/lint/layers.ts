/**
 * The direction of imports: each folder names what it may import, and everything else of the project is refused.
 * (Cycles between files are oxlint's `import/no-cycle`.)
 *
 * The order from the bottom: checker; the ground floor of harness (env, clock, random); generators; cluster;
 * nemesis and workloads; reports beside them; the roof of harness, which may import everything.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import type { Finding } from './finding.ts'
import { sourceFiles } from './sources.ts'

interface Layer {
  /** Files of this layer start with one of these. The first layer that fits counts. */
  readonly files: readonly string[]
  /** What it may import, beside itself. */
  readonly may: readonly string[]
  readonly why: string
}

const groundFloor = ['harness/env.ts', 'harness/clock.ts', 'harness/random.ts']
const clusterSeam = ['cluster/cluster.ts', 'cluster/system.ts']

const layers: readonly Layer[] = [
  { files: ['checker/knossos-wasm/'], may: [], why: 'knossos-wasm is a package of its own' },
  { files: ['checker/'], may: [], why: 'checker/ imports nothing above it' },
  { files: groundFloor, may: [], why: 'the ground floor of harness/ stands on nothing' },
  { files: ['harness/generator/'], may: [...groundFloor, 'checker/history/'], why: 'generators are pure: they know time, chance and operations' },
  { files: ['cluster/'], may: [...groundFloor, 'checker/history/', 'checker/verdict.ts'], why: 'cluster/ is what is tested, and knows nothing of how' },
  { files: ['nemesis/'], may: [...groundFloor, ...clusterSeam, 'harness/generator/', 'checker/history/'], why: 'nemesis/ knows a cluster by its interfaces' },
  { files: ['workloads/'], may: [...groundFloor, ...clusterSeam, 'harness/generator/', 'checker/'], why: 'workloads/ are operations and judgements' },
  { files: ['reports/'], may: ['checker/'], why: 'reports/ are drawn from histories and verdicts alone' },
]

/** Tests, soaks and benchmarks stand outside the layers: they may play every part. */
const outside = /\.(test|soak|bench)\.ts$|(^|\/)(testing|bench)\//

const within = (path: string, places: readonly string[]): boolean => places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))

/** The imports of `file` that go where its layer may not. `text` is its source. */
export function layerFindings(file: string, text: string): Finding[] {
  const layer = layers.find(({ files }) => within(file, files))
  if (layer === undefined || outside.test(file)) return []
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName, pos }) => {
    if (!fileName.startsWith('.')) return []
    const target = normalize(join(dirname(file), fileName))
    if (within(target, layer.files) || within(target, layer.may)) return []
    const line = text.slice(0, pos).split('\n').length
    return [{ file, line, rule: 'import-direction', message: `imports ${target}, but ${layer.why} (may import: ${layer.may.join(', ') || 'itself alone'}).` }]
  })
}

/** All imports of the project that go in the wrong direction. */
export function checkLayers(root: string): Finding[] {
  return sourceFiles(root).flatMap((file) => layerFindings(file, readFileSync(join(root, file), 'utf8')))
}
