/**
 * How fast the checker is, on the workloads on which Porcupine was measured (see README.md for its figures): best of
 * several runs, verdict only, because that is what the peers' figures are.
 *
 *   npm run bench -w knossos-wasm -- [--json] [--large] [--operations N] [--processes N,M] [--porcupine DRIVER] [--only NAME]
 *
 * `--large` adds the histories of ten million operations (needs 4 GB). DRIVER is a program that checks a JSONL history with
 * Porcupine, `DRIVER FILE MODEL`, and prints verdict and milliseconds ("holds 12.3"); it is then run in turn with ours on every
 * cell of `cells`.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from '../check.ts'
import { systemElapsedMs } from '../clock.ts'
import { readHistory } from '../jepsen.ts'
import { createMonitor } from '../monitor.ts'
import { models } from '../models.ts'
import { readJsonlFile } from '../read-file.ts'
import { corpusHistories, findCorpora, modelOf } from '../testing/corpora.ts'
import { chance, randomHistory } from '../testing/random-history.ts'
import { simulatedHistory } from '../testing/simulated-history.ts'
import type { History } from '../history.ts'
import type { Model } from '../model.ts'
import type { SimulationShape } from '../testing/simulated-history.ts'

type Row = Record<string, string | number>
interface Setting {
  readonly args: readonly string[]
  readonly print: (line: string) => void
}

async function best(history: History, model: Model, runs: number): Promise<{ readonly ms: number; readonly verdict: string; readonly algorithm: string; readonly engineMb: number }> {
  let ms = Infinity
  let result = await check(history, { model, explain: false })
  for (let i = 0; i < runs; i++) {
    const begun = systemElapsedMs()
    result = await check(history, { model, explain: false, timeLimitMs: 60_000, memoryLimitMb: 4096 })
    ms = Math.min(ms, systemElapsedMs() - begun)
  }
  return { ms, verdict: result.verdict, algorithm: result.perKey[0]?.algorithm ?? 'trivial', engineMb: result.stats.engineBytes / 1e6 }
}

const rounded = (ms: number): number => (ms < 10 ? Math.round(ms * 1000) / 1000 : Math.round(ms * 10) / 10)

function writeJsonl(history: History, path: string): void {
  const file = openSync(path, 'w')
  let lines: string[] = []
  for (let row = 0; row < history.length; row++) {
    lines.push(JSON.stringify(history.event(row)), '\n')
    if (lines.length < 100_000 && row < history.length - 1) continue
    writeSync(file, lines.join(''))
    lines = []
  }
  closeSync(file)
}

/** Every corpus history: operations, verdict, milliseconds. */
async function corpora(): Promise<Row[]> {
  const root = findCorpora()
  if (root === undefined) return [{ history: 'no corpora on this machine (set SPLITBRAIN_CORPORA)' }]
  const rows: Row[] = []
  let etcd = 0
  for (const { path, model, verdict } of corpusHistories(readFileSync(join(root, 'INDEX.md'), 'utf8'))) {
    if (!existsSync(join(root, path))) continue
    const history = readHistory(readFileSync(join(root, path)))
    const found = await best(history, modelOf(path, model)!, 7)
    if (path.startsWith('porcupine/jepsen')) etcd += found.ms
    rows.push({ history: path, operations: history.length >> 1, model, expected: verdict, verdict: found.verdict, ms: rounded(found.ms) })
  }
  rows.push({ history: 'the etcd logs, sum', operations: '', model: '', expected: '', verdict: '', ms: rounded(etcd) })
  return rows
}

/** The numbers of an option, or those that are usual. */
function numbers(args: readonly string[], option: string, usual: readonly number[]): readonly number[] {
  return args.includes(option) ? args[args.indexOf(option) + 1]!.split(',').map(Number) : usual
}

/** Unique values: register and cas-register, 5 to 100 processes. */
async function cells({ args }: Setting): Promise<Row[]> {
  const driver = args[args.indexOf('--porcupine') + 1]
  const rows: Row[] = []
  for (const model of ['register', 'cas-register'] as const) {
    for (const operations of numbers(args, '--operations', [10_000, 100_000])) {
      for (const processes of numbers(args, '--processes', [5, 10, 25, 50, 100])) {
        for (const [crashed, stale] of [[0, false], [0, true], [0.01, false], [0.01, true]] as const) {
          const history = simulatedHistory({ operations, processes, model, crashed, stale })
          const found = await best(history, model === 'register' ? models.register() : models.casRegister(), 7)
          const peer: Row = args.includes('--porcupine') ? { porcupine_ms: porcupine(driver!, history, model, found.verdict) } : {}
          rows.push({ model, operations, processes, crashed, stale: String(stale), verdict: found.verdict, algorithm: found.algorithm, ms: rounded(found.ms), ...peer })
        }
      }
    }
  }
  return rows
}

/** Milliseconds that the driver says its check took (it prints `holds 12.3`), so that starting it and reading the file do not count. */
function porcupine(driver: string, history: History, model: string, verdict: string): string | number {
  const path = join(tmpdir(), `knossos-wasm-bench-${process.pid}.jsonl`)
  writeJsonl(history, path)
  const { status, stdout } = spawnSync(driver, [path, model], { timeout: 70_000, encoding: 'utf8' })
  rmSync(path)
  const [said, ms] = stdout.trim().split(' ')
  if (status !== 0 || said === 'unknown') return status === null || said === 'unknown' ? 'none in 60 s' : `died (${status})`
  return said === verdict ? Number(ms) : `${ms} (${said}!)`
}

/** Values used many times, and failed compare-and-sets honoured: the general engine. */
async function ambiguous(): Promise<Row[]> {
  const strict = models.casRegister({ failedCas: 'strict' })
  const rows: Row[] = []
  const shapes: [SimulationShape, Model, string][] = []
  for (const [operations, processes] of [[100_000, 5], [100_000, 10], [10_000, 15], [10_000, 25], [100_000, 25], [10_000, 35]] as const) {
    shapes.push([{ operations, processes, model: 'register', values: 16 }, models.register(), '16 values'])
    shapes.push([{ operations, processes, model: 'cas-register' }, strict, 'unique, strict'])
    shapes.push([{ operations, processes, model: 'cas-register', values: 16 }, strict, '16 values, strict'])
  }
  shapes.push([{ operations: 10_000, processes: 10, model: 'register', values: 16, crashed: 0.01 }, models.register(), '16 values, 1 % crashed'])
  shapes.push([{ operations: 10_000, processes: 25, model: 'register', values: 16, crashed: 0.001 }, models.register(), '16 values, 0.1 % crashed'])
  for (const [shape, model, values] of shapes) {
    const found = await best(simulatedHistory(shape), model, 2)
    rows.push({ model: model.name, values, operations: shape.operations, processes: shape.processes, verdict: found.verdict, ms: rounded(found.ms), engine_mb: Math.round(found.engineMb * 10) / 10 })
  }
  return rows
}

/** Large histories, and files; `cpu` is the processor's time, which other work on the machine disturbs less. */
async function large({ args }: Setting): Promise<Row[]> {
  const rows: Row[] = []
  const sizes = numbers(args, '--operations', args.includes('--large') ? [1_000_000, 10_000_000] : [1_000_000])
  for (const operations of sizes) {
    for (const keys of [1, 1000]) {
      const path = join(tmpdir(), `knossos-wasm-bench-${process.pid}.jsonl`)
      // Processes of their own: memory is that of reading and checking, and code has seen no other history.
      const checked = inItsOwn('--alone', String(operations), String(keys), path)
      const read = inItsOwn('--file', path)
      rmSync(path)
      rows.push({ operations, keys, ...checked, ...read })
    }
  }
  return rows
}

function inItsOwn(...args: readonly string[]): Row {
  const { stdout, stderr } = spawnSync(process.execPath, ['--max-old-space-size=8000', fileURLToPath(import.meta.url), ...args], { encoding: 'utf8' })
  if (stdout === '') throw new Error(`a measurement died: ${stderr}`)
  return JSON.parse(stdout) as Row
}

async function checkedAlone(operations: number, keys: number, path: string): Promise<Row> {
  const history = simulatedHistory({ operations, processes: 25, model: 'cas-register', keys, crashed: 0.001, tickNs: 50_000 })
  let [ms, cpuMs] = [Infinity, Infinity]
  for (let run = 0; run < 6; run++) {
    const before = process.cpuUsage()
    const begun = systemElapsedMs()
    await check(history, { model: models.casRegister(), explain: false })
    ms = Math.min(ms, systemElapsedMs() - begun)
    cpuMs = Math.min(cpuMs, cpuSince(before))
  }
  writeJsonl(history, path)
  return { check_ms: Math.round(ms), check_cpu_ms: Math.round(cpuMs) }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Reads a file and checks it, in this process. */
async function fileChecked(path: string): Promise<Row> {
  const base = process.memoryUsage.rss()
  const before = process.cpuUsage()
  const begun = systemElapsedMs()
  const history = await readJsonlFile(path)
  const read = systemElapsedMs()
  const { verdict, stats } = await check(history, { model: models.casRegister(), explain: false })
  const ended = systemElapsedMs()
  const peak = process.resourceUsage().maxRSS * 1024
  return {
    verdict, file_mb: Math.round(statSync(path).size / 1e6), read_ms: Math.round(read - begun), read_and_check_ms: Math.round(ended - begun), cpu_ms: Math.round(cpuSince(before)),
    peak_mb: Math.round(peak / 1e6), bytes_per_operation: Math.round((peak - base) / stats.operations),
  }
}

/** Models that are streamed in constant time: worth long histories, in which the code is warm. */
const LONG: ReadonlySet<string> = new Set(['fifo-queue', 'unordered-queue', 'priority-queue', 'set', 'stack', 'kv', 'multi-register', 'mutex', 'reentrant-lock', 'fenced-lock', 'counter', 'fetch-and-add'])

/** The monitor on clean histories: algorithms for unique values and elements, and windows (16 values; models without an algorithm). */
function streaming(): Row[] {
  const registers: readonly SimulationShape[] = [
    ...([5, 25, 100] as const).flatMap((processes) => (['register', 'cas-register'] as const).map((model) => ({ operations: 200_000, processes, model }))),
    ...([2, 5, 10] as const).map((processes) => ({ operations: 20_000, processes, model: 'register', values: 16 }) as const),
  ]
  const rows = registers.map((shape) => streamed(simulatedHistory(shape), shape.model === 'register' ? models.register() : models.casRegister(), (shape.values ?? 0) === 0 ? 'unique' : shape.values!, shape.processes))
  for (const make of Object.values(models).slice(2)) {
    const operations = LONG.has(make().name) ? 20_000 : 1_000
    for (const processes of [2, 5]) rows.push(streamed(randomHistory(make(), { operations, processes, crashed: 0, wrong: 0, values: 0, keys: 1, ties: false }, chance(5)), make(), 'unique', processes))
  }
  return rows
}

function streamed(history: History, model: Model, values: string | number, processes: number): Row {
  const events = Array.from({ length: history.length }, (_, row) => history.event(row))
  let [us, remembered, leaves] = [Infinity, 0, '']
  // Short histories are over before the code is compiled: the best of many runs is what a long one costs.
  for (let run = 0; run < (events.length < 100_000 ? 10 : 3); run++) {
    const monitor = createMonitor({ model, record: false })
    const before = process.cpuUsage()
    for (const event of events) monitor.push(event)
    us = Math.min(us, (cpuSince(before) * 1000) / events.length)
    remembered = monitor.remembered
    leaves = monitor.leaves ?? ''
  }
  return { model: model.name, values, processes, events: events.length, cpu_us_per_event: rounded(us), remembered, leaves }
}

/** A history that nobody decides within these limits: by how much they are exceeded, and how far it came. */
async function limits(): Promise<Row[]> {
  const history = simulatedHistory({ operations: 10_000, processes: 50, model: 'cas-register', values: 16 })
  const model = models.casRegister({ failedCas: 'strict' })
  const rows: Row[] = []
  for (const [timeLimitMs, memoryLimitMb] of [[1000, 2048], [3000, 2048], [10_000, 2048], [60_000, 16], [60_000, 64], [60_000, 256]] as const) {
    const begun = systemElapsedMs()
    const { verdict, reason, stats, perKey } = await check(history, { model, timeLimitMs, memoryLimitMb, explain: false })
    const ms = Math.round(systemElapsedMs() - begun)
    rows.push({ time_limit_ms: timeLimitMs, memory_limit_mb: memoryLimitMb, verdict, reason: reason ?? '', ms, engine_mb: rounded(stats.engineBytes / 1e6), decided_events: perKey[0]!.decidedEvents })
  }
  return rows
}

const parts: Readonly<Record<string, (setting: Setting) => Promise<Row[]> | Row[]>> = { corpora, cells, ambiguous, streaming, limits, large }

function table(rows: readonly Row[], print: (line: string) => void): void {
  const columns = Object.keys(rows[0] ?? {})
  print(`| ${columns.join(' | ')} |`)
  print(`| ${columns.map(() => '---').join(' | ')} |`)
  for (const row of rows) print(`| ${columns.map((column) => row[column] ?? '').join(' | ')} |`)
}

export const bench = {
  name: 'checker',
  describes: 'knossos-wasm: corpora, unique values, ambiguous values, streaming, limits, large histories (--json, --large, --porcupine DRIVER, --only PART)',
  run: async (args: string[], print: (line: string) => void): Promise<void> => {
    const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined
    if (only !== undefined && !(only in parts)) throw Object.assign(new Error(`--only ${only}: choose from ${Object.keys(parts).join(', ')}`), { code: 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' })
    const found: Record<string, Row[]> = {}
    for (const [name, part] of Object.entries(parts)) {
      if (only !== undefined && only !== name) continue
      const rows = await part({ args, print })
      found[name] = rows
      if (args.includes('--json')) continue
      print(`\n## ${name}\n`)
      table(rows, print)
    }
    if (args.includes('--json')) print(JSON.stringify(found))
  },
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--file') console.log(JSON.stringify(await fileChecked(process.argv[3]!)))
  else if (process.argv[2] === '--alone') console.log(JSON.stringify(await checkedAlone(Number(process.argv[3]), Number(process.argv[4]), process.argv[5]!)))
  else await bench.run(process.argv.slice(2), console.log)
}
