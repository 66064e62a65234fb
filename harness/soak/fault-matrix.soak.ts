/**
 * The fault matrix, drawn by really injecting every fault on every driver: injected, seen to bite from inside, healed,
 * seen to be healed, and how long both took. A full run writes the table into `nemesis/README.md`.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cluster, Driver } from '../../cluster/cluster.ts'
import { impossible, isGreen, matrixRows, matrixTable, tryFault, type Cell, type Row } from '../../nemesis/matrix.ts'
import { realClock, VirtualClock } from '../clock.ts'
import { driverNames, nodeIds, spareIds, planDefaults, zonesOf, type Plan } from '../plan.ts'
import { pick, seededRandom, shuffle } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { makeSystem } from '../systems.ts'

type Print = (line: string) => void

const plan = { ...planDefaults, preset: 'abd', dcs: 2, spares: 1 } satisfies Partial<Plan>
const system = await makeSystem(plan)
const readme = fileURLToPath(new URL('../../../nemesis/README.md', import.meta.url))
const MARKS = ['<!-- matrix: npm run soak -- fault-matrix -->', '<!-- end of matrix -->'] as const

/** A cluster on a driver for as long as `body` takes. */
async function withCluster(driver: Driver, dir: string, seed: number, body: (cluster: Cluster) => Promise<void>): Promise<void> {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const cluster = await driver.start(system, { runId: `matrix${process.pid}x${driver.name}`, nodes: nodeIds(plan), spares: spareIds(plan), dir, seed, random: seededRandom(seed).fork('driver'), log: silent })
  try {
    await body(cluster)
  } finally {
    await cluster.stop()
  }
}

/** Tries these rows on one driver, one after another on the same cluster: each must leave it as it found it. */
async function column(name: Plan['driver'], rows: readonly Row[], seed: number, print: Print): Promise<Map<string, Cell>> {
  const virtual = name === 'sim' ? new VirtualClock() : undefined
  const driver = makeDriver({ driver: name }, virtual ?? realClock())
  const report = await driver.capabilities()
  const cells = new Map<string, Cell>()
  const scene = { nodes: nodeIds(plan), system, zones: zonesOf(plan) }
  const possible = rows.filter((row) => {
    const reason = impossible(row, report, scene)
    if (reason !== undefined) cells.set(row.text, { type: 'impossible', reason })
    return reason === undefined
  })
  if (possible.length === 0) return cells
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-matrix-'))
  const main = (): Promise<void> => withCluster(driver, dir, seed, async (cluster) => {
    for (const { text } of possible) {
      const cell = await tryFault(text, { cluster, system, zones: zonesOf(plan), random: seededRandom(seed).fork(text) })
      cells.set(text, cell)
      print(`${name.padEnd(8)}${text.padEnd(34)}${describe(cell)}`)
    }
  })
  try {
    await (virtual ? virtual.run(main) : main())
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  return cells
}

function describe(cell: Cell): string {
  if (cell.type !== 'tried') return `${cell.type}: ${cell.reason}`
  const bite = `${cell.bit ? 'bit' : 'DID NOT BITE'} after ${cell.biteMs.toFixed(0)} ms (${cell.bitEvidence})`
  return `${bite}; ${cell.healed ? 'healed' : 'NOT HEALED'} after ${cell.healMs.toFixed(0)} ms (${cell.healEvidence})`
}

async function writeTable(table: string): Promise<void> {
  const text = await readFile(readme, 'utf8')
  const [from, to] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])]
  if (from < 0 || to < from) throw new Error(`${readme} has no place for the matrix between ${MARKS[0]} and ${MARKS[1]}`)
  await writeFile(readme, `${text.slice(0, from + MARKS[0].length)}\n\n${table}\n${text.slice(to)}`)
}

async function run(cases: number, seed: number, print: Print): Promise<boolean> {
  const all = matrixRows()
  const whole = cases >= all.length
  // A slice takes rows by chance and a single driver besides the simulator: over many runs all of it is seen.
  const random = seededRandom(seed)
  const rows = whole ? all : all.filter((row) => shuffle(random.fork('rows'), all).slice(0, cases).includes(row))
  const drivers = whole ? driverNames : driverNames.filter((name) => name === 'sim' || name === pick(random.fork('driver'), driverNames.filter((one) => one !== 'sim')))
  const columns: Map<string, Cell>[] = []
  for (const name of drivers) columns.push(await column(name, rows, seed, print))
  const drawn = rows.map(({ text }) => ({ text, cells: columns.map((cells) => cells.get(text)!) }))
  const table = matrixTable(drivers, drawn)
  print(table)
  if (whole) await writeTable(table)
  return drawn.every(({ cells }) => cells.every(isGreen))
}

export const soak = {
  name: 'fault-matrix',
  describes: 'every fault on every driver: injected, seen to bite, healed, seen to be healed; a full run writes the table of nemesis/README.md',
  full: 1_000,
  slice: 4,
  run,
}
