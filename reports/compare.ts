/**
 * Two sets of verdicts, before and after: what is new, what is resolved, what is still there, and whether the numbers
 * moved by more than chance.
 *
 * Shares are compared by Newcombe's interval for a difference of proportions (Statistics in Medicine 17, 1998,
 * method 10: two Wilson intervals), which behaves near 0 and 1, where availability lives. Runs that were not made the
 * same way are said to be not comparable, and why, instead of being compared.
 */
import { factsOf } from './facts.ts'
import { formatMs, formatShare, visible } from './format.ts'
import type { SideFact } from './facts.ts'
import type { NamedDocument } from './junit.ts'
import type { RunDescription, VerdictDocument, VerdictWord } from '../checker/verdict.ts'

/** What became of one judgement. */
export interface Finding {
  readonly judgement: string
  readonly change: 'new' | 'resolved' | 'still there' | 'no longer known' | 'newly unknown'
  readonly before: VerdictWord | null
  readonly after: VerdictWord | null
  /** The witness that speaks for it, where there is one. */
  readonly explanation: string | null
}

/** How a share moved: after minus before, with its 95 % interval. */
export interface ShareChange {
  readonly what: string
  readonly before: number
  readonly after: number
  readonly difference: number
  readonly low: number
  readonly high: number
  /** The interval does not contain zero. */
  readonly real: boolean
}

/** How a quantile of latency moved. Two runs say nothing about its scatter, so there is no interval. */
export interface LatencyChange {
  readonly what: string
  readonly before_ms: number
  readonly after_ms: number
}

/** One configuration, before and after. */
export interface ConfigurationChange {
  readonly name: string
  /** Why they cannot be compared; empty when they can. */
  readonly incomparable: readonly string[]
  readonly verdict: { readonly before: VerdictWord; readonly after: VerdictWord }
  readonly findings: readonly Finding[]
  readonly shares: readonly ShareChange[]
  readonly latency: readonly LatencyChange[]
}

/** The whole comparison. */
export interface Comparison {
  readonly configurations: readonly ConfigurationChange[]
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

/** Compares configurations of the same name; where each side has just one, those two. */
export function compare(before: readonly NamedDocument[], after: readonly NamedDocument[]): Comparison {
  const single = before.length === 1 && after.length === 1
  const partner = (name: string) => (single ? before[0] : before.find((one) => one.name === name))
  const pairs = after.flatMap(({ name, document }) => {
    const other = partner(name)
    return other === undefined ? [] : [{ name, before: other.document, after: document }]
  })
  const names = new Set(pairs.map((pair) => pair.name))
  return {
    configurations: pairs.map((pair) => changeOf(pair.name, pair.before, pair.after)),
    onlyBefore: single ? [] : before.map((one) => one.name).filter((name) => !names.has(name)),
    onlyAfter: single ? [] : after.map((one) => one.name).filter((name) => !names.has(name)),
  }
}

function changeOf(name: string, before: VerdictDocument, after: VerdictDocument): ConfigurationChange {
  const incomparable = differences(before, after)
  const [was, is] = [factsOf(name, before), factsOf(name, after)]
  const comparable = incomparable.length === 0
  return {
    name,
    incomparable,
    verdict: { before: before.verdict, after: after.verdict },
    findings: findings(before, after),
    shares: comparable ? [shareChange('majority answered', was.majority, is.majority), shareChange('minority answered', was.minority, is.minority)].filter((change) => change !== undefined) : [],
    latency: comparable ? (['p50_ms', 'p99_ms', 'p999_ms'] as const).flatMap((quantile) => {
      const [before_ms, after_ms] = [was.latency?.[quantile] ?? null, is.latency?.[quantile] ?? null]
      return before_ms === null || after_ms === null ? [] : [{ what: { p50_ms: 'p50', p99_ms: 'p99', p999_ms: 'p99.9' }[quantile], before_ms, after_ms }]
    }) : [],
  }
}

const compared: readonly (keyof RunDescription)[] = ['system', 'workload', 'driver', 'clients', 'time_ms']

function differences(before: VerdictDocument, after: VerdictDocument): string[] {
  if (before.run === null || after.run === null) return ['one of them is an imported history, and how it came about is not recorded']
  const [was, is] = [before.run, after.run]
  const found = compared.filter((name) => was[name] !== is[name]).map((name) => `${name} was ${String(was[name])} and is ${String(is[name])}`)
  if (was.nodes.length !== is.nodes.length) found.push(`${was.nodes.length} nodes became ${is.nodes.length}`)
  const faults = (document: VerdictDocument) => document.faults.map((fault) => fault.fault).join(', ') || 'none'
  if (faults(before) !== faults(after)) found.push(`faults were ${faults(before)} and are ${faults(after)}`)
  return found
}

function findings(before: VerdictDocument, after: VerdictDocument): Finding[] {
  const names = [...new Set([...after.judgements, ...before.judgements].map((judgement) => judgement.judgement))]
  return names.flatMap((name): Finding[] => {
    const was = before.judgements.find((judgement) => judgement.judgement === name)
    const is = after.judgements.find((judgement) => judgement.judgement === name)
    const change = changeBetween(was?.verdict ?? null, is?.verdict ?? null)
    if (change === undefined) return []
    const speaks = is?.verdict === 'violated' ? is : was
    return [{ judgement: name, change, before: was?.verdict ?? null, after: is?.verdict ?? null, explanation: speaks?.witnesses[0]?.explanation ?? is?.reason ?? null }]
  })
}

function changeBetween(before: VerdictWord | null, after: VerdictWord | null): Finding['change'] | undefined {
  if (after === 'violated') return before === 'violated' ? 'still there' : 'new'
  if (before === 'violated') return after === 'holds' ? 'resolved' : 'no longer known'
  return after === 'unknown' && before === 'holds' ? 'newly unknown' : undefined
}

/** The normal quantile of a two-sided 95 % interval. */
const z = 1.959964

/** Wilson's score interval for k of n. */
export function wilson(k: number, n: number): { readonly low: number; readonly high: number } {
  const share = k / n
  const centre = share + (z * z) / (2 * n)
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) }
}

function shareChange(what: string, before: SideFact | undefined, after: SideFact | undefined): ShareChange | undefined {
  if (before === undefined || after === undefined || before.share === null || after.share === null) return undefined
  const [was, is] = [wilson(before.ok, before.attempted), wilson(after.ok, after.attempted)]
  const difference = after.share - before.share
  const low = difference - Math.hypot(after.share - is.low, was.high - before.share)
  const high = difference + Math.hypot(is.high - after.share, before.share - was.low)
  return { what, before: before.share, after: after.share, difference, low, high, real: low > 0 || high < 0 }
}

/** The comparison in lines for a terminal. */
export function renderComparison(comparison: Comparison): string {
  const lines = comparison.configurations.flatMap(configurationLines)
  for (const [names, side] of [[comparison.onlyBefore, 'before'], [comparison.onlyAfter, 'after']] as const) if (names.length > 0) lines.push(`only ${side}: ${names.map(visible).join(', ')}`)
  return `${lines.join('\n')}\n`
}

function configurationLines({ name, verdict, incomparable, findings: found, shares, latency }: ConfigurationChange): string[] {
  const points = (share: number) => `${share >= 0 ? '+' : '−'}${(Math.abs(share) * 100).toFixed(1)}`
  return [
    `${visible(name)}: ${verdict.before === verdict.after ? `${verdict.after}, as before` : `${verdict.before} before, ${verdict.after} now`}`,
    ...found.map((finding) => `  ${finding.change.padEnd(16)}${finding.judgement}${finding.explanation === null ? '' : `: ${visible(finding.explanation)}`}`),
    ...incomparable.map((reason) => `  not comparable: ${visible(reason)}`),
    ...shares.map((change) => `  ${change.what.padEnd(18)}${formatShare(change.before)} -> ${formatShare(change.after)}  ${points(change.difference)} points (95 %: ${points(change.low)} to ${points(change.high)})${change.real ? '' : ', no more than chance'}`),
    ...latency.map((change) => `  ${change.what.padEnd(18)}${formatMs(change.before_ms)} -> ${formatMs(change.after_ms)}`),
  ]
}
