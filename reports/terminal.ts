/**
 * The terminal: one live line per configuration while it runs, what happened as plain lines, a table at the end.
 *
 * On a terminal the live lines are rewritten in place, at most ten times a second; anywhere else (a pipe, CI) the
 * same events become plain lines, progress at most every ten seconds. Nothing is wider than the terminal,
 * and nothing is said by colour alone. Time, width and the sink are handed in.
 */
import { availabilitySentence, convergeText, factsOf, strongestText } from './facts.ts'
import type { Facts } from './facts.ts'
import { createRedraw } from './redraw.ts'
import { formatCount, formatMs, formatShare, shortened, visible, visibleLines } from './format.ts'
import type { Reporter, RunEvent } from './events.ts'
import type { VerdictDocument, VerdictWord } from '../checker/verdict.ts'

/** Where the text goes and what is known about that place. */
export interface TerminalOptions {
  write(text: string): void
  /** Whether lines can be rewritten (a TTY that is not CI). */
  readonly live: boolean
  readonly colour: boolean
  /** Width now; 80 where unknown. */
  columns(): number
  /** Milliseconds since some fixed point. */
  nowMs(): number
  /** Calls back again and again, so that live lines go on counting while nothing happens; returns how to stop that. */
  every?(ms: number, callback: () => void): () => void
}

/** What the environment says about colour and rewriting (https://no-color.org, and CI's habit of faking a TTY). */
export function terminalAbilities(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): { live: boolean; colour: boolean } {
  const dumb = env['TERM'] === 'dumb'
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0'
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  return {
    live: stream.isTTY === true && !dumb && !env['CI'],
    colour: !refused && (forced || (stream.isTTY === true && !dumb)),
  }
}

/** Verdict words with a shape of their own, so that colour is never needed. */
export const marks: Readonly<Record<VerdictWord, string>> = { holds: '●', violated: '◆', unknown: '○' }

const codes = { holds: '32', violated: '31', unknown: '33', dim: '2', bold: '1', fault: '33' } as const

/** Puts text into a colour, or leaves it as it is. */
export type Paint = (code: keyof typeof codes, text: string) => string

/** Colours where they are wanted. */
export function painter(colour: boolean): Paint {
  return colour ? (code, text) => `\u001b[${codes[code]}m${text}\u001b[0m` : (_code, text) => text
}

interface Line {
  readonly describes: string
  phase: string
  operations: number
  rate: number
  /** As of `toldAt`. */
  leftMs: number | null
  toldAt: number
  phaseAt: number
  fault: string | null
  document: VerdictDocument | undefined
  crash: string | undefined
  saidAt: number
}

const liveEveryMs = 100
const plainEveryMs = 10_000
/** A shorter phase is not worth a number. */
const countedMs = 1000

/** A reporter that writes to a terminal or a pipe. */
export function createTerminal(options: TerminalOptions): Reporter {
  const lines = new Map<string, Line>()
  const paint = painter(options.colour)
  const live = createRedraw({ ...options, everyMs: liveEveryMs }, () => {
    const width = nameWidth(lines.keys())
    return Array.from(lines, ([run, line]) => liveLine(run, line, width, options, paint))
  })

  const lineOf = (run: string): Line => {
    let line = lines.get(run)
    if (line === undefined) {
      line = { describes: '', phase: 'waiting', operations: 0, rate: 0, leftMs: null, toldAt: options.nowMs(), phaseAt: options.nowMs(), fault: null, document: undefined, crash: undefined, saidAt: Number.NEGATIVE_INFINITY }
      lines.set(run, line)
    }
    return line
  }

  return {
    on(event) {
      if (event.type === 'end') {
        live.stop()
        options.write(ending(event, lines, options))
        lines.clear()
        return
      }
      if (event.type === 'announce') {
        lines.set(event.run, { ...lineOf(event.run), describes: event.describes })
        if (!options.live) live.say(plain(event.run, event.describes))
        return live.refresh()
      }
      const line = lineOf(event.run)
      const words = apply(line, event, options.nowMs())
      if (event.type === 'progress' || event.type === 'step') {
        if (options.live) return live.refresh()
        if (options.nowMs() - (event.type === 'step' ? Math.max(line.saidAt, line.phaseAt) : line.saidAt) < plainEveryMs) return
        line.saidAt = options.nowMs()
        return live.say(plain(event.run, words))
      }
      if (event.type === 'phase' && options.live) return live.draw()
      live.say(plain(event.run, event.type === 'verdict' ? `${verdictMark(event.document.verdict, paint)} ${words}` : words))
    },
  }
}

/** Takes an event into a configuration's line and returns what to say about it. */
function apply(line: Line, event: Exclude<RunEvent, { type: 'announce' | 'end' }>, nowMs: number): string {
  if ('left_ms' in event) line.toldAt = nowMs
  switch (event.type) {
    case 'step':
      line.leftMs = event.left_ms
      line.fault = `${event.done + 1} of ${event.total}: ${event.what}`
      return `${line.phase}: ${event.what}, ${event.done + 1} of ${event.total}${event.left_ms === null ? '' : `, about ${leftText(event.left_ms)}`}`
    case 'phase':
      line.phaseAt = nowMs
      line.phase = event.phase
      line.leftMs = event.left_ms
      if (event.phase !== 'drive') line.fault = null
      return event.phase
    case 'progress':
      line.operations = event.operations
      line.rate = event.rate
      line.leftMs = event.left_ms
      line.fault = event.fault
      return progressWords(line)
    case 'fault': {
      const done = event.action === 'inject' ? 'injected' : 'healed'
      const seen = event.seen ? done : event.action === 'inject' ? 'DID NOT BITE' : 'NOT SEEN TO HEAL'
      line.fault = event.action === 'inject' && event.seen ? event.fault : null
      return `${event.fault} ${seen} at ${(event.time_ns / 1e9).toFixed(1)} s: ${visible(event.evidence)}`
    }
    case 'warning':
      return `warning: ${visible(event.message)}`
    case 'crash':
      line.crash = event.message
      return `the harness failed: ${visibleLines(event.message)}`
    case 'verdict':
      line.document = event.document
      line.phase = 'done'
      return visible(event.document.sentence)
  }
}

function plain(run: string, text: string): string {
  return `[${visible(run)}] ${text}`
}

function progressWords(line: Line): string {
  const fault = line.fault === null ? '' : `, ${line.fault}`
  const left = line.leftMs === null ? '' : `, ${leftText(line.leftMs)}`
  return `${line.phase}: ${formatCount(line.operations)} operations, ${formatCount(line.rate)}/s${fault}${left}`
}

function leftText(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s left`
}

/** What is left of a phase; where nobody can know, how long it has been going on. */
function clockText({ leftMs, toldAt, phaseAt }: Line, nowMs: number): string {
  if (leftMs !== null) return leftText(leftMs - (nowMs - toldAt))
  return nowMs - phaseAt < countedMs ? '' : `for ${Math.floor((nowMs - phaseAt) / 1000)} s`
}

function verdictMark(verdict: VerdictWord, paint: Paint): string {
  return paint(verdict, `${marks[verdict]} ${verdict}`)
}

function nameWidth(names: Iterable<string>): number {
  return Math.min(18, Math.max(0, ...Array.from(names, (name) => visible(name).length)))
}

/** "abd      drive   12,345 ops  2,010/s  partition(majority-minority)  9 s left", never wider than the terminal. */
function liveLine(run: string, line: Line, width: number, options: TerminalOptions, paint: Paint): string {
  const columns = options.columns()
  const name = shortened(visible(run), width).padEnd(width)
  const mark = line.document === undefined ? (line.crash === undefined ? '·' : '!') : marks[line.document.verdict]
  const left = line.document === undefined && line.crash === undefined && line.phase !== 'waiting' ? clockText(line, options.nowMs()) : ''
  const numbers = `${line.phase.padEnd(11)} ${formatCount(line.operations).padStart(7)} ops ${formatCount(line.rate).padStart(6)}/s`
  const done = line.document === undefined ? (line.crash === undefined ? line.fault ?? '' : 'the harness failed') : line.document.verdict
  const room = columns - 1 - (2 + width + 2 + numbers.length + 2) - (left === '' ? 0 : left.length + 2)
  const state = room >= 4 ? shortened(done, room) : ''
  const body = `  ${numbers}  ${paint(line.document === undefined ? 'fault' : line.document.verdict, state)}`
  const text = `${line.document === undefined ? mark : paint(line.document.verdict, mark)} ${paint('bold', name)}${body}${left === '' ? '' : `  ${paint('dim', left)}`}`
  const bare = `${mark} ${name}  ${numbers}`
  return bare.length >= columns ? bare.slice(0, Math.max(1, columns - 1)) : text
}

function ending(event: Extract<RunEvent, { type: 'end' }>, lines: ReadonlyMap<string, Line>, options: TerminalOptions): string {
  const judged = [...lines].flatMap(([run, line]) => (line.document === undefined ? [] : [factsOf(run, line.document)]))
  const crashed = [...lines].flatMap(([run, line]) => (line.crash === undefined ? [] : [`${visible(run)}: the harness failed: ${visibleLines(line.crash)}`]))
  const sections = [
    judged.length === 0 ? '' : renderTable(judged, { columns: options.columns(), colour: options.colour }),
    crashed.join('\n'),
    [...(event.report === null ? [] : [`report  ${event.report}`]), `repeat  ${event.repeat}`, `took    ${formatMs(event.elapsed_ms)}`].join('\n'),
  ]
  return `\n${sections.filter((section) => section !== '').join('\n\n')}\n`
}

interface Column {
  readonly head: readonly [string, string]
  readonly right: boolean
  cell(facts: Facts): string
}

const columnsOfTable: readonly Column[] = [
  { head: ['', 'configuration'], right: false, cell: (facts) => shortened(visible(facts.name), 18) },
  { head: ['strongest', 'model'], right: false, cell: strongestText },
  { head: ['maj.', 'answers'], right: true, cell: (facts) => formatShare(facts.majority?.share) },
  { head: ['min.', 'answers'], right: true, cell: (facts) => formatShare(facts.minority?.share) },
  { head: ['', 'p50'], right: true, cell: (facts) => formatMs(facts.latency?.p50_ms) },
  { head: ['', 'p99'], right: true, cell: (facts) => formatMs(facts.latency?.p99_ms) },
  { head: ['', 'p99.9'], right: true, cell: (facts) => formatMs(facts.latency?.p999_ms) },
  { head: ['agree', 'after'], right: true, cell: convergeText },
  { head: ['', 'lost'], right: true, cell: (facts) => formatCount(facts.lost) },
]

/** The comparison as text: a table where it fits, a block of lines per configuration where it does not. */
export function renderTable(rows: readonly Facts[], options: { readonly columns: number; readonly colour: boolean }): string {
  const paint = painter(options.colour)
  const heads = columnsOfTable.map((column, index) => (index === 0 ? (['', ''] as const) : column.head))
  const cells = rows.map((facts) => columnsOfTable.map((column) => column.cell(facts)))
  const widths = heads.map((head, index) => Math.max(head[0].length, head[1].length, ...cells.map((row) => row[index]!.length)))
  const total = 2 + widths.reduce((sum, width) => sum + width, 0) + (widths.length - 1)
  if (total >= options.columns) return rows.map((facts) => block(facts, options.columns, paint)).join('\n')
  const line = (texts: readonly string[]) => texts.map((text, index) => (columnsOfTable[index]!.right ? text.padStart(widths[index]!) : text.padEnd(widths[index]!))).join(' ')
  return [
    paint('dim', `  ${line(heads.map((head) => head[0]))}`.trimEnd()),
    paint('dim', `  ${line(heads.map((head) => head[1]))}`.trimEnd()),
    ...rows.map((facts, index) => `${paint(facts.verdict, marks[facts.verdict])} ${line(cells[index]!)}`),
    '',
    paint('dim', `${marks.holds} holds  ${marks.violated} violated  ${marks.unknown} unknown; maj., min.: sides of a partition`),
  ].join('\n')
}

function block(facts: Facts, columns: number, paint: Paint): string {
  const rows = columnsOfTable.slice(1).map((column) => `    ${`${column.head[0]} ${column.head[1]}`.trim().padEnd(15)} ${column.cell(facts)}`)
  return [`${paint(facts.verdict, marks[facts.verdict])} ${paint('bold', shortened(visible(facts.name), columns - 3))}: ${facts.verdict}`, ...rows].join('\n')
}

/** One configuration's verdict in a few sentences, for `splitbrain check` and `splitbrain run`. */
export function renderVerdict(name: string, document: VerdictDocument, options: { readonly colour: boolean }): string {
  const paint = painter(options.colour)
  const facts = factsOf(name, document)
  const witness = document.judgements.flatMap((judgement) => judgement.witnesses.map((found) => `${judgement.judgement}: ${found.explanation}`))[0]
  const lines = [visible(document.sentence), ...(witness === undefined ? [] : [visible(witness)]), availabilitySentence(facts)]
  return `${verdictMark(document.verdict, paint)}  ${lines.filter((line) => line !== '').join('\n  ')}`
}
