import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTerminal, renderTable, renderVerdict, terminalAbilities } from './terminal.ts'
import { factsOf } from './facts.ts'
import { fakeTour } from './testing/tour.ts'
import type { RunEvent } from './events.ts'

const tour = await fakeTour({ seconds: 4 })
const escape = '\u001b['

/** A terminal on paper: what was written, and a clock that a test turns. */
function paper(live: boolean, columns = 80, colour = false) {
  let written = ''
  const clock = { ms: 0 }
  const terminal = createTerminal({ write: (text) => (written += text), live, colour, columns: () => columns, nowMs: () => clock.ms })
  return { clock, tell: (...events: RunEvent[]) => events.forEach((event) => terminal.on(event)), text: () => written, clear: () => (written = '') }
}

const announce: RunEvent = { type: 'announce', run: 'abd', describes: 'majority quorums' }
const drive: RunEvent = { type: 'phase', run: 'abd', phase: 'drive', left_ms: 20_000 }
const progress = (operations: number, fault: string | null = null): RunEvent => ({ type: 'progress', run: 'abd', operations, rate: 2010, left_ms: 9000, fault })

test('in a pipe every step is a plain line and progress is rare', () => {
  const { tell, text, clock } = paper(false)
  tell(announce, drive, progress(1000))
  clock.ms = 4000
  tell(progress(2000))
  clock.ms = 10_500
  tell(progress(3000))
  assert.is(text(), '[abd] majority quorums\n[abd] drive\n[abd] drive: 1,000 operations, 2,010/s, 9 s left\n[abd] drive: 3,000 operations, 2,010/s, 9 s left\n')
})

test('on a terminal there is one line per configuration, rewritten at most ten times a second', () => {
  const { tell, text, clear, clock } = paper(true)
  tell(announce, { type: 'announce', run: 'one', describes: '' }, drive)
  clear()
  clock.ms = 50
  tell(progress(1000))
  assert.is(text(), '')
  clock.ms = 150
  tell(progress(12_345, 'partition(majority-minority)'))
  assert.is(text().startsWith(`${escape}2A${escape}0J`) || text().startsWith(`${escape}1A${escape}0J`), true)
  assert.match(text(), /abd.*drive.*12,345 ops.*2,010\/s.*partition\(majority-minority\).*9 s left\n/)
})

test('no live line is wider than the terminal, whatever its width', () => {
  for (const columns of [20, 40, 60, 80, 120]) {
    const { tell, text, clear, clock } = paper(true, columns)
    tell(announce, drive)
    clear()
    clock.ms = 200
    tell(progress(123_456_789, 'partition(majority-minority), kill(one), slow(one)'))
    for (const line of text().replaceAll(`${escape}1A${escape}0J`, '').split('\n')) assert.ok(line.length < columns, `${line.length} of ${columns}: ${line}`)
  }
})

test('a fault that did not bite is said loudly', () => {
  const { tell, text } = paper(false)
  tell({ type: 'fault', run: 'abd', fault: 'kill(one)', action: 'inject', seen: false, evidence: 'n2 still answers', time_ns: 7.04e9 })
  assert.is(text(), '[abd] kill(one) DID NOT BITE at 7.0 s: n2 still answers\n')
})

test('at the end there is a table, the report and the command that repeats it', () => {
  const { tell, text } = paper(false)
  for (const run of tour) tell({ type: 'verdict', run: run.name, document: run.document })
  tell({ type: 'end', report: 'runs/latest/report.html', repeat: 'npm start -- --seed 3', elapsed_ms: 41_000 })
  assert.match(text(), /abd\s+linearizable\s+100.%\s+0.%/)
  assert.match(text(), 'report  runs/latest/report.html\nrepeat  npm start -- --seed 3\n')
})

test('the table of the tour fits 80 columns, and narrower ones get a block for each', () => {
  const rows = tour.map((run) => factsOf(run.name, run.document))
  for (const columns of [80, 60, 40]) for (const line of renderTable(rows, { columns, colour: false }).split('\n').slice(0, columns < 80 ? 99 : 5)) assert.ok(line.length < columns, line)
  assert.is(renderTable(rows, { columns: 80, colour: false }).split('\n').length, 7)
})

test('verdicts have a shape as well as a colour, and no colour when there should be none', () => {
  const [abd] = tour
  assert.is(renderVerdict('abd', abd!.document, { colour: false }).includes(escape), false)
  assert.is(renderVerdict('abd', abd!.document, { colour: false }).startsWith('● holds'), true)
  assert.is(renderVerdict('abd', abd!.document, { colour: true }).includes(escape), true)
})

test('NO_COLOR, CI and dumb terminals are respected', () => {
  assert.equal(terminalAbilities({ isTTY: true }, {}), { live: true, colour: true })
  assert.equal(terminalAbilities({ isTTY: true }, { NO_COLOR: '1' }), { live: true, colour: false })
  assert.equal(terminalAbilities({ isTTY: true }, { CI: 'true' }), { live: false, colour: true })
  assert.equal(terminalAbilities({ isTTY: true }, { TERM: 'dumb' }), { live: false, colour: false })
  assert.equal(terminalAbilities({}, { FORCE_COLOR: '1' }), { live: false, colour: true })
  assert.equal(terminalAbilities({}, {}), { live: false, colour: false })
})

test('control characters of a store’s error never reach the terminal', () => {
  const { tell, text } = paper(false)
  tell({ type: 'warning', run: 'abd', message: `n1 said ${escape}2J` })
  assert.is(text().includes(escape), false)
})

test.run()
