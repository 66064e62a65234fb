/**
 * Promise against verdict: every preset of our store under every fault that the simulator can carry out, seed after
 * seed. No preset may break its promise, under no fault. Beside that the table shows the strongest model that each
 * preset was never seen to break: where it promises less than the strongest, it must be seen to break what is stronger.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { contradictionIn } from '../../checker/testing/monotone.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { presets } from '../../cluster/kv/presets.ts'
import { kvSystem } from '../../cluster/systems/kv.ts'
import { simDriver } from '../../cluster/drivers/sim/driver.ts'
import { faults } from '../../nemesis/index.ts'
import { resolveFault } from '../../nemesis/notation.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { VirtualClock } from '../clock.ts'
import { planDefaults, type Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { runPlan } from '../run.ts'

const TIME_MS = 12_000
const RATE = 150
/** Few keys make every operation meet others. */
const WORKLOADS = { register: 'register(keys=8)', cas: 'cas-register(keys=8)' } as const

/** A simulated run of a preset under one fault, everything else drawn from the seed. */
export function conformancePlan(preset: string, fault: string, seed: number, bugs: readonly string[] = []): Plan {
  const random = seededRandom(seed).fork(`${preset} ${fault}`)
  const functions = presets[preset]!.functions ?? []
  return {
    ...planDefaults,
    schema: 'splitbrain-plan/1',
    name: 'conformance',
    driver: 'sim',
    preset,
    workload: functions.includes('cas') && random.int(2) === 0 ? WORKLOADS.cas : WORKLOADS.register,
    rate: RATE,
    time_ms: TIME_MS,
    converge_timeout_ms: 30_000,
    spares: resolveFault(fault).fault.disturbs === 'membership' ? 1 : 0,
    seed,
    schedule: planSchedule(parseNemesis(fault), TIME_MS, random),
    ...(bugs.length === 0 ? {} : { bugs: [...bugs] }),
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

/** The faults with a variant each that the simulator can carry out. */
export async function simulatedFaults(): Promise<readonly (readonly [name: string, variants: readonly string[]])[]> {
  const report = await simDriver({ clock: new VirtualClock() }).capabilities()
  return [...faults.values()].filter(({ needs, irreparable }) => irreparable !== true && needs.every((capability) => report[capability].available)).map(({ name, variants }) => [name, variants])
}

/** Whether a variant needs no place or key to be named, and selects somebody in a cluster of this preset without racks. */
export function selectsSomebody(preset: string, variant: string): boolean {
  return !/[A-Z(+]|^n\d|^dcs?$|^racks?$/.test(variant) && (variant !== 'primaries' || presets[preset]!.name.startsWith('primary'))
}

/** Whether a fault has something to strike in a cluster of this preset: members that can change, say. */
function applies(preset: string, name: string): boolean {
  return faults.get(name)!.disturbs !== 'membership' || kvSystem({ preset }).membership !== undefined
}

/** What was seen of one preset. */
interface Row {
  runs: number
  broken: number
  unknown: number
  readonly violated: Map<string, number>
}

export const soak = {
  name: 'conformance',
  describes: 'every preset x every fault of the simulator x seeds: no preset breaks its promise, and what each was seen to break',
  full: 4_000,
  slice: 8,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const rows = new Map<string, Row>(Object.keys(presets).map((name) => [name, { runs: 0, broken: 0, unknown: 0, violated: new Map() }]))
    const possible = await simulatedFaults()
    const pairs = Object.keys(presets).flatMap((preset) => possible.filter(([name]) => applies(preset, name)).map(([name, variants]) => [preset, [name, variants.filter((variant) => selectsSomebody(preset, variant))]] as const))
    const order = seededRandom(seed)
    for (let i = 0; i < cases; i++) {
      // A slice draws its pairs, a whole round takes each once.
      const [preset, [name, variants]] = cases < pairs.length ? pick(order, pairs) : pairs[i % pairs.length]!
      const plan = conformancePlan(preset, `${name}(${pick(order, variants)})`, seed + i)
      const document = await verdictOf(plan)
      const row = rows.get(preset)!
      row.runs++
      for (const { model, verdict } of document.ladder) if (verdict === 'violated') row.violated.set(model, (row.violated.get(model) ?? 0) + 1)
      if (document.verdict === 'unknown') row.unknown++
      if (document.verdict !== 'violated') continue
      row.broken++
      print(`${preset}, ${plan.workload}, ${plan.schedule.map(({ fault }) => fault).join(', ')}, seed ${plan.seed}: ${document.sentence}`)
    }
    print('preset           runs  broken  unknown  promise        seen to break (runs)')
    for (const [name, { runs, broken, unknown, violated }] of rows) {
      const seen = [...violated].sort((a, b) => b[1] - a[1]).map(([model, count]) => `${model} ${count}`).join(', ')
      print(`${name.padEnd(16)} ${String(runs).padStart(4)}  ${String(broken).padStart(6)}  ${String(unknown).padStart(7)}  ${presets[name]!.expected.padEnd(13)}  ${seen || '-'}`)
    }
    const silent = [...rows].filter(([name, { violated }]) => presets[name]!.expected !== 'linearizable' && violated.size === 0)
    print(silent.length === 0 ? 'every preset that promises less than the strongest was seen to break something stronger' : `seen to break nothing stronger than promised, so far: ${silent.map(([name]) => name).join(', ')}`)
    return [...rows.values()].every(({ broken }) => broken === 0)
  },
}
