import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fakeResult, fakeSummary, type FakeCell } from '../testing/campaign.ts'
import { createLiveTable } from './live.ts'
import type { CampaignEvent, CampaignProgress } from './events.ts'

const escape = '\u001b'

/** A terminal that understands what is written to it, and a clock that a test turns. */
function screen(columns = 80, rows = 24) {
  const size = { columns, rows }
  const clock = { ms: 0 }
  const ticks: (() => void)[] = []
  let lines = ['']
  let drawings = 0
  let stopped = false
  const write = (text: string): void => {
    for (const [part, up] of text.replaceAll(escape, '␛').matchAll(/␛\[(\d+)A|␛\[\?7[lh]|␛\[0J|\n|[^␛\n]+/g)) {
      if (up !== undefined) {
        lines = [...lines.slice(0, Math.max(0, lines.length - 1 - Number(up))), '']
        drawings++
      } else if (part === '\n') lines.push('')
      else if (!part.startsWith('␛')) lines[lines.length - 1] += part
    }
  }
  let raw = ''
  const table = createLiveTable({ write: (text) => ((raw += text), write(text)), colour: false, columns: () => size.columns, rows: () => size.rows, nowMs: () => clock.ms, every: (_, callback) => (ticks.push(callback), () => (stopped = true)) })
  const tell = (...events: CampaignEvent[]) => events.forEach((event) => table.on(event))
  return { tell, clock, size, tick: () => ticks.forEach((callback) => callback()), lines: () => lines.slice(0, -1), text: () => lines.join('\n'), raw: () => raw, drawings: () => drawings, stopped: () => stopped }
}

const cellsOf = (cells: readonly FakeCell[]) => fakeSummary(cells).cells
const progress = (cells: readonly FakeCell[], change: Partial<CampaignProgress> = {}): CampaignProgress => ({ type: 'progress', cells: cellsOf(cells), done: 0, total: 300, workers: 2, waiting: null, ...change })
const matrix = (configurations: number, nemeses: number, counts: (configuration: number, nemesis: number) => Partial<FakeCell> = () => ({})): FakeCell[] =>
  Array.from({ length: configurations * nemeses }, (_, index) => ({ configuration: `store-${Math.floor(index / nemeses)}`, nemesis: `fault-${index % nemeses}`, ...counts(Math.floor(index / nemeses), index % nemeses) }))
const failure = (seed: number): CampaignEvent => ({ type: 'result', done: seed, total: 300, result: fakeResult({ configuration: 'store-0', nemesis: 'fault-0' }, { seed, verdict: 'violated', findings: [{ judgement: 'linearizable', fingerprint: 'Not linearizable during fault-0', size: 3, explanation: '' }] }) })

test('cells fill in, and how fast it goes is known after a second', () => {
  const { tell, lines, clock } = screen()
  tell(progress(matrix(1, 1), { done: 10 }))
  assert.equal(lines(), ['         fault-0', 'store-0  ·      ', '', '[10/300] 2 workers'])
  clock.ms = 10_000
  tell(progress(matrix(1, 1, () => ({ decided: 12, violated: 1 })), { done: 30 }))
  assert.equal(lines(), ['         fault-0', 'store-0  ◆ 1/12 ', '', '[30/300] 2.0 runs/s, 2 workers, about 2 min left'])
})

test('a cell: a mark, violated of decided, what came to nothing, where enough is known, what cannot be run', () => {
  const { tell, lines } = screen()
  tell(progress([
    { configuration: 'abd', nemesis: 'none', decided: 12, pending: 1 },
    { configuration: 'abd', nemesis: 'kill', decided: 10, violated: 3 },
    { configuration: 'quorum', nemesis: 'none', decided: 73, stopped: true },
    { configuration: 'quorum', nemesis: 'kill', decided: 9, unknown: 2 },
    { configuration: 'one', nemesis: 'none' },
    { configuration: 'one', nemesis: 'kill', impossible: 'no netem' },
  ]))
  assert.equal(lines().map((line) => line.trimEnd()), [
    '        none      kill',
    'abd     ● 0/12    ◆ 3/10',
    'quorum  ● 0/73 =  ○ 0/9 +2?',
    'one     ·         – impossible',
    '',
    '[0/300] 2 workers',
  ])
})

test('it is drawn at most four times a second, and goes on counting while nothing happens', () => {
  const { tell, tick, clock, drawings, lines } = screen()
  tell(progress(matrix(2, 2)))
  for (clock.ms = 10; clock.ms < 1000; clock.ms += 10) tell(failure(clock.ms / 10))
  assert.is(drawings(), 3)
  clock.ms = 5000
  tick()
  assert.match(lines().join('\n'), '[99/300] 20 runs/s')
})

test('the last runs that did not hold stand below, those that hold do not', () => {
  const { tell, lines, clock } = screen()
  tell(progress(matrix(1, 1)), ...Array.from({ length: 9 }, (_, index) => failure(index + 1)), { type: 'result', done: 10, total: 300, result: fakeResult({ configuration: 'store-0', nemesis: 'fault-0' }, { seed: 10 }) })
  clock.ms = 1000
  tell(progress(matrix(1, 1)))
  assert.equal(lines().slice(-5).map((line) => /seed (\d+): (.*) \(/.exec(line)!.slice(1)), ['5', '6', '7', '8', '9'].map((seed) => [seed, 'violated Not linearizable during fault-0']))
})

test('what it waits for is said instead of a speed, and warnings stand above', () => {
  const { tell, lines, clock } = screen()
  tell(progress(matrix(1, 1)), { type: 'warning', message: `lost ${escape}[2J` })
  clock.ms = 1000
  tell(progress(matrix(1, 1), { waiting: 'the database does not answer' }))
  assert.is(lines()[0], 'lost \\u001b[2J')
  assert.is(lines().at(-1), '[0/300] waiting: the database does not answer')
})

test('a narrow window gets a list, and nothing is wider or higher than the window', () => {
  const cells = matrix(7, 6, (configuration, nemesis) => ({ decided: 10, violated: configuration === 6 && nemesis === 5 ? 4 : 0 }))
  for (const columns of [12, 30, 40, 80, 200]) for (const rows of [1, 2, 4, 6, 12, 24, 60]) {
    const { tell, lines, clock } = screen(columns, rows)
    tell(progress(cells), ...[1, 2, 3, 4, 5, 6].map(failure))
    clock.ms = 1000
    tell(progress(cells))
    assert.ok(lines().length <= Math.max(1, rows - 1), `${lines().length} lines in ${columns} x ${rows}`)
    for (const line of lines()) assert.ok(line.length < columns, `${line.length} of ${columns}: ${line}`)
    if (rows >= 12 && columns >= 30) assert.match(lines().join('\n'), '4/10')
  }
  const { tell, lines } = screen(40)
  tell(progress(matrix(3, 6)))
  assert.match(lines()[0]!, /^· store-0 · fault-0/)
})

test('where not all rows fit, broken ones are shown first, in the order of the matrix', () => {
  const { tell, lines } = screen(80, 8)
  tell(progress(matrix(20, 2, (configuration) => ({ decided: 5, violated: configuration === 17 ? 1 : 0, unknown: configuration === 9 ? 1 : 0 }))))
  assert.equal(lines().slice(1, 5).map((line) => line.slice(0, 8)), ['store-0 ', 'store-9 ', 'store-17', 'and 17 c'])
})

test('hostile names change nothing but their own text', () => {
  const { tell, lines, raw } = screen()
  const evil = `${escape}[2J\n\u202eevil`
  tell(progress([{ configuration: evil, nemesis: evil, decided: 1, violated: 1 }]), { type: 'result', done: 1, total: 1, result: fakeResult({ configuration: evil, nemesis: evil }, { verdict: 'unknown', reason: evil }) })
  tell({ type: 'warning', message: 'go on' })
  assert.not.match(raw().replaceAll(escape, '␛').replaceAll(/␛\[(\?7[lh]|\d+A|0J)/g, ''), /[␛\u202e]/)
  assert.match(lines().join('\n'), '\\u001b[2J\\u000a\\u202eevil')
})

test('at the end the table goes, and the cells, findings and commands are written', () => {
  const { tell, text, stopped } = screen()
  tell(progress(matrix(1, 1)), { type: 'end', name: 'nightly', started: '2026-01-01T00:00:00Z', summary: fakeSummary([{ configuration: 'abd', nemesis: 'kill', decided: 10, violated: 1 }]), comparison: null, cut: null, report: 'runs/report.html', repeat: 'npx splitbrain campaign' })
  assert.not.match(text(), '/300]')
  assert.match(text(), /◆ abd · kill +1\/10 violated\n\nNot linearizable during kill: 1 run of 10\n/)
  assert.match(text(), 'report  runs/report.html\nrepeat  npx splitbrain campaign\n')
  assert.is(stopped(), true)
})

test.run()
