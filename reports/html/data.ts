/**
 * Everything that the report shows, computed: histories and verdict documents in, plain data out. Nothing here
 * knows about markup or pixels on a screen, and nothing in `page.ts` or in the page's own code computes a verdict.
 */
import { capMapOf } from '../cap-svg.ts'
import { availabilitySentence, factsOf, partitions, periodOf, tradeOffSentence } from '../facts.ts'
import { claimOf, countsFor } from '../promise.ts'
import { formatInstant, formatMs, formatNoun, formatNumber, formatValue, shortened, visible } from '../format.ts'
import { readLogs } from './logs.ts'
import { layoutCycle } from './cycle.ts'
import { phasesOf } from './phases.ts'
import { seriesOf } from './series.ts'
import { packTimeline } from './timeline.ts'
import { layoutWitness, witnessOperations } from './witness.ts'
import { requests } from '../../checker/terms.ts'
import type { CapMap } from '../cap-svg.ts'
import type { Facts } from '../facts.ts'
import type { CycleLayout } from './cycle.ts'
import type { Logs, NodeLog } from './logs.ts'
import type { FaultPhases } from './phases.ts'
import type { SeedRuns } from './seeds.ts'
import type { RunSeries } from './series.ts'
import type { TimelineHeader } from './columns.ts'
import type { WitnessLayout } from './witness.ts'
import type { History } from '../../checker/history/index.ts'
import type { FaultWindow, JudgementVerdict, Rung, VerdictDocument, Witness } from '../../checker/verdict.ts'

/** One configuration: its verdict and the history that the verdict is about. */
export interface ReportRun {
  readonly name: string
  readonly document: VerdictDocument
  readonly history: History
  /** What the nodes wrote, when the history began by the wall clock, and on what machine: as far as that is known. */
  readonly surroundings?: Surroundings
}

/** What stands beside a run's history. */
export interface Surroundings {
  readonly logs: readonly NodeLog[]
  /** ISO 8601: the instant at which the history's clock read zero; null: unknown. */
  readonly clockZero: string | null
  /** Of the controller: name and what it is, for a person. */
  readonly machine: readonly (readonly [name: string, text: string])[]
  /** Raw files, as links relative to the report. */
  readonly files: readonly string[]
}

/** What a report is made of. */
export interface ReportInput {
  readonly title: string
  readonly runs: readonly ReportRun[]
  /** The command that makes all of this again. */
  readonly repeat: string
  /** ISO 8601. */
  readonly generated: string
  /** Operations that may stand in the page, over all runs; beyond, windows around what matters. */
  readonly operationsMax?: number
  /** All runs of each configuration, where there were several; `runs` then holds one of each. */
  readonly seeds?: readonly SeedRuns[]
}

/** A fault's window for shading, in seconds. */
export interface Band {
  readonly label: string
  readonly from_s: number
  readonly to_s: number
  /** When the heal was observed; null: never. */
  readonly healed_s: number | null
}

/** What the page's own code draws for one configuration. */
export interface RunCharts {
  readonly id: string
  readonly name: string
  readonly bands: readonly Band[]
  /** When the first witness of each judgement was complete, in seconds. */
  readonly anomalies_s: readonly number[]
  readonly series: RunSeries
  readonly timeline: TimelineHeader
  /** null: there are none. */
  readonly logs: Logs | null
}

/** What the page's own code draws. */
export interface Charts {
  readonly cap: CapMap
  readonly runs: readonly RunCharts[]
}

/** One witness, ready to draw and to copy. */
export interface WitnessCard {
  readonly judgement: string
  /** What it refutes: "Not linearizable". */
  readonly claim: string
  readonly number: number
  readonly key: string | null
  readonly explanation: string
  /** When its last operation completed, and where that lies among the faults; null where it has no operations. */
  readonly when: string | null
  /** How many operations it consists of. */
  readonly size: number
  /** null: too many to draw. */
  readonly layout: WitnessLayout | null
  /** Of transactions that depend on one another in a circle. */
  readonly cycle: CycleLayout | null
  /** Lines of history.jsonl. */
  readonly jsonl: readonly string[]
  /** Index into the timeline's moments; -1 when it is not among them. */
  readonly moment: number
}

/** One row of the coverage table. */
export interface FaultRow {
  readonly fault: FaultWindow
  readonly on: string
  readonly attempted: number | null
}

/** A rung, what its own judgement says about it, and where its witness stands in the page. */
export interface RungRow extends Rung {
  readonly summary: string | null
  readonly witness: string | null
}

/** One configuration in the report. */
export interface Configuration {
  readonly id: string
  readonly name: string
  readonly document: VerdictDocument
  readonly facts: Facts
  /** What follows the verdict's own sentence. */
  readonly sentences: readonly string[]
  readonly tradeOff: string
  readonly warnings: readonly string[]
  readonly ladder: readonly RungRow[]
  readonly witnesses: readonly WitnessCard[]
  readonly moreWitnesses: number
  readonly judgements: readonly (JudgementVerdict & { readonly numbers: string })[]
  readonly faults: readonly FaultRow[]
  readonly phases: readonly FaultPhases[]
  readonly charts: RunCharts
  readonly machine: Surroundings['machine']
  readonly files: readonly string[]
  /** Base64 of gzip of the timeline's columns. */
  readonly columns: string
}

/** The whole page. */
export interface PageContent {
  readonly title: string
  readonly generated: string
  readonly repeat: string
  readonly configurations: readonly Configuration[]
  readonly cap: CapMap
  readonly seeds: readonly SeedRuns[]
}

const witnessCardsMax = 8
/** Beyond this a diagram explains nothing. */
const drawnMax = 40
const jsonlMax = 400
const jsonlLineMax = 4000

/** Computes the page. */
export function pageContent(input: ReportInput): PageContent {
  const budget = Math.max(1000, Math.floor((input.operationsMax ?? 1_000_000) / Math.max(1, input.runs.length)))
  const ids = identifiers(input.runs.map((run) => run.name))
  const configurations = input.runs.map((run, index) => configurationOf(run, ids[index]!, budget))
  return { title: input.title, generated: input.generated, repeat: input.repeat, seeds: input.seeds ?? [], configurations, cap: capMapOf(configurations.map(({ facts }) => facts)) }
}

/** Names as fragments of addresses: short, unique, harmless. */
export function identifiers(names: readonly string[]): string[] {
  const used = new Set<string>()
  return names.map((name, index) => {
    const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || `run-${index + 1}`
    const id = used.has(plain) ? `${plain}-${index + 1}` : plain
    used.add(id)
    return id
  })
}

function configurationOf({ name, document, history, surroundings }: ReportRun, id: string, budget: number): Configuration {
  const facts = factsOf(name, document)
  const { header, columns } = packTimeline(history, document, budget)
  const { cards, more } = witnessCards(history, document, header)
  const first = firstBreak(history, document)
  const logs = surroundings === undefined || surroundings.logs.length === 0 ? null : readLogs(surroundings.logs, surroundings.clockZero)
  return {
    id,
    name,
    document,
    facts,
    sentences: [first, availabilitySentence(facts)].filter((sentence) => sentence !== ''),
    tradeOff: tradeOffSentence(facts),
    warnings: warningsOf(document),
    ladder: document.ladder.map((rung) => rungRow(rung, id, document, cards)),
    witnesses: cards,
    moreWitnesses: more,
    judgements: document.judgements.map((judgement) => ({ ...judgement, numbers: numbersOf(judgement.metrics) })),
    faults: document.faults.map((fault) => faultRow(fault, document)),
    phases: phasesOf(document),
    charts: { id, name: visible(name), bands: document.faults.map(bandOf), anomalies_s: firstAnomalies(header), series: seriesOf(history, document.faults), timeline: header, logs },
    machine: surroundings?.machine ?? [],
    files: surroundings?.files ?? [],
    columns,
  }
}

/** The first witness of each judgement that has one. */
function firstAnomalies({ moments }: TimelineHeader): number[] {
  const first = new Map<string, number>()
  for (const { kind, judgement, to_s } of moments) if (kind === 'anomaly') first.set(judgement, Math.min(to_s, first.get(judgement) ?? to_s))
  return [...first.values()]
}

function rungRow(rung: Rung, id: string, document: VerdictDocument, cards: readonly WitnessCard[]): RungRow {
  const card = rung.verdict === 'violated' ? cards.find((one) => one.judgement === rung.by) : undefined
  return { ...rung, summary: document.judgements.find((judgement) => judgement.judgement === rung.by)?.summary ?? null, witness: card === undefined ? null : `${id}-witness-${card.number}` }
}

function bandOf(fault: FaultWindow): Band {
  return { label: visible(shortened(fault.fault, 60)), from_s: fault.from_ns / 1e9, to_s: fault.to_ns / 1e9, healed_s: fault.healed_ns === null ? null : fault.healed_ns / 1e9 }
}

function witnessCards(history: History, document: VerdictDocument, timeline: TimelineHeader): { cards: WitnessCard[]; more: number } {
  const found = foundWitnesses(history, document)
  const cards = found.slice(0, witnessCardsMax).map(({ judgement, witness, index: own, end_ns }, index): WitnessCard => {
    const rows = witness.operations.slice(0, jsonlMax)
    return {
      judgement: judgement.judgement,
      claim: claimOf(judgement, witness),
      number: index + 1,
      key: witness.key === undefined ? null : formatValue(witness.key, 80),
      explanation: shortened(witness.edges === undefined ? witness.explanation : `${formatNoun(witness.edges.length, 'transaction')} that would each have to come before the next.`, 2000),
      when: end_ns === Number.POSITIVE_INFINITY ? null : `Complete at ${formatInstant(end_ns)}, ${whereAmong(end_ns, document.faults)}.`,
      size: witness.operations.length,
      layout: witness.operations.length > drawnMax ? null : layoutWitness(witnessOperations(history, rows)),
      cycle: witness.edges === undefined ? null : layoutCycle(history, witness.edges),
      jsonl: jsonlOf(history, rows),
      moment: timeline.moments.findIndex((moment) => moment.judgement === judgement.judgement && moment.witness === own),
    }
  })
  return { cards, more: found.length - cards.length }
}

/** A witness with its place in the document; `end_ns` is infinite where it has no operations. */
interface FoundWitness {
  readonly judgement: JudgementVerdict
  readonly witness: Witness
  readonly index: number
  readonly end_ns: number
}

/** All witnesses: the first of each judgement before further ones, what can be drawn before what cannot, the promise itself before what it implies and that before what was not promised, then the earliest. */
function foundWitnesses(history: History, document: VerdictDocument): FoundWitness[] {
  const all = document.judgements.flatMap((judgement) => judgement.witnesses.map((witness, index) => ({ judgement, witness, index, end_ns: endOf(history, witness) })))
  const rank = ({ judgement, witness, index }: FoundWitness): number => (index === 0 ? 0 : 8) + (witness.operations.length > drawnMax ? 4 : 0) + (judgement.model === document.promised || judgement.binding === true ? 0 : countsFor(document, judgement) ? 1 : 2)
  return all.toSorted((a, b) => rank(a) - rank(b) || (a.end_ns < b.end_ns ? -1 : a.end_ns > b.end_ns ? 1 : 0))
}

/** When the last operation of a witness completed. */
function endOf(history: History, { operations }: Witness): number {
  const ends = operations.filter((row) => row >= 0 && row < history.length).map((row) => history.timeAt(history.pair[row]! >= 0 ? history.pair[row]! : row))
  return ends.length === 0 ? Number.POSITIVE_INFINITY : ends.reduce((a, b) => Math.max(a, b))
}

/** The lines of history.jsonl that a witness consists of, in their order there. */
function jsonlOf(history: History, rows: readonly number[]): string[] {
  const lines = new Set<number>()
  for (const row of rows) {
    if (row < 0 || row >= history.length) continue
    lines.add(row)
    if (history.pair[row]! >= 0) lines.add(history.pair[row]!)
  }
  return [...lines].sort((a, b) => a - b).map((row) => {
    const text = JSON.stringify(history.event(row))
    return text.length <= jsonlLineMax ? text : `${text.slice(0, jsonlLineMax)}… (${text.length - jsonlLineMax} more characters: line ${row + 1} of history.jsonl)`
  })
}

/**
 * When something first became impossible, what that was, and where it lies among the faults. Models are told whether
 * promised or not; of the other judgements only those that count and claim something about the store's answers: a
 * missed objective proves nothing impossible.
 */
export function firstBreak(history: History, document: VerdictDocument): string {
  const telling = document.judgements.filter((one) => one.verdict === 'violated' && !(one.judgement in requests) && (one.model !== undefined || one.judgement === 'transactions' || countsFor(document, one)))
  const proofs = telling.flatMap((judgement) => judgement.witnesses.map((witness) => ({ claim: claimOf(judgement, witness), end_ns: endOf(history, witness) })))
  const first = proofs.reduce((least, one) => (one.end_ns < least.end_ns ? one : least), { claim: '', end_ns: Number.POSITIVE_INFINITY })
  if (first.end_ns === Number.POSITIVE_INFINITY) return ''
  return `The first proof (${first.claim.replace(/^Not /, 'not ')}) is complete at ${formatInstant(first.end_ns)}, ${whereAmong(first.end_ns, document.faults)}.`
}

function whereAmong(time_ns: number, faults: readonly FaultWindow[]): string {
  const inside = faults.filter((fault) => fault.from_ns <= time_ns && time_ns <= fault.to_ns).at(-1)
  if (inside !== undefined) return `${formatMs((time_ns - inside.from_ns) / 1e6)} into ${inside.fault}`
  const past = faults.filter((fault) => fault.to_ns < time_ns).sort((a, b) => a.to_ns - b.to_ns).at(-1)
  if (past !== undefined) return `${formatMs((time_ns - past.to_ns) / 1e6)} after ${past.fault} began to heal`
  return faults.length === 0 ? 'in a run without faults' : 'before any fault'
}

/** What makes this run say less than it seems to. */
export function warningsOf(document: VerdictDocument): string[] {
  const warnings: string[] = []
  if (document.reason !== undefined) warnings.push(`Unknown because: ${document.reason}.`)
  for (const fault of document.faults) {
    if (!fault.bit) warnings.push(`${fault.fault} was not seen to bite: ${fault.evidence}.`)
    else if (fault.healed_ns === null) warnings.push(`${fault.fault} was not seen to heal.`)
  }
  for (const fault of partitions(document.faults)) {
    for (const side of Object.keys(fault.sides)) {
      const row = document.availability.find((one) => one.period === periodOf(fault) && one.group === side)
      if (row !== undefined && row.attempted === 0) warnings.push(`Nobody tried anything on the ${side} side of ${fault.fault}.`)
    }
  }
  if (document.operations.invoked > 0 && document.operations.ok === 0) warnings.push('No operation succeeded.')
  return warnings
}

function faultRow(fault: FaultWindow, document: VerdictDocument): FaultRow {
  const sides = Object.entries(fault.sides)
  const on = sides.length > 0 ? sides.map(([side, nodes]) => `${side}: ${nodes.join(' ')}`).join('; ') : fault.targets.join(' ')
  const row = document.availability.find((one) => one.period === periodOf(fault) && one.group === 'all')
  return { fault, on, attempted: row?.attempted ?? null }
}

/** A judgement's numbers in one line: "states visited 1,204 · keys 8"; nested ones are left to verdict.json. */
function numbersOf(metrics: JudgementVerdict['metrics']): string {
  return Object.entries(metrics).flatMap(([name, value]) => {
    const label = name.replace(/_(ms|s|ns|mb)$/, '').replace(/_/g, ' ')
    if (typeof value === 'number') return [`${label} ${name.endsWith('_ms') ? formatMs(value) : name.endsWith('_ns') ? formatInstant(value) : formatNumber(value)}`]
    if (typeof value === 'boolean' || (typeof value === 'string' && value.length <= 60)) return [`${label} ${value}`]
    return []
  }).slice(0, 12).join(' · ')
}

/** How much of the history stands in the page, in words. */
export function coverageNote(timeline: TimelineHeader): string {
  if (timeline.half_s === null) return `All ${formatNoun(timeline.total, 'operation')} of the run.`
  return `${formatNoun(timeline.length, 'operation')} of ${formatNoun(timeline.total, 'operation')}: everything within ${formatMs(timeline.half_s * 1000)} of each witness (without one, of the start of each fault). The strip above shows the whole run as density; the rest stands in history.jsonl.`
}
