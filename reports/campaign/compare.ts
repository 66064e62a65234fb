/**
 * Two campaigns, before and after, on the cells that both have: which cells changed, and which findings are new.
 *
 * A promise is one that must never break, so the two directions are judged differently. One violation is a fact, and
 * whoever asks wants to hear of it: the cell is *newly broken* when it had none before and before could have shown it,
 * by as many runs as now, or by so many that a failure as frequent as now would have shown itself with a probability
 * of 95 %. (0 of 10 before and 1 of 10 now: newly broken. 0 of 5 and 10 of 20, too: at one half, five runs show one in
 * 97 of 100 campaigns. 0 of 5 and 1 of 20: *rare*, the five would most likely not have shown it.) Where nothing was
 * known before, nothing excuses a violation, and it is newly broken, too. That nothing was violated any more proves much
 * less: a cell is *mended* only when the 95 % intervals of both failure rates lie apart, and otherwise *rare*. (10 of 10
 * before and 0 of 10 now: mended. 1 of 10 and 0 of 10: rare.) A cell that breaks on both sides does so *more often* or
 * *less often* when the intervals lie apart.
 *
 * Fingerprints of findings depend on chance more than the verdicts of cells do. A finding on one side only is *new* or
 * *resolved* when the intervals of its share lie apart, or when a cell that it was seen in is newly broken or mended.
 */
import { formatNoun, visible } from '../format.ts'
import { wilson } from '../wilson.ts'
import { cellName, verdictOf, type CampaignSummary, type CellSummary, type FindingSummary } from './summary.ts'

/** What became of a cell, the worst first. `newly unknown`: some or all of its runs came to nothing, and before all had a verdict; `newly known`: the reverse. */
export const cellChanges = ['newly broken', 'more often', 'rare', 'newly unknown', 'newly known', 'less often', 'mended'] as const

/** Runs of a cell on one side. */
export interface CellSide {
  readonly violated: number
  /** With a verdict. */
  readonly decided: number
  readonly unknown: number
}

/** A cell whose state differs. */
export interface CellChange {
  readonly configuration: string
  readonly nemesis: string
  readonly change: (typeof cellChanges)[number]
  readonly before: CellSide
  readonly after: CellSide
  /** The command that repeats the smallest failing run, of the campaign after where that has one; null when neither has. */
  readonly repeat: string | null
}

/** What became of one finding. `rare`: seen on one side only, in no more runs than chance explains. */
export interface FindingChange {
  readonly fingerprint: string
  readonly change: 'new' | 'resolved' | 'still there' | 'rare'
  /** Runs in which it was seen, of the runs with a verdict of the cells in which either side saw it. */
  readonly before: { readonly runs: number; readonly of: number }
  readonly after: { readonly runs: number; readonly of: number }
  readonly explanation: string
  readonly repeat: string
}

/** The whole comparison. */
export interface CampaignComparison {
  /** Rows and columns of the matrix after. */
  readonly configurations: readonly string[]
  readonly nemeses: readonly string[]
  /** Cells of both whose state differs, the worst first. */
  readonly cells: readonly CellChange[]
  /** The other cells of both. */
  readonly unchanged: readonly string[]
  readonly findings: readonly FindingChange[]
  /** Cells that only one of them has. */
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

/** Compares two campaigns on the cells that both have. */
export function compareCampaigns(before: CampaignSummary, after: CampaignSummary): CampaignComparison {
  const [had, have] = [cellsByName(before), cellsByName(after)]
  const common = [...have].filter(([name]) => had.has(name)).map(([name, cell]) => ({ name, was: had.get(name)!, is: cell }))
  const changes = new Map(common.flatMap(({ name, was, is }) => {
    const change = changeOfCell(was, is)
    return change === undefined ? [] : [[name, { configuration: is.configuration, nemesis: is.nemesis, change, before: sideOf(was), after: sideOf(is), repeat: (is.smallest ?? was.smallest)?.repeat ?? null }] as const]
  }))
  const prints = [...new Set([...after.findings, ...before.findings].map(({ fingerprint }) => fingerprint))]
  const compared = new Map(common.map((one) => [one.name, one]))
  return {
    configurations: after.configurations,
    nemeses: after.nemeses,
    cells: [...changes.values()].toSorted((a, b) => cellChanges.indexOf(a.change) - cellChanges.indexOf(b.change)),
    unchanged: common.flatMap(({ name }) => (changes.has(name) ? [] : [name])),
    findings: prints.flatMap((print) => changeOfFinding(before.findings.find(({ fingerprint }) => fingerprint === print), after.findings.find(({ fingerprint }) => fingerprint === print), compared, changes) ?? []),
    onlyBefore: [...had.keys()].filter((cell) => !have.has(cell)),
    onlyAfter: [...have.keys()].filter((cell) => !had.has(cell)),
  }
}

/** Cells that are broken and were not known to be. */
export const newlyBroken = ({ cells }: CampaignComparison): readonly CellChange[] => cells.filter(({ change }) => change === 'newly broken')

/** Whether a promise is broken that was not, or in a way in which it was not. */
export const isWorse = (comparison: CampaignComparison): boolean => newlyBroken(comparison).length > 0 || comparison.findings.some(({ change }) => change === 'new')

const cellsByName = ({ cells }: CampaignSummary): ReadonlyMap<string, CellSummary> => new Map(cells.map((cell) => [cellName(cell), cell]))

const sideOf = ({ violated, decided, unknown }: CellSummary): CellSide => ({ violated, decided, unknown })

/** What became of a cell; undefined when nothing did, or nothing that these runs can tell from chance. */
function changeOfCell(was: CellSide, is: CellSide): CellChange['change'] | undefined {
  if (is.decided === 0) return was.decided === 0 ? undefined : 'newly unknown'
  if (was.violated === 0 && is.violated > 0) return was.decided === 0 || was.decided >= Math.min(is.decided, runsToShow(is)) ? 'newly broken' : 'rare'
  const direction = apart(was, is)
  if (was.violated > 0 && is.violated === 0) return direction === undefined ? 'rare' : 'mended'
  if (was.violated > 0) return direction
  const [verdictBefore, verdictNow] = [verdictOf(was), verdictOf(is)]
  return verdictBefore === verdictNow ? undefined : verdictNow === 'unknown' ? 'newly unknown' : 'newly known'
}

/** How many runs show a failure of this frequency at least once with a probability of 95 %. */
function runsToShow({ violated, decided }: CellSide): number {
  return violated === decided ? 1 : Math.ceil(Math.log(0.05) / Math.log(1 - violated / decided))
}

function apart(was: CellSide, is: CellSide): 'more often' | 'less often' | undefined {
  const [past, present] = [wilson(was.violated, was.decided), wilson(is.violated, is.decided)]
  return past.high < present.low ? 'more often' : present.high < past.low ? 'less often' : undefined
}

/** What became of a finding; undefined where it was not seen in a cell that both have. */
function changeOfFinding(found: FindingSummary | undefined, finds: FindingSummary | undefined, compared: ReadonlyMap<string, { readonly was: CellSummary; readonly is: CellSummary }>, changes: ReadonlyMap<string, CellChange>): FindingChange | undefined {
  const names = [...new Set([...(found?.cells ?? []), ...(finds?.cells ?? [])].map(({ cell }) => cell))].filter((name) => compared.has(name))
  const seen = (finding: FindingSummary | undefined): number => (finding?.cells ?? []).reduce((sum, { cell, runs }) => sum + (compared.has(cell) ? runs : 0), 0)
  const of = (side: 'was' | 'is'): number => names.reduce((sum, name) => sum + compared.get(name)![side].decided, 0)
  const before = { runs: seen(found), of: of('was') }
  const after = { runs: seen(finds), of: of('is') }
  if (before.runs === 0 && after.runs === 0) return undefined
  const example = finds ?? found!
  const cellsThatAre = (change: CellChange['change']): boolean => names.some((name) => changes.get(name)?.change === change)
  return { fingerprint: example.fingerprint, change: changeOfShare(before, after, cellsThatAre), before, after, explanation: example.explanation, repeat: example.smallest.repeat }
}

function changeOfShare(before: FindingChange['before'], after: FindingChange['after'], cellsThatAre: (change: CellChange['change']) => boolean): FindingChange['change'] {
  if (before.runs > 0 && after.runs > 0) return 'still there'
  const direction = apart({ violated: before.runs, decided: before.of, unknown: 0 }, { violated: after.runs, decided: after.of, unknown: 0 })
  if (before.runs === 0) return direction !== undefined || cellsThatAre('newly broken') ? 'new' : 'rare'
  return direction !== undefined || cellsThatAre('mended') ? 'resolved' : 'rare'
}

/** "1 cell is newly broken", or that none is. */
export function headlineOf(comparison: CampaignComparison): string {
  const broken = newlyBroken(comparison).length
  if (broken > 0) return `${formatNoun(broken, 'cell')} ${broken === 1 ? 'is' : 'are'} newly broken`
  const fresh = comparison.findings.filter(({ change }) => change === 'new').length
  return fresh > 0 ? `No cell is newly broken, but some in ${fresh === 1 ? 'a new way' : `${fresh} new ways`}` : 'No cell is newly broken'
}

/** Why a cell that is called rare is; empty for others. */
export function rarityOf({ change, before, after }: CellChange): string {
  if (change !== 'rare') return ''
  return after.violated > 0 ? `${formatNoun(before.decided, 'run')} before would most likely not have shown it` : `${formatNoun(after.decided, 'run')} now are too few to call it mended`
}

/** "0 of 10 violated before, 3 of 10 violated now", with what is not known. */
function countsOfChange({ before, after }: CellChange): string {
  return `${countsOfSide(before)} before, ${countsOfSide(after)} now`
}

function countsOfSide({ violated, decided, unknown }: CellSide): string {
  const known = decided === 0 ? [] : [`${violated} of ${decided} violated`]
  return [...known, ...(unknown === 0 ? [] : [`${unknown} unknown`])].join(' and ') || 'no run'
}

/** The comparison in lines for a terminal. */
export function renderCampaignComparison(comparison: CampaignComparison): string {
  const { cells, unchanged, findings, onlyBefore, onlyAfter } = comparison
  const lines = [`${headlineOf(comparison)}. ${formatNoun(cells.length, 'cell')} of ${cells.length + unchanged.length} changed.`, ...cells.flatMap(cellLines), '', ...findings.flatMap(findingLines)]
  if (findings.length === 0) lines.push('Neither of them found a violation.')
  for (const [names, side] of [[onlyBefore, 'before'], [onlyAfter, 'after']] as const) if (names.length > 0) lines.push(`only ${side}: ${names.map(visible).join('; ')}`)
  return `${lines.join('\n')}\n`
}

function cellLines(cell: CellChange): string[] {
  const rarity = rarityOf(cell)
  const repeat = ['newly broken', 'more often', 'rare'].includes(cell.change) ? cell.repeat : null
  return [`${cell.change.padEnd(15)}${visible(cellName(cell))}: ${countsOfChange(cell)}${rarity === '' ? '' : ` (${rarity})`}`, ...(repeat === null ? [] : [`${''.padEnd(15)}${visible(repeat)}`])]
}

function findingLines({ change, fingerprint, before, after, repeat }: FindingChange): string[] {
  return [`${change.padEnd(15)}${visible(fingerprint)}: in ${before.runs} of ${before.of} runs before, in ${after.runs} of ${after.of} now`, `${''.padEnd(15)}${visible(repeat)}`]
}
