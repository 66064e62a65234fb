/**
 * Two sets of verdicts, before and after: what is new, what is resolved, what is still there, and whether the numbers
 * moved by more than chance.
 *
 * Numbers are compared by the block bootstrap (`bootstrap.ts`). Runs that were not made the same way are said to be not
 * comparable, and why, instead of being compared.
 */
import { difference, measure, quantile, share } from './bootstrap.ts'
import { formatMs, formatNoun, formatShare, visible } from './format.ts'
import { countsFor, measureOf } from './promise.ts'
import { termsOf } from '../checker/terms.ts'
import type { Blocks, Difference, Measured } from './bootstrap.ts'
import type { NamedDocument } from './junit.ts'
import type { History } from '../checker/history/index.ts'
import type { RunDescription, VerdictDocument, VerdictWord } from '../checker/verdict.ts'

/** What became of one judgement. */
export interface Finding {
  readonly judgement: string
  /** Whether it counts for the later run: what that promises, or what was expected of it, rests on it. */
  readonly promised: boolean
  readonly change: 'new' | 'resolved' | 'still there' | 'no longer known' | 'newly unknown'
  readonly before: VerdictWord | null
  readonly after: VerdictWord | null
  /** The witness that speaks for it, where there is one. */
  readonly explanation: string | null
}

/** How a number moved: after minus before, with its 95 % interval. Shares in 0..1, latencies in ms. */
export interface NumberChange extends Difference {
  readonly what: string
  readonly unit: 'share' | 'ms'
  /** The interval does not contain zero. */
  readonly real: boolean
}

/** One configuration, before and after. */
export interface ConfigurationChange {
  readonly name: string
  /** In what they were not made or judged alike, so that their numbers cannot be compared; empty when they can. */
  readonly incomparable: readonly string[]
  readonly verdict: { readonly before: VerdictWord; readonly after: VerdictWord }
  readonly findings: readonly Finding[]
  readonly numbers: readonly NumberChange[]
}

/** The whole comparison. */
export interface Comparison {
  readonly configurations: readonly ConfigurationChange[]
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

/** A run to compare: its verdict, and the history that its numbers are computed from. */
export interface ComparedRun extends NamedDocument {
  readonly history: History
}

/** Compares configurations of the same name; where each side has just one, those two. `random` draws from [0, 1). */
export function compare(before: readonly ComparedRun[], after: readonly ComparedRun[], random: () => number): Comparison {
  const single = before.length === 1 && after.length === 1
  const partner = (name: string) => (single ? before[0] : before.find((one) => one.name === name))
  const pairs = after.flatMap((is) => {
    const was = partner(is.name)
    return was === undefined ? [] : [{ was, is }]
  })
  const names = new Set(pairs.map(({ is }) => is.name))
  return {
    configurations: pairs.map(({ was, is }) => changeOf(was, is, random)),
    onlyBefore: single ? [] : before.map((one) => one.name).filter((name) => !names.has(name)),
    onlyAfter: single ? [] : after.map((one) => one.name).filter((name) => !names.has(name)),
  }
}

function changeOf(before: ComparedRun, after: ComparedRun, random: () => number): ConfigurationChange {
  const incomparable = differences(before.document, after.document)
  return {
    name: after.name,
    incomparable,
    verdict: { before: before.document.verdict, after: after.document.verdict },
    findings: findings(before.document, after.document),
    numbers: incomparable.length === 0 ? numbersOf(before, after, random) : [],
  }
}

function numbersOf(before: ComparedRun, after: ComparedRun, random: () => number): NumberChange[] {
  const [was, is] = [before, after].map(({ document, history }) => measure(history, document.faults)) as [Measured, Measured]
  const change = (what: string, unit: NumberChange['unit'], group: keyof Measured, of: (blocks: Blocks) => number): NumberChange[] => {
    const found = difference(was[group], is[group], of, random)
    return found === undefined ? [] : [{ what, unit, ...found, real: found.low > 0 || found.high < 0 }]
  }
  return [
    ...change('answered', 'share', 'all', share),
    ...change('majority answered', 'share', 'majority', share),
    ...change('minority answered', 'share', 'minority', share),
    ...[0.5, 0.99, 0.999].flatMap((q) => change(`p${q * 100}`, 'ms', 'all', (blocks) => quantile(blocks, q))),
  ]
}

const compared: readonly (keyof RunDescription)[] = ['system', 'preset', 'workload', 'driver', 'clients', 'time_ms']

function differences(before: VerdictDocument, after: VerdictDocument): string[] {
  if (before.run === null || after.run === null) return ['one of them is an imported history, and how it came about is not recorded']
  const [was, is] = [before.run, after.run]
  const found = compared.filter((name) => was[name] !== is[name]).map((name) => `${name} was ${String(was[name] ?? 'none')} and is ${String(is[name] ?? 'none')}`)
  if (was.nodes.length !== is.nodes.length) found.push(`${was.nodes.length} nodes became ${is.nodes.length}`)
  const faults = (document: VerdictDocument) => document.faults.map((fault) => fault.fault).join(', ') || 'none'
  if (faults(before) !== faults(after)) found.push(`faults were ${faults(before)} and are ${faults(after)}`)
  return [...found, ...measuredDifferently(before, after)]
}

/** What the verdicts themselves were measured by. */
function measuredDifferently(before: VerdictDocument, after: VerdictDocument): string[] {
  const [was, is] = [termsOf(before), termsOf(after)]
  const counted = ({ loses_writes: loses }: VerdictDocument): string => (loses === true ? 'not counted' : 'counted')
  return [
    ...(was.promised === is.promised ? [] : [`it was judged against ${measureOf(was)} and is judged against ${measureOf(is)}`]),
    ...(counted(before) === counted(after) ? [] : [`lost writes were ${counted(before)} and are ${counted(after)}`]),
  ]
}

/** What counts and is violated now and was not: what a comparison is made to find. */
export function newlyViolated({ configurations }: Comparison): readonly Finding[] {
  return configurations.flatMap(({ findings: found }) => found).filter(({ change, promised }) => change === 'new' && promised)
}

/** "2 judgements newly violated", and whether the runs can be compared at all. */
export function headlineOf(comparison: Comparison): string {
  const fresh = newlyViolated(comparison).length
  const unlike = comparison.configurations.filter(({ incomparable }) => incomparable.length > 0).length
  const reserve = unlike === 0 ? '' : `, but ${unlike === comparison.configurations.length ? 'the' : 'some'} runs are not comparable`
  return `${fresh > 0 ? `${formatNoun(fresh, 'judgement')} newly violated` : 'Nothing that counts is newly violated'}${reserve}`
}

function findings(before: VerdictDocument, after: VerdictDocument): Finding[] {
  const names = [...new Set([...after.judgements, ...before.judgements].map((judgement) => judgement.judgement))]
  return names.flatMap((name): Finding[] => {
    const was = before.judgements.find((judgement) => judgement.judgement === name)
    const is = after.judgements.find((judgement) => judgement.judgement === name)
    const change = changeBetween(was?.verdict ?? null, is?.verdict ?? null)
    if (change === undefined) return []
    const speaks = is?.verdict === 'violated' ? is : was
    return [{ judgement: name, promised: countsFor(after, is ?? was!), change, before: was?.verdict ?? null, after: is?.verdict ?? null, explanation: speaks?.witnesses[0]?.explanation ?? is?.reason ?? null }]
  })
}

function changeBetween(before: VerdictWord | null, after: VerdictWord | null): Finding['change'] | undefined {
  if (after === 'violated') return before === 'violated' ? 'still there' : 'new'
  if (before === 'violated') return after === 'holds' ? 'resolved' : 'no longer known'
  return after === 'unknown' && before === 'holds' ? 'newly unknown' : undefined
}

/** The comparison in lines for a terminal. */
export function renderComparison(comparison: Comparison): string {
  const lines = comparison.configurations.flatMap(configurationLines)
  for (const [names, side] of [[comparison.onlyBefore, 'before'], [comparison.onlyAfter, 'after']] as const) if (names.length > 0) lines.push(`only ${side}: ${names.map(visible).join(', ')}`)
  return `${lines.join('\n')}\n`
}

function configurationLines({ name, verdict, incomparable, findings: found, numbers }: ConfigurationChange): string[] {
  return [
    `${visible(name)}: ${verdict.before === verdict.after ? `${verdict.after}, as before` : `${verdict.before} before, ${verdict.after} now`}`,
    ...incomparable.map((reason) => `  not comparable: ${visible(reason)}`),
    ...found.map((finding) => `  ${finding.change.padEnd(16)}${finding.judgement}${finding.promised ? '' : ' (does not count)'}${finding.explanation === null ? '' : `: ${visible(finding.explanation)}`}`),
    ...numbers.map(numberLine),
  ]
}

function numberLine(change: NumberChange): string {
  const { what, before, after, low, high, real } = change
  return `  ${what.padEnd(18)}${formatNumberOf(change, before)} -> ${formatNumberOf(change, after)}  ${formatDifference(change, after - before)} (95 %: ${formatDifference(change, low)} to ${formatDifference(change, high)})${real ? '' : ', no more than chance'}`
}

/** One side of a comparison: "97.2 %", "3.9 ms". */
export function formatNumberOf({ unit }: Pick<NumberChange, 'unit'>, value: number): string {
  return unit === 'share' ? formatShare(value) : formatMs(value)
}

/** A difference with its sign: "+1.2 points", "−3.1 ms". */
export function formatDifference({ unit }: Pick<NumberChange, 'unit'>, value: number): string {
  return `${value >= 0 ? '+' : '−'}${unit === 'share' ? `${(Math.abs(value) * 100).toFixed(1)} points` : formatMs(Math.abs(value))}`
}
