/**
 * Several runs of each configuration, as small multiples: one panel for each, all with the same axes, a mark for each
 * seed. One run may be lucky; what a configuration gives up shows in where its marks stand together. Static SVG with
 * the numbers as a table beside it, so that it needs no script and prints as it is.
 */
import { formatCount, formatMs, formatShare } from '../format.ts'
import { html, type Html } from './escape.ts'
import { isolationLevels, models } from '../../checker/verdict.ts'
import { strongestText, type Facts } from '../facts.ts'

/** All runs of one configuration. */
export interface SeedRuns {
  readonly name: string
  readonly runs: readonly { readonly seed: number; readonly facts: Facts }[]
}

const CHARACTER = 6.4
const PLOT = 190
const ROW = 22
const TOP = 12

/** Axes that all panels share. */
interface Axes {
  /** Room for the names of the levels, in pixels. */
  readonly left: number
  /** Levels that occur, strongest first. */
  readonly levels: readonly string[]
  readonly latency: { readonly low: number; readonly high: number }
}

/** The section; null when every configuration ran once. */
export function seedsSection(all: readonly SeedRuns[]): Html | null {
  if (all.every(({ runs }) => runs.length < 2)) return null
  const axes = axesOf(all)
  return html`<section id="seeds" aria-labelledby="seeds-heading"><h2 id="seeds-heading">The same with other seeds</h2>
<p class="note">A mark for each seed. Left: the share of operations that the minority side answered, against the strongest model that held. Right: latency from p50 to p99 over the whole run, on a logarithmic axis from ${formatMs(axes.latency.low)} to ${formatMs(axes.latency.high)}, against the same models. Further down, each configuration's run in which the weakest model held is shown in full.</p>
<div class="multiples">${all.map((one) => panel(one, axes))}</div>
<div class="scroll" tabindex="0" role="region" aria-label="All seeds in numbers"><table class="seeds"><thead><tr>${['Configuration', 'Seeds', 'Violated', 'Strongest model, weakest run', 'Minority answered', 'p50', 'p99', 'Lost writes'].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${all.map(row)}</tbody></table></div></section>`
}

const levelOf = strongestText
const order: readonly string[] = [...isolationLevels, ...models, 'none', '–']
/** Of several isolation levels the first counts. */
const rank = (level: string): number => order.indexOf(level.split(', ')[0]!)

function axesOf(all: readonly SeedRuns[]): Axes {
  const facts = all.flatMap(({ runs }) => runs.map((run) => run.facts))
  const latencies = facts.flatMap(({ latency }) => [latency?.p50_ms, latency?.p99_ms]).filter((ms): ms is number => typeof ms === 'number' && ms > 0)
  const levels = [...new Set(facts.map(levelOf))].sort((a, b) => rank(a) - rank(b))
  return {
    left: 16 + Math.max(16, ...levels.map((level) => level.length)) * CHARACTER,
    levels,
    latency: latencies.length === 0 ? { low: 1, high: 10 } : { low: Math.min(...latencies) * 0.8, high: Math.max(...latencies) * 1.25 },
  }
}

function panel({ name, runs }: SeedRuns, axes: Axes): Html {
  const height = TOP + axes.levels.length * ROW + 22
  const { left } = axes
  const width = left + 2 * PLOT + 40
  const y = (facts: Facts, index: number): number => TOP + axes.levels.indexOf(levelOf(facts)) * ROW + ROW / 2 + ((index % 3) - 1) * 5
  const scale = (ms: number): number => left + PLOT + 30 + (Math.log(ms / axes.latency.low) / Math.log(axes.latency.high / axes.latency.low)) * PLOT
  const rows = axes.levels.map((level, at) => html`<text x="${left - 8}" y="${TOP + at * ROW + ROW / 2 + 4}" text-anchor="end">${level}</text><path class="grid" d="M${left} ${TOP + at * ROW + ROW / 2}h${PLOT}m30 0h${PLOT}"/>`)
  const marks = runs.map(({ facts }, index) => {
    const { p50_ms: p50 = null, p99_ms: p99 = null } = facts.latency ?? {}
    const share = facts.minority?.share ?? null
    const square = share === null ? null : html`<rect class="minority" x="${(left + share * PLOT - 4).toFixed(1)}" y="${y(facts, index) - 4}" width="8" height="8"/>`
    const bar = p50 === null || p99 === null ? null : html`<path class="latency" d="M${scale(p50).toFixed(1)} ${y(facts, index)}H${scale(p99).toFixed(1)}"/><circle class="latency" cx="${scale(p50).toFixed(1)}" cy="${y(facts, index)}" r="3"/>`
    return html`${square}${bar}`
  })
  const foot = height - 6
  return html`<figure><figcaption><h3>${name}</h3></figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}: ${summary(runs.map((run) => run.facts))}">${rows}${marks}
<text x="${left}" y="${foot}" text-anchor="middle">0 %</text><text x="${left + PLOT}" y="${foot}" text-anchor="middle">100 %</text><text x="${left + PLOT + 30}" y="${foot}" text-anchor="start">${formatMs(axes.latency.low)}</text><text x="${width - 10}" y="${foot}" text-anchor="end">${formatMs(axes.latency.high)}</text></svg></figure>`
}

/** The panel in words. */
function summary(facts: readonly Facts[]): string {
  return facts.map((one) => `${levelOf(one)}, minority side ${formatShare(one.minority?.share)}, p50 ${formatMs(one.latency?.p50_ms)}`).join('; ')
}

function row({ name, runs }: SeedRuns): Html {
  const facts = runs.map((run) => run.facts)
  const weakest = facts.map(levelOf).sort((a, b) => rank(b) - rank(a))[0]!
  const broken = facts.filter(({ verdict }) => verdict === 'violated').length
  const range = (values: readonly (number | null | undefined)[], format: (value: number) => string): string => {
    const there = values.filter((value): value is number => typeof value === 'number')
    if (there.length === 0) return '–'
    const [low, high] = [format(Math.min(...there)), format(Math.max(...there))]
    return low === high ? low : `${low} to ${high}`
  }
  const cells = [runs.map(({ seed }) => seed).join(', '), `${broken} of ${runs.length}`, weakest, range(facts.map(({ minority }) => minority?.share), formatShare), range(facts.map(({ latency }) => latency?.p50_ms), formatMs), range(facts.map(({ latency }) => latency?.p99_ms), formatMs), formatCount(facts.reduce((sum, { lost }) => sum + lost, 0))]
  return html`<tr data-configuration="${name}"><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`
}
