/**
 * t-visibility: the share of reads that saw the last acknowledged write of their key or a newer one, by the time since
 * that acknowledgement (axes as Bailis et al., Probabilistically Bounded Staleness, VLDB 2012, draw them). The numbers
 * are those of the judgement of staleness.
 */
import { z } from 'zod'
import { formatCount, formatMs, formatShare } from '../format.ts'
import { html } from './escape.ts'
import { value } from './sections.ts'
import type { Html } from './escape.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'

const stepsSchema = z.array(z.object({ t_ms: z.number().nullable(), reads: z.number(), consistent: z.number(), predicted: z.number().nullable().optional() }))
type Step = z.infer<typeof stepsSchema>[number]

/** The curve that the PBS model predicts stands beside the measured one where the run recorded what it needs. */
const predictedOf = (step: Step): number | null => step.predicted ?? null

const [left, top, plotWidth, plotHeight] = [58, 14, 410, 180]

/** The figure; nothing where no read followed a write. */
export function visibilityFigure(document: VerdictDocument, id: string): Html | null {
  const parsed = stepsSchema.safeParse(document.judgements.find((judgement) => judgement.judgement === 'staleness')?.metrics['t_visibility'])
  if (!parsed.success || parsed.data.length < 2) return null
  const steps = parsed.data
  const stale = steps.reduce((sum, step) => sum + step.reads - step.consistent, 0)
  const modelled = steps.some((step) => predictedOf(step) !== null)
  const rows = steps.map((step) => html`<tr><th scope="row">${step.t_ms === null ? 'later' : `up to ${formatMs(step.t_ms)}`}</th><td>${value(`t_visibility.${step.t_ms ?? 'later'}.reads`, step.reads, formatCount(step.reads))}</td><td>${value(`t_visibility.${step.t_ms ?? 'later'}.consistent`, step.consistent, formatShare(step.consistent / step.reads))}</td>${modelled ? html`<td>${value(`t_visibility.${step.t_ms ?? 'later'}.predicted`, predictedOf(step), formatShare(predictedOf(step)))}</td>` : null}</tr>`)
  return html`<figure class="chart static" aria-labelledby="${id}-visibility"><figcaption><h4 id="${id}-visibility">How soon is a write seen?</h4><p>Share of reads that saw the last acknowledged write or a newer one, by the time since it was acknowledged (t-visibility). ${stale === 0 ? 'None was stale.' : `${formatCount(stale)} were stale.`}${modelled ? ' Dashed: what the PBS model (Bailis et al. 2012) predicts from the delays of this run’s messages.' : ''}</p></figcaption>
<div class="scroll plain" tabindex="0" role="region" aria-label="Curve of t-visibility">${curve(steps, id)}</div>
<details><summary>The same numbers as a table</summary><div class="scroll numbers" tabindex="0" role="region" aria-label="Table of t-visibility"><table><thead><tr><th scope="col">after the acknowledgement</th><th scope="col">reads</th><th scope="col">saw it</th>${modelled ? html`<th scope="col">predicted by PBS</th>` : null}</tr></thead><tbody>${rows}</tbody></table></div></details></figure>`
}

function curve(steps: readonly Step[], id: string): Html {
  const bounded = steps.filter((step) => step.t_ms !== null)
  const times = bounded.map((step) => step.t_ms!)
  const [low, high] = [Math.log10(Math.min(...times) / 2), Math.log10(Math.max(...times) * (bounded.length < steps.length ? 3 : 1))]
  const x = (ms: number) => left + ((Math.log10(ms) - low) / (high - low)) * plotWidth
  const shares = steps.map((step) => step.consistent / step.reads)
  const predictions = steps.map(predictedOf)
  const least = Math.max(0, Math.floor((Math.min(...shares, ...predictions.filter((share) => share !== null)) - 0.02) * 20) / 20)
  const floor = least >= 0.95 ? 0.95 : least
  const y = (share: number) => top + (1 - (share - floor) / (1 - floor)) * plotHeight
  // Each share holds for the reads of its step: from the end of the step before to its own end.
  const ends = steps.map((step) => (step.t_ms === null ? left + plotWidth : x(step.t_ms)))
  const nextLevel = (levels: readonly (number | null)[], index: number): string => {
    const next = levels[index + 1] ?? null
    return next === null ? '' : `V${y(next).toFixed(1)}`
  }
  const staircase = (levels: readonly (number | null)[]): string => levels.map((share, index) => (share === null ? '' : `M${(index === 0 ? left : ends[index - 1]!).toFixed(1)} ${y(share).toFixed(1)}H${ends[index]!.toFixed(1)}${nextLevel(levels, index)}`)).join('')
  const decades = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, index) => 10 ** (Math.ceil(low) + index))
  const lines = [floor, (1 + floor) / 2, 1].map((share) => html`<path class="w-tick" d="M${left} ${y(share).toFixed(1)}h${plotWidth}"/><text class="p-tick" x="${left - 8}" y="${(y(share) + 4).toFixed(1)}" text-anchor="end">${formatShare(share).replace('.0', '')}</text>`)
  return html`<svg viewBox="0 0 ${left + plotWidth + 12} ${top + plotHeight + 30}" width="${left + plotWidth + 12}" height="${top + plotHeight + 30}" role="img" aria-labelledby="${id}-visibility">
${lines}${decades.map((ms) => html`<path class="w-tick" d="M${x(ms).toFixed(1)} ${top}v${plotHeight}"/><text class="p-tick" x="${x(ms).toFixed(1)}" y="${top + plotHeight + 18}" text-anchor="middle">${formatMs(ms).replace(/\.0+(?=\D)/, '')}</text>`)}
<path class="v-three" d="M${left} ${y(Math.max(floor, 0.999)).toFixed(1)}h${plotWidth}"/><text class="p-tick" x="${left + plotWidth}" y="${(y(Math.max(floor, 0.999)) + 14).toFixed(1)}" text-anchor="end">99.9 %</text>
<path class="v-curve" d="${staircase(shares)}"/>${predictions.every((share) => share === null) ? null : html`<path class="v-predicted" d="${staircase(predictions)}"/>`}</svg>`
}
