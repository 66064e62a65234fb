/**
 * GitHub Actions: annotations for what broke, and a job summary in Markdown with the table that the report opens with.
 *
 * Everything that came out of a history is escaped twice over: for workflow commands, whose line it must not end,
 * and for Markdown, which must not take it for markup.
 */
import { availabilitySentence, convergeText, factsOf, strongestText, tradeOffSentence } from './facts.ts'
import { formatCount, formatMs, formatShare, shortened, visible } from './format.ts'
import { capMapOf, capSvg } from './cap-svg.ts'
import { countsFor, measureOf } from './promise.ts'
import type { Facts } from './facts.ts'
import type { NamedDocument } from './junit.ts'
import type { VerdictWord } from '../checker/verdict.ts'

const marks: Readonly<Record<VerdictWord, string>> = { holds: '✅', violated: '🔴', unknown: '⚠️' }

/** Workflow commands: an error for each violated run with its first witness, a warning for each unknown, an error where the harness failed. */
export function renderAnnotations(runs: readonly NamedDocument[], crashes: readonly { readonly name: string; readonly message: string }[] = []): string {
  const failed = crashes.map(({ name, message }) => `::error title=${property(`${name}: the harness failed`)}::${data(message)}\n`)
  return [...failed, ...runs.flatMap(({ name, document }) => {
    if (document.verdict === 'holds') return []
    const broken = document.judgements.find((judgement) => judgement.verdict === 'violated' && countsFor(document, judgement))
    const witness = broken?.witnesses[0]?.explanation
    const message = [document.sentence, ...(witness === undefined ? [] : [witness]), ...(document.run === null ? [] : [`Repeat: ${document.run.repeat}`])].join('\n')
    return [`::${document.verdict === 'violated' ? 'error' : 'warning'} title=${property(`${name}: ${document.verdict}`)}::${data(message)}\n`]
  })].join('')
}

/** Text as the message of a workflow command, at most 4000 characters of it. */
export function data(text: string): string {
  const whole = text.split('\n').map((line) => visible(line)).join('\n')
  return shortened(whole, 4000).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
}

/** Text as a property of a workflow command. */
export function property(text: string): string {
  return data(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}

/** The job summary. */
export function renderSummary(runs: readonly NamedDocument[], options: { readonly title: string; readonly repeat: string }): string {
  const facts = runs.map(({ name, document }) => factsOf(name, document))
  const rows = facts.map((one) => [
    `${marks[one.verdict]} ${markdown(one.name)}`, markdown(measureOf(one)), strongestText(one), formatShare(one.majority?.share), formatShare(one.minority?.share),
    formatMs(one.latency?.p50_ms), formatMs(one.latency?.p99_ms), formatMs(one.latency?.p999_ms), convergeText(one), formatCount(one.lost),
  ])
  const table = [
    '| configuration | judged against | strongest model that holds | majority answered | minority answered | p50 | p99 | p99.9 | converged after | lost writes |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ]
  const stories = runs.map(({ name, document }, index) => {
    const witness = document.judgements.flatMap((judgement) => judgement.witnesses.slice(0, 1).map((found) => `- **${markdown(judgement.judgement)}**: ${markdown(shortened(found.explanation, 600))}`))
    return [`### ${marks[document.verdict]} ${markdown(name)}`, '', markdown(document.sentence), '', markdown([availabilitySentence(facts[index]!), tradeOffSentence(facts[index]!)].filter((sentence) => sentence !== '').join(' ')), ...(witness.length === 0 ? [] : ['', ...witness]), ...(document.run === null ? [] : ['', fenced(document.run.repeat)])].join('\n')
  })
  return `${[`## ${markdown(options.title)}`, table.join('\n'), ...pictureOf(facts), ...stories, ...(options.repeat === '' ? [] : [`To repeat all of it:\n\n${fenced(options.repeat)}`])].join('\n\n')}\n`
}

/** The CAP map as an image that needs no other file. Where a host forbids such images, its words are shown instead. */
function pictureOf(facts: readonly Facts[]): string[] {
  const map = capMapOf(facts)
  if (map.entries.every((entry) => entry.majority === null && entry.minority === null)) return []
  const words = map.entries.map((entry) => `${entry.name}: ${entry.level}, majority answered ${formatShare(entry.majority)}, minority ${formatShare(entry.minority)}`).join('; ')
  return [`<img alt="${visible(`CAP map. ${words}`).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;').replace(/@/g, '&#64;')}" src="data:image/svg+xml;base64,${Buffer.from(capSvg(map)).toString('base64')}">`]
}

/** Text that Markdown shows as it is, in a table's cell too; nobody is mentioned by it. */
export function markdown(text: string): string {
  return visible(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/@/g, '&#64;').replace(/^#|[\\`*_{}[\]|~]/g, (character) => `\\${character}`)
}

/** A command as a block of code that no text in it can end. */
export function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((run) => run[0].length + 1)))
  return `${fence}sh\n${text.split('\n').map(visible).join('\n')}\n${fence}`
}
