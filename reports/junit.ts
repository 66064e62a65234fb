/**
 * JUnit XML: one suite per configuration, one test case for its promise and one per judgement, in the dialect that
 * Jenkins, GitLab, Azure and GitHub's test actions have in common.
 *
 * Only what was promised can fail. A stronger model that broke is a passing case whose output says so; `unknown` is
 * an error, never a skip, because CI shows skips in green.
 */
import { weakerThan } from '../checker/ladder.ts'
import { cellName, type CampaignSummary } from './campaign/summary.ts'
import { visible } from './format.ts'
import type { JudgementVerdict, VerdictDocument } from '../checker/verdict.ts'

/** A configuration's verdict under a name. */
export interface NamedDocument {
  readonly name: string
  readonly document: VerdictDocument
}

interface Case {
  readonly name: string
  readonly failure?: string
  readonly error?: string
  readonly output: string
}

/** Judgements that count whatever model was promised. */
const always: ReadonlySet<string> = new Set(['convergence', 'durability', 'vacuity'])

/** Whether a violation of this judgement breaks the promise. */
export function countsFor(document: Pick<VerdictDocument, 'promised' | 'loses_writes'>, judgement: Pick<JudgementVerdict, 'judgement' | 'model'>): boolean {
  if (judgement.judgement === 'durability' && document.loses_writes === true) return false
  if (judgement.model === undefined) return always.has(judgement.judgement)
  return judgement.model === document.promised || weakerThan(document.promised).includes(judgement.model) || always.has(judgement.judgement)
}

/** A group of test cases. */
interface Suite {
  readonly name: string
  readonly cases: readonly Case[]
  readonly time_s: number
  /** ISO 8601. */
  readonly started?: string
}

/** The whole file, for runs; where the harness failed there is a suite with an error. */
export function renderJunit(runs: readonly NamedDocument[], crashes: readonly { readonly name: string; readonly message: string }[] = []): string {
  const failed = crashes.map(({ name, message }): Suite => ({ name, cases: [{ name: 'the harness', error: message, output: message }], time_s: 0 }))
  return renderSuites([...runs.map(({ name, document }) => ({ name, cases: casesOf(document), time_s: (document.run?.time_ms ?? 0) / 1000, ...(document.run === null ? {} : { started: document.run.started }) })), ...failed])
}

/** The whole file, for a campaign: a test case for each cell, which fails where a promise broke and is an error where nothing is known. */
export function renderCampaignJunit(name: string, summary: CampaignSummary): string {
  const cases = summary.cells.map((cell): Case => {
    const counts = `${cell.violated} of ${cell.decided} runs broke the promise${cell.unknown === 0 ? '' : `, nothing is known of ${cell.unknown}`}`
    const { smallest } = cell
    const output = smallest === null ? counts : [counts, smallest.sentence, ...smallest.findings.map(({ explanation }) => explanation), `repeat: ${smallest.repeat}`].join('\n')
    return { name: cellName(cell), output, ...(cell.violated > 0 ? { failure: counts } : cell.decided === 0 || cell.unknown > 0 ? { error: counts } : {}) }
  })
  return renderSuites([{ name, cases, time_s: summary.elapsed_ms / 1000 }])
}

function renderSuites(suites: readonly Suite[]): string {
  const count = (cases: readonly Case[], pick: 'failure' | 'error') => cases.filter((one) => one[pick] !== undefined).length
  const all = suites.flatMap((suite) => suite.cases)
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="splitbrain" tests="${all.length}" failures="${count(all, 'failure')}" errors="${count(all, 'error')}">`]
  for (const { name, cases, time_s, started } of suites) {
    const stamp = started === undefined ? '' : ` timestamp="${xml(started.replace(/\.\d+Z$/, '').replace(/Z$/, ''))}"`
    lines.push(`  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${count(cases, 'failure')}" errors="${count(cases, 'error')}" skipped="0" time="${time_s}"${stamp} hostname="localhost">`)
    cases.forEach((one, index) => lines.push(...caseLines(one, name, index === 0 ? time_s : 0)))
    lines.push('  </testsuite>')
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`
}

function casesOf(document: VerdictDocument): Case[] {
  const repeat = document.run === null ? '' : `\nrepeat: ${document.run.repeat}`
  const promise: Case = {
    name: `promise: ${document.promised}`,
    ...(document.verdict === 'violated' ? { failure: document.sentence } : {}),
    ...(document.verdict === 'unknown' ? { error: document.reason ?? document.sentence } : {}),
    output: document.sentence + repeat,
  }
  return [promise, ...document.judgements.map((judgement): Case => {
    const counts = countsFor(document, judgement)
    const explanation = judgement.witnesses[0]?.explanation
    return {
      name: judgement.judgement,
      ...(counts && judgement.verdict === 'violated' ? { failure: judgement.summary } : {}),
      ...(counts && judgement.verdict === 'unknown' ? { error: judgement.reason ?? judgement.summary } : {}),
      output: `${judgement.verdict}${counts ? '' : ' (not promised)'}: ${judgement.summary}${explanation === undefined ? '' : `\n${explanation}`}${repeat}`,
    }
  })]
}

function caseLines(one: Case, suite: string, time: number): string[] {
  const problem = one.failure !== undefined ? `      <failure type="violated" message="${xml(one.failure)}">${xml(one.output)}</failure>` : one.error !== undefined ? `      <error type="unknown" message="${xml(one.error)}">${xml(one.output)}</error>` : `      <system-out>${xml(one.output)}</system-out>`
  return [`    <testcase classname="splitbrain.${xml(suite)}" name="${xml(one.name)}" time="${time}">`, problem, '    </testcase>']
}

/** Text that XML 1.0 can carry: what it forbids is written out, line breaks stay. */
function xml(text: string): string {
  const lines = text.split('\n').map((line) => visible(line).replace(/[\ufffe\uffff]/g, '').replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'))
  return lines.join('&#10;').replace(/&(?!#10;)/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
