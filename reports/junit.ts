/**
 * JUnit XML: one suite per configuration, one test case for its promise (or what was expected of it) and one per judgement, in the dialect that
 * Jenkins, GitLab, Azure and GitHub's test actions have in common: valid against the schema of Ant's tasks (JUnit.xsd)
 * and of Jenkins' xunit plugin (junit-10.xsd). The former allows a case that passed no text of its own, hence what is
 * to say about it stands in its suite's `system-out`.
 *
 * Only what was promised or asked for can fail. A stronger model that broke is a passing case whose output says so; `unknown` is
 * an error, never a skip, because CI shows skips in green.
 */
import { cellName, verdictOf, type CampaignSummary } from './campaign/summary.ts'
import { visible } from './format.ts'
import { countsFor, promiseVerdict, uncounted, wordFor } from './promise.ts'
import type { VerdictDocument } from '../checker/verdict.ts'

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

/** A group of test cases. */
interface Suite {
  readonly name: string
  readonly cases: readonly Case[]
  readonly time_ms: number
  /** ISO 8601. */
  readonly started: string
  readonly properties: Readonly<Record<string, string>>
}

/** What a file of test cases says beside the runs. */
export interface JunitOptions {
  /** ISO 8601; stands for the start of what has none: an imported history, a crash. */
  readonly written: string
  /** Where the harness failed; each becomes a suite with an error. */
  readonly crashes?: readonly { readonly name: string; readonly message: string }[]
}

/** The whole file, for runs. */
export function renderJunit(runs: readonly NamedDocument[], { written, crashes = [] }: JunitOptions): string {
  const judged = runs.map(({ name, document }): Suite => ({ name, cases: casesOf(document), time_ms: document.run?.time_ms ?? 0, started: document.run?.started ?? written, properties: propertiesOf(document) }))
  const failed = crashes.map(({ name, message }): Suite => ({ name, cases: [{ name: 'the harness', error: message, output: message }], time_ms: 0, started: written, properties: {} }))
  return renderSuites([...judged, ...failed])
}

function propertiesOf({ promised, expected, verdict, run }: VerdictDocument): Record<string, string> {
  return { [expected === true ? 'expected' : 'promised']: promised, verdict, ...(run === null ? {} : { system: run.system, repeat: run.repeat }) }
}

/** The whole file, for a campaign: a test case for each cell, which fails where a run was violated and is an error where nothing is known. Cells that no machine can run have none. `started` is ISO 8601. */
export function renderCampaignJunit({ name, started, repeat }: { readonly name: string; readonly started: string; readonly repeat: string }, summary: CampaignSummary): string {
  const cases = summary.cells.filter(({ impossible }) => impossible === null).map((cell): Case => {
    const verdict = verdictOf(cell)
    const counts = cell.decided + cell.unknown === 0 ? 'no run of it has ended' : `${cell.violated} of ${cell.decided} runs violated${cell.unknown === 0 ? '' : `, nothing is known of ${cell.unknown}`}`
    const { smallest } = cell
    const output = smallest === null ? counts : [counts, smallest.sentence, ...smallest.findings.map(({ explanation }) => explanation), `repeat: ${smallest.repeat}`].join('\n')
    return { name: cellName(cell), output, ...(verdict === 'violated' ? { failure: counts } : verdict === 'unknown' ? { error: counts } : {}) }
  })
  return renderSuites([{ name, cases, time_ms: summary.elapsed_ms, started, properties: { repeat } }])
}

function renderSuites(suites: readonly Suite[]): string {
  return `${['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites.flatMap(suiteLines), '</testsuites>'].join('\n')}\n`
}

/** Attributes and elements in the order that the schemas demand. The first case carries the time, since all cases judge the same run. */
function suiteLines({ name, cases, time_ms, started, properties }: Suite, id: number): string[] {
  const count = (pick: 'failure' | 'error') => cases.filter((one) => one[pick] !== undefined).length
  const time = (time_ms / 1000).toFixed(3)
  const passed = cases.filter((one) => one.failure === undefined && one.error === undefined)
  return [
    `  <testsuite id="${id}" package="splitbrain" name="${xml(name)}" timestamp="${started.slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}" hostname="localhost" tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="0" time="${time}">`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property name="${key}" value="${xml(value)}"/>`),
    '    </properties>',
    ...cases.flatMap((one, index) => caseLines(one, name, index === 0 ? time : '0.000')),
    `    <system-out>${passed.map((one) => `${xml(one.name)}: ${xml(one.output)}`).join('\n')}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
  ]
}

function casesOf(document: VerdictDocument): Case[] {
  const repeat = document.run === null ? '' : `\nrepeat: ${document.run.repeat}`
  const own = promiseVerdict(document)
  const promise: Case = {
    name: `${document.expected === true ? 'expected' : 'promise'}: ${document.promised}`,
    ...(own === 'violated' ? { failure: document.sentence } : {}),
    ...(own === 'unknown' ? { error: document.reason ?? document.sentence } : {}),
    output: document.sentence + repeat,
  }
  return [promise, ...document.judgements.map((judgement): Case => {
    const counts = countsFor(document, judgement)
    const explanation = judgement.witnesses[0]?.explanation
    return {
      name: judgement.judgement,
      ...(counts && judgement.verdict === 'violated' ? { failure: judgement.summary } : {}),
      ...(counts && judgement.verdict === 'unknown' ? { error: judgement.reason ?? judgement.summary } : {}),
      output: `${wordFor(judgement)}${counts ? '' : ` (${uncounted(document)})`}: ${judgement.summary}${explanation === undefined ? '' : `\n${explanation}`}${repeat}`,
    }
  })]
}

function caseLines({ name, failure, error, output }: Case, suite: string, time: string): string[] {
  const begin = `    <testcase classname="splitbrain.${xml(suite)}" name="${xml(name)}" time="${time}"`
  const [element, type, message] = failure === undefined ? ['error', 'unknown', error] : ['failure', 'violated', failure]
  if (message === undefined) return [`${begin}/>`]
  return [`${begin}>`, `      <${element} type="${type}" message="${xml(message)}">${xml(output)}</${element}>`, '    </testcase>']
}

/** Text that XML 1.0 can carry: what it forbids is written out, line breaks stay. */
function xml(text: string): string {
  const lines = text.split('\n').map((line) => visible(line).replace(/[\ufffe\uffff]/g, '').replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'))
  return lines.join('&#10;').replace(/&(?!#10;)/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
