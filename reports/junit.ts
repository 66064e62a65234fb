/**
 * JUnit XML: one suite per configuration, one test case for its promise and one per judgement, in the dialect that
 * Jenkins, GitLab, Azure and GitHub's test actions have in common.
 *
 * Only what was promised can fail. A stronger model that broke is a passing case whose output says so; `unknown` is
 * an error, never a skip, because CI shows skips in green.
 */
import { weakerThan } from '../checker/ladder.ts'
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
export function countsFor(document: Pick<VerdictDocument, 'promised'>, judgement: Pick<JudgementVerdict, 'judgement' | 'model'>): boolean {
  if (judgement.model === undefined) return always.has(judgement.judgement)
  return judgement.model === document.promised || weakerThan(document.promised).includes(judgement.model) || always.has(judgement.judgement)
}

/** The whole file. */
export function renderJunit(runs: readonly NamedDocument[]): string {
  const suites = runs.map(({ name, document }) => ({ name, document, cases: casesOf(document) }))
  const count = (cases: readonly Case[], pick: 'failure' | 'error') => cases.filter((one) => one[pick] !== undefined).length
  const all = suites.flatMap((suite) => suite.cases)
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="splitbrain" tests="${all.length}" failures="${count(all, 'failure')}" errors="${count(all, 'error')}">`]
  for (const { name, document, cases } of suites) {
    const time = (document.run?.time_ms ?? 0) / 1000
    const stamp = document.run === null ? '' : ` timestamp="${xml(document.run.started.replace(/\.\d+Z$/, '').replace(/Z$/, ''))}"`
    lines.push(`  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${count(cases, 'failure')}" errors="${count(cases, 'error')}" skipped="0" time="${time}"${stamp} hostname="localhost">`)
    cases.forEach((one, index) => lines.push(...caseLines(one, name, index === 0 ? time : 0)))
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
