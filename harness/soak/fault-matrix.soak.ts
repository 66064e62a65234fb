/**
 * The fault matrix, drawn by really injecting every fault on every driver: injected, seen to bite from inside, healed,
 * seen to be healed, and how long both took. What was seen is kept in `nemesis/matrix.json`, cell by cell, and the table
 * of `nemesis/README.md` is drawn from it: so drivers can be tried one at a time.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Capability, Cluster, Driver } from '../../cluster/cluster.ts'
import { isGreen, matrixRows, matrixTable, tryFault, type Cell, type MatrixColumn, type Row } from '../../nemesis/matrix.ts'
import { impossibility, resolveFault } from '../../nemesis/notation.ts'
import { realClock, VirtualClock } from '../clock.ts'
import { driverNames, nodeIds, spareIds, planDefaults, zonesOf, type Plan } from '../plan.ts'
import { pick, seededRandom, shuffle } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { makeSystem } from '../systems.ts'

type Print = (line: string) => void

const plan = { ...planDefaults, preset: 'abd', dcs: 2, spares: 1 } satisfies Partial<Plan>
const system = await makeSystem(plan)
const readme = fileURLToPath(new URL('../../../nemesis/README.md', import.meta.url))
const matrixFile = fileURLToPath(new URL('../../../nemesis/matrix.json', import.meta.url))
const MARKS = ['<!-- matrix: npm run soak -- fault-matrix -->', '<!-- end of matrix -->'] as const

/** A cluster on a driver for as long as `body` takes. */
async function withCluster(driver: Driver, dir: string, seed: number, needs: readonly Capability[], body: (cluster: Cluster) => Promise<void>): Promise<void> {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const cluster = await driver.start(system, { runId: `matrix${process.pid}x${driver.name}`, nodes: nodeIds(plan), spares: spareIds(plan), needs, dir, seed, random: seededRandom(seed).fork('driver'), log: silent })
  try {
    await body(cluster)
  } finally {
    await cluster.stop()
  }
}

/** Tries these rows on one driver, one after another on the same cluster: each must leave it as it found it. */
async function column(name: Plan['driver'], rows: readonly Row[], seed: number, print: Print): Promise<Map<string, Cell>> {
  const virtual = name === 'sim' ? new VirtualClock() : undefined
  const driver = await makeDriver({ driver: name }, virtual ?? realClock())
  const report = await driver.capabilities()
  const cells = new Map<string, Cell>()
  const scene = { nodes: nodeIds(plan), system, zones: zonesOf(plan) }
  const possible = rows.filter((row) => {
    const reason = impossibility(resolveFault(row.text), report, scene)
    if (reason !== undefined) {
      cells.set(row.text, { type: 'impossible', reason })
      print(`${name.padEnd(8)}${row.text.padEnd(34)}impossible: ${reason}`)
    }
    return reason === undefined
  })
  if (possible.length === 0) return cells
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-matrix-'))
  const main = (): Promise<void> => withCluster(driver, dir, seed, possible.flatMap(({ fault }) => fault.needs), async (cluster) => {
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

/** What was seen so far, by driver. */
async function kept(): Promise<Record<string, MatrixColumn>> {
  return JSON.parse(await readFile(matrixFile, 'utf8').catch(() => '{}')) as Record<string, MatrixColumn>
}

/** Keeps what was seen now, and draws the table anew. Rows that are no more are forgotten. */
async function keep(columns: ReadonlyMap<string, ReadonlyMap<string, Cell>>): Promise<void> {
  const before = await kept()
  const rows = matrixRows()
  const all = Object.fromEntries(driverNames.flatMap((name): [string, MatrixColumn][] => {
    const [old, fresh] = [before[name], columns.get(name)]
    const cells = Object.fromEntries(rows.flatMap(({ text }) => {
      const cell = fresh?.get(text) ?? old?.cells[text]
      return cell === undefined ? [] : [[text, cell]]
    }))
    const tried = fresh === undefined ? old?.tried : new Date().toISOString().slice(0, 10)
    return tried === undefined ? [] : [[name, { tried, cells }]]
  }))
  await writeFile(matrixFile, `${JSON.stringify(all, null, 1)}\n`)
  const text = await readFile(readme, 'utf8')
  const [from, to] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])]
  if (from < 0 || to < from) throw new Error(`${readme} has no place for the matrix between ${MARKS[0]} and ${MARKS[1]}`)
  await writeFile(readme, `${text.slice(0, from + MARKS[0].length)}\n\n${matrixTable(all, rows)}\n${text.slice(to)}`)
}

/** The drivers and rows that words name; all of either where none is named. Throws for a word that is neither. */
function named(words: readonly string[]): { drivers: readonly Plan['driver'][]; rows: readonly Row[] } {
  const all = matrixRows()
  const stranger = words.find((word) => !driverNames.includes(word as Plan['driver']) && !all.some(({ fault }) => fault.name === word))
  if (stranger !== undefined) throw new Error(`${stranger} is neither a driver (${driverNames.join(', ')}) nor a fault (${[...new Set(all.map(({ fault }) => fault.name))].join(', ')})`)
  const drivers = driverNames.filter((name) => words.includes(name))
  const rows = all.filter(({ fault }) => words.includes(fault.name))
  return { drivers: drivers.length === 0 ? driverNames : drivers, rows: rows.length === 0 ? all : rows }
}

async function run(cases: number, seed: number, print: Print, words: readonly string[]): Promise<boolean> {
  const all = named(words)
  const whole = cases >= all.rows.length
  // A slice takes rows by chance and a single driver besides the simulator: over many runs all of it is seen.
  const random = seededRandom(seed)
  const slice = shuffle(random.fork('rows'), all.rows).slice(0, cases)
  const rows = all.rows.filter((row) => slice.includes(row))
  const drivers = whole ? all.drivers : all.drivers.filter((name) => name === 'sim' || name === pick(random.fork('driver'), driverNames.filter((one) => one !== 'sim')))
  const columns = new Map<Plan['driver'], Map<string, Cell>>()
  for (const name of drivers) columns.set(name, await column(name, rows, seed, print))
  if (whole) await keep(columns)
  const red = [...columns].flatMap(([name, cells]) => [...cells].filter(([, cell]) => !isGreen(cell)).map(([text]) => `${text} on ${name}`))
  print(red.length === 0 ? 'every cell is as it should be' : `not as it should be: ${red.join(', ')}`)
  return red.length === 0
}

export const soak = {
  name: 'fault-matrix',
  describes: 'every fault on every driver: injected, seen to bite, healed, seen to be healed; draws the table of nemesis/README.md',
  words: 'drivers and faults, as in process netns kill',
  full: 1_000,
  slice: 4,
  run,
}
