/**
 * Promise against verdict: every preset of our store under every fault that a driver can carry out, seed after seed; in the
 * simulator, or on a real driver. No preset may break its promise, under no fault. Beside that the table shows what each preset
 * was seen to break: where it promises less than the strongest model, it must break something that is stronger.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { contradictionIn } from '../../checker/testing/monotone.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { presets } from '../../cluster/kv/presets.ts'
import { kvSystem } from '../../cluster/systems/kv.ts'
import { faults } from '../../nemesis/index.ts'
import { resolveFault, strikeProblem } from '../../nemesis/notation.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { realClock, VirtualClock } from '../clock.ts'
import { driverNames, nodeIds, planDefaults, type Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { runPlan } from '../run.ts'

/** Time for one fault and its heal: more seeds show more than longer runs. */
const TIME_MS = 6_000
const RATE = 150
/** Real runs that go on at the same time. */
const AT_ONCE = 2 * os.availableParallelism()
/** Few keys make every operation meet others. */
const WORKLOADS = { register: 'register(keys=8)', cas: 'cas-register(keys=8)' } as const

/** A run of a preset under one fault, everything else drawn from the seed. */
export function conformancePlan(preset: string, fault: string, seed: number, driver: Plan['driver'] = 'sim'): Plan {
  const random = seededRandom(seed).fork(`${preset} ${fault}`)
  const functions = presets[preset]!.functions ?? []
  return {
    ...planDefaults,
    schema: 'splitbrain-plan/1',
    name: 'conformance',
    driver,
    preset,
    workload: functions.includes('cas') && random.int(2) === 0 ? WORKLOADS.cas : WORKLOADS.register,
    rate: RATE,
    time_ms: TIME_MS,
    converge_timeout_ms: 30_000,
    spares: resolveFault(fault).fault.disturbs === 'membership' ? 1 : 0,
    seed,
    schedule: planSchedule(parseNemesis(fault), TIME_MS, random),
  }
}

/** Runs a plan in a folder of its own. Throws where what it finds contradicts itself along the ladder. */
export async function verdictOf(plan: Plan): Promise<VerdictDocument> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
  try {
    const { document } = await runPlan(plan, { dir, label: plan.name, emit: () => undefined, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
    const contradiction = contradictionIn(document.judgements)
    if (contradiction !== undefined) throw new Error(`${plan.preset}, ${plan.workload}, seed ${plan.seed}: ${contradiction}`)
    return document
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** The faults, with their variants, that a driver can carry out here. */
export async function possibleFaults(name: Plan['driver']): Promise<readonly (readonly [name: string, variants: readonly string[]])[]> {
  const driver = await makeDriver({ driver: name }, name === 'sim' ? new VirtualClock() : realClock())
  const report = await driver.capabilities()
  return [...faults.values()].filter(({ needs, irreparable }) => irreparable !== true && needs.every((capability) => report[capability].available)).map(({ name: fault, variants }) => [fault, variants])
}

/** Whether a variant needs no place or key to be named, and selects somebody in a cluster of this preset without racks. */
export function selectsSomebody(preset: string, variant: string): boolean {
  return !/[A-Z(+]|^n\d|^dcs?$|^racks?$/.test(variant) && (variant !== 'primaries' || presets[preset]!.name.startsWith('primary'))
}

/** Whether a fault has something to strike in a cluster of this preset: members that can change, say. */
export function applies(preset: string, fault: string): boolean {
  return strikeProblem(resolveFault(fault), { nodes: nodeIds(planDefaults), system: kvSystem({ preset }), zones: {} }) === undefined
}

/** What was seen of one preset. */
interface Row {
  runs: number
  broken: number
  unknown: number
  readonly violated: Map<string, number>
}

type Rows = ReadonlyMap<string, Row>

/** The plans of so many cases: a slice draws its pairs of preset and fault, a whole round takes each once. */
async function plansOf(driver: Plan['driver'], cases: number, seed: number, print: (line: string) => void): Promise<Plan[]> {
  const possible = await possibleFaults(driver)
  const pairs = Object.keys(presets).flatMap((preset) =>
    possible
      .map(([name, variants]) => [preset, name, variants.filter((variant) => selectsSomebody(preset, variant) && applies(preset, `${name}(${variant})`))] as const)
      .filter(([, , variants]) => variants.length > 0),
  )
  const order = seededRandom(seed)
  print(`${pairs.length} pairs of preset and fault on ${driver}`)
  return Array.from({ length: cases }, (_, i) => {
    const [preset, name, variants] = cases < pairs.length ? pick(order, pairs) : pairs[i % pairs.length]!
    return conformancePlan(preset, `${name}(${pick(order, variants)})`, seed + i, driver)
  })
}

function count(rows: Rows, { preset, workload, schedule, seed }: Plan, { verdict, reason, sentence, ladder }: VerdictDocument, print: (line: string) => void): void {
  const row = rows.get(preset)!
  row.runs++
  for (const one of ladder) if (one.verdict === 'violated') row.violated.set(one.model, (row.violated.get(one.model) ?? 0) + 1)
  if (verdict === 'holds') return
  if (verdict === 'unknown') row.unknown++
  else row.broken++
  print(`${preset}, ${workload}, ${schedule.map(({ fault }) => fault).join(', ')}, seed ${seed}: ${verdict === 'unknown' ? `unknown: ${reason ?? ''}` : sentence}`)
}

function table(rows: Rows): string[] {
  const silent = [...rows].filter(([name, { violated }]) => presets[name]!.expected !== 'linearizable' && violated.size === 0)
  return [
    'preset               runs  broken  unknown  promise          seen to break (runs)',
    ...[...rows].map(([name, { runs, broken, unknown, violated }]) => {
      const seen = [...violated].sort((a, b) => b[1] - a[1]).map(([model, number]) => `${model} ${number}`).join(', ')
      return `${name.padEnd(20)} ${String(runs).padStart(4)}  ${String(broken).padStart(6)}  ${String(unknown).padStart(7)}  ${presets[name]!.expected.padEnd(15)}  ${seen || '-'}`
    }),
    silent.length === 0 ? 'every preset that promises less than the strongest was seen to break something stronger' : `seen to break nothing stronger than promised, so far: ${silent.map(([name]) => name).join(', ')}`,
  ]
}

/** The driver that words name; the simulator where none is. Throws for any other word. */
function named(words: readonly string[]): Plan['driver'] {
  const [word = 'sim', ...others] = words
  if (others.length > 0 || !driverNames.includes(word as Plan['driver'])) throw new TypeError(`${words.join(' ')} is no driver: choose one of ${driverNames.join(', ')}.`)
  return word as Plan['driver']
}

export const soak = {
  name: 'conformance',
  describes: 'every preset x every fault of a driver x seeds: no preset breaks its promise, and what each was seen to break',
  words: `a driver: ${driverNames.join(', ')}; left out: sim`,
  full: 4_000,
  slice: 8,
  async run(cases: number, seed: number, print: (line: string) => void, words: readonly string[]): Promise<boolean> {
    const driver = named(words)
    const rows: Rows = new Map(Object.keys(presets).map((name) => [name, { runs: 0, broken: 0, unknown: 0, violated: new Map<string, number>() }]))
    const plans = (await plansOf(driver, cases, seed, print)).values()
    const lane = async (): Promise<void> => {
      for (const plan of plans) count(rows, plan, await verdictOf(plan), print)
    }
    // Real runs rest most of the time; simulated ones would only share a processor.
    await Promise.all(Array.from({ length: driver === 'sim' ? 1 : AT_ONCE }, lane))
    for (const line of table(rows)) print(line)
    return [...rows.values()].every(({ broken }) => broken === 0)
  },
}
