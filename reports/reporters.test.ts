import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createReporter, defaultReporter } from './reporters.ts'
import { fakeTour } from './testing/tour.ts'
import type { RunEvent } from './events.ts'
import type { ReporterName, ReporterOptions } from './reporters.ts'

const tour = await fakeTour({ seconds: 4 })
const broken = { ...tour[2]!.document, promised: 'linearizable' as const, verdict: 'violated' as const, promise_verdict: 'violated' as const }
const events: readonly RunEvent[] = [
  { type: 'announce', run: 'one', describes: 'any replica answers' },
  { type: 'phase', run: 'one', phase: 'drive', left_ms: 20_000 },
  { type: 'progress', run: 'one', operations: 12, rate: 3, left_ms: 9000, fault: null },
  { type: 'phase', run: 'one', phase: 'judge', left_ms: null },
  { type: 'step', run: 'one', what: 'causal', done: 3, total: 12, left_ms: 4200 },
  { type: 'verdict', run: 'one', document: broken },
  { type: 'end', report: 'runs/latest/report.html', repeat: 'npx splitbrain run --seed 3', elapsed_ms: 20_000 },
]

/** Everything that a reporter wrote, and where. */
function told(names: readonly ReporterName[], options: Partial<ReporterOptions> & { readonly tty?: boolean } = {}, given = events) {
  const files = new Map<string, string>()
  const ticks: (() => void)[] = []
  const clock = { ms: 0 }
  let text = ''
  let stopped = 0
  const add = (file: string, more: string) => void files.set(file, (files.get(file) ?? '') + more)
  const reporter = createReporter(names, { stream: { isTTY: options.tty ?? false, columns: 80, write: (more: string) => (text += more) }, env: {}, nowMs: () => clock.ms, written: () => '2026-01-01T00:00:00.000Z', every: (_, callback) => (ticks.push(callback), () => stopped++), writeFile: add, appendFile: add, title: 'one', ...options })
  for (const event of given) reporter.on(event)
  return { text: () => text, clear: () => (text = ''), files, ticks, clock, stopped: () => stopped }
}

test('the reporter that suits the place: a terminal, a pipe, CI, GitHub Actions', () => {
  const on = (isTTY: boolean, env: Record<string, string>) => defaultReporter({ stream: { isTTY, write: () => true }, env })
  assert.is(on(true, {}), 'line')
  assert.is(on(false, {}), 'plain')
  assert.is(on(true, { CI: 'true' }), 'plain')
  assert.is(on(true, { TERM: 'dumb' }), 'plain')
  assert.is(on(false, { GITHUB_ACTIONS: 'true' }), 'github')
})

test('NO_COLOR is kept, and colour never appears in a pipe', () => {
  assert.not.match(told(['plain']).text(), '\u001b[')
  assert.match(told(['plain'], { env: { FORCE_COLOR: '1' } }).text(), '\u001b[31m')
  assert.not.match(told(['plain'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }).text(), '\u001b[3')
})

test('a terminal that does not say how wide it is counts as 80 wide', () => {
  const wide = (columns: number): string => {
    let text = ''
    told(['line'], { stream: { isTTY: true, columns, write: (more: string) => (text += more) } })
    return text
  }
  assert.is(wide(0), wide(80))
  assert.is.not(wide(20), wide(80))
})

test('json: one event a line, exactly as it was told', () => {
  const lines = told(['json']).text().trimEnd().split('\n')
  assert.equal(lines.map((line) => JSON.parse(line)), JSON.parse(JSON.stringify(events)))
})

test('junit: a file where one is named, the stream otherwise', () => {
  const { files, text } = told(['json'], { junitFile: 'out/junit.xml' })
  assert.match(files.get('out/junit.xml')!, /<testsuite .*failures="[1-9]/)
  assert.not.match(text(), '<testsuites')
  assert.match(told(['junit']).text(), /^<\?xml/)
})

test('github: annotations on the stream, the summary added to the file that GitHub names', () => {
  const { text, files } = told(['github'], { env: { GITHUB_STEP_SUMMARY: 'summary.md' } })
  assert.match(text(), /\n::error title=one%3A violated::/)
  const summary = files.get('summary.md')!
  assert.match(summary, '| 🔴 one | linearizable (promised) |')
  const picture = /<img alt="CAP map\. one: [^"]+" src="data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)">/.exec(summary)!
  assert.match(Buffer.from(picture[1]!, 'base64').toString(), /^<svg xmlns=.*>one<\/text>/s)
  assert.is(told(['github']).files.size, 0)
})

test('a crash of the harness is an error on GitHub and in JUnit', () => {
  assert.match(told(['junit'], {}, [{ type: 'crash', run: 'one', message: 'n1 did not start' }, events.at(-1)!]).text(), /tests="1" failures="0" errors="1"[^]*message="n1 did not start"/)
  const { text } = told(['github'], {}, [events[0]!, { type: 'crash', run: 'one', message: 'n1 did not start' }, events.at(-1)!])
  assert.match(text(), '::error title=one%3A the harness failed::n1 did not start\n')
})

test('on a terminal the time left goes on counting while nothing is told, and stops at the end', () => {
  const paper = told(['line'], { tty: true }, events.slice(0, 3))
  assert.is(paper.ticks.length, 1)
  paper.clear()
  paper.clock.ms = 4000
  paper.ticks[0]!()
  assert.match(paper.text(), '5 s left')
  assert.is(told(['line'], { tty: true }).stopped(), 1)
})

test('a phase whose end nobody knows shows how long it has been going on; checking says which judgement and how long still', () => {
  const start = told(['line'], { tty: true }, [events[0]!, { type: 'phase', run: 'one', phase: 'start', left_ms: null }])
  start.clear()
  start.clock.ms = 3200
  start.ticks[0]!()
  assert.match(start.text(), /start .*for 3 s/)
  const judging = told(['line'], { tty: true }, events.slice(0, 5))
  judging.clear()
  judging.clock.ms = 1000
  judging.ticks[0]!()
  assert.match(judging.text(), /judge .*4 of 12: causal.*4 s left/)
})

test.run()
