/** Random small runs: objectives, availability and latency against counting by hand, from the operations alone. */
import { availabilityOf } from './availability.ts'
import { context } from './testing/context.ts'
import { faultWindows } from './faults.ts'
import { latencyOf } from './latency.ts'
import { parseObjectives, slo } from './slo.ts'
import { RunBuilder } from './testing/run.ts'
import { soakOf } from './testing/soak.ts'
import type { Chance } from './testing/chance.ts'
import type { Count } from './testing/soak.ts'
import type { FaultWindow, JudgementVerdict } from './verdict.ts'

/** What a client did; `end` is Infinity where no completion was recorded, `intended` when it was meant to start. */
interface Deed {
  readonly f: 'read' | 'write'
  readonly node: string
  readonly intended: number
  readonly start: number
  readonly end: number
  readonly outcome: 'ok' | 'fail' | 'info'
}

const NODES = ['n1', 'n2', 'n3']
/** Histograms keep three significant digits. */
const PRECISION = 1e-3

function randomDeeds(random: Chance): Deed[] {
  return Array.from({ length: random(12) }, (_, i) => {
    const start = 10 * random(20) + i / 100
    const end = random(8) === 0 ? Infinity : start + 1 + random(60)
    return { f: random(2) === 0 ? 'read' : 'write', node: NODES[random(3)]!, intended: start - (random(3) === 0 ? random(20) : 0), start, end, outcome: (['ok', 'ok', 'ok', 'fail', 'info'] as const)[random(5)]! }
  })
}

const succeeded = ({ outcome, end }: Deed): boolean => outcome === 'ok' && end < Infinity

/** Whether an objective is met: at least that share of the operations answered in less than the limit, or succeeded. */
function met(deeds: readonly Deed[], text: string): JudgementVerdict['verdict'] {
  const [, f, quantile, limit, share] = /^(?:(\w+):)?(?:p([\d.]+)<([\d.]+)ms|availability>([\d.]+)%)$/.exec(text)!
  const asked = deeds.filter((one) => f === undefined || one.f === f)
  const judged = share === undefined ? asked.filter(succeeded) : asked
  if (judged.length === 0) return 'unknown'
  const good = share === undefined ? judged.filter((one) => one.end - one.intended < Number(limit)) : judged.filter(succeeded)
  const enough = share === undefined ? good.length * 100 >= Number(quantile) * judged.length : good.length * 100 > Number(share) * judged.length
  return enough ? 'holds' : 'violated'
}

/** Limits lie between the latencies that are drawn. */
const OBJECTIVES = ['p50<20.5ms', 'p90<40.5ms', 'p100<55.5ms', 'read:p75<30.5ms', 'write:p99<50.5ms', 'availability>61%', 'availability>76%', 'read:availability>51%']

/** Operations that began and ended within one stretch of a period. */
function within(deeds: readonly Deed[], spans: readonly (readonly [number, number])[], nodes: readonly string[]): Deed[] {
  return deeds.filter((one) => one.end < Infinity && nodes.includes(one.node) && spans.some(([from, to]) => from <= one.start && one.end <= to))
}

/** Periods by name, in milliseconds: the whole run, what no fault disturbs, and the fault. */
function periods(window: FaultWindow | undefined): Record<string, (readonly [number, number])[]> {
  if (window === undefined) return { all: [[-Infinity, Infinity]], healthy: [[-Infinity, Infinity]] }
  const [from, to, healed] = [window.from_ns / 1e6, window.to_ns / 1e6, window.healed_ns === null ? Infinity : window.healed_ns / 1e6]
  return { all: [[-Infinity, Infinity]], healthy: [[-Infinity, from], [healed, Infinity]], [`${window.id}:${window.fault}`]: [[from, to]] }
}

/** A run and what is asked of it. */
interface Service {
  readonly deeds: readonly Deed[]
  readonly fault: readonly [from: number, to: number, healed: number] | undefined
  readonly text: string
}

function randomService(random: Chance): Service {
  const deeds = randomDeeds(random)
  const from = 10 * random(15) + 5
  const fault = random(2) === 0 ? undefined : ([from, from + 30 + random(40), from + 75 + random(20)] as const)
  return { deeds, fault, text: OBJECTIVES[random(OBJECTIVES.length)]! }
}

function disagreement({ deeds, fault, text }: Service, count: Count): string | undefined {
  const run = new RunBuilder()
  for (const { f, node, intended, start, end, outcome } of deeds) run.op(f, 'x', 1, { from: start, ...(end === Infinity ? {} : { to: end }), node, outcome, intended })
  if (fault !== undefined) run.fault('kill(one)', ...fault)
  const history = run.history()
  const faults = faultWindows(history)
  const verdict = slo(parseObjectives(text)).judge(history, { ...context, faults }) as JudgementVerdict
  const truth = met(deeds, text)
  if (truth === 'violated') count('missed')
  if (verdict.verdict !== truth) return `${text}: we say ${verdict.verdict}, by definition it is ${truth}: ${verdict.summary}`
  const availability = availabilityOf(history, faults)
  const latency = latencyOf(history, faults)
  for (const [period, spans] of Object.entries(periods(faults[0]))) {
    for (const [group, nodes] of [['all', NODES], ...NODES.filter((node) => deeds.some((one) => one.node === node)).map((node) => [node, [node]] as const)] as const) {
      const inside = within(deeds, spans, nodes)
      const ok = inside.filter(succeeded).map((one) => one.end - one.intended).sort((a, b) => a - b)
      const available = availability.find((one) => one.period === period && one.group === group)
      if (available?.attempted !== inside.length || available.ok !== ok.length) return `availability of ${group} in ${period}: we say ${available?.ok} of ${available?.attempted}, by hand it is ${ok.length} of ${inside.length}`
      const measured = latency.find((one) => one.period === period && one.group === group && one.f === 'all')!
      const slowest = ok.at(-1) ?? null
      if (measured.count !== ok.length || !near(measured.max_ms, slowest) || !near(measured.p50_ms, ok[Math.ceil(ok.length / 2) - 1] ?? null)) return `latency of ${group} in ${period}: we say p50 ${measured.p50_ms}, max ${measured.max_ms} ms; by hand it is ${JSON.stringify(ok)}`
    }
  }
  return undefined
}

const near = (measured: number | null, exact: number | null): boolean => (measured === null || exact === null ? measured === exact : Math.abs(measured - exact) <= exact * PRECISION + 1e-3)

export const soak = soakOf(import.meta.url, {
  name: 'oracle-service',
  describes: 'service-level objectives, availability and latency against counting by hand',
  full: 200_000,
  slice: 5_000,
  draw: randomService,
  check: disagreement,
  says: (cases, counted) => `${cases} runs, ${counted('missed')} of them missed their objective`,
})
