import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fakeResult, fakeSummary } from '../testing/campaign.ts'
import { compareCampaigns } from './compare.ts'
import { createCampaignReporter } from './reporters.ts'
import type { CampaignEnd, CampaignEvent } from './events.ts'
import type { ReporterName, ReporterOptions } from '../reporters.ts'

const evil = '\u001b[2J\n::error::<img src=x>'
const place = { configuration: 'abd', nemesis: 'kill' }
const cells = [
  { ...place, decided: 10, violated: 1 },
  { configuration: 'abd', nemesis: 'none', decided: 10 },
  { configuration: 'quorum', nemesis: 'kill', decided: 8, unknown: 2 },
  { configuration: 'quorum', nemesis: 'none' },
  { configuration: evil, nemesis: 'kill', impossible: `no netem ${evil}` },
]
const summary = fakeSummary(cells)
const end: CampaignEnd = { type: 'end', name: 'nightly', started: '2026-01-02T03:04:05.000Z', summary, comparison: compareCampaigns(fakeSummary([{ ...place, decided: 10 }]), summary), cut: 'the budget ended it', report: 'runs/report.html', repeat: 'npx splitbrain campaign' }

/** Everything that a reporter wrote, and where. */
function told(names: readonly ReporterName[], events: readonly CampaignEvent[], options: Partial<ReporterOptions> = {}, everyMs = 0) {
  const files = new Map<string, string>()
  let text = ''
  let now = 0
  const add = (file: string, more: string) => void files.set(file, (files.get(file) ?? '') + more)
  const reporter = createCampaignReporter(names, { stream: { write: (more: string) => (text += more) }, env: {}, nowMs: () => now, written: () => '2026-01-01T00:00:00.000Z', every: () => () => undefined, writeFile: add, appendFile: add, title: 'nightly', ...options })
  for (const event of events) {
    reporter.on(event)
    now += everyMs
  }
  return { text, files }
}

const results = (count: number): CampaignEvent[] => Array.from({ length: count }, (_, index) => ({ type: 'result', done: index + 1, total: 20, result: fakeResult(place, { seed: index, ...(index === 3 ? { verdict: 'unknown', reason: evil } : {}) }) }))
const progress = (done: number, waiting: string | null = null): CampaignEvent => ({ type: 'progress', cells: summary.cells, done, total: 20, workers: 1, waiting })

test('plain: a line for each run that does not hold, and rarely how far it is', () => {
  assert.is(told(['plain'], results(10)).text, '[4/20] ○ abd · kill, seed 3: unknown \\u001b[2J\\u000a::error::<img src=x> (1.20\u00a0s)\n')
  const { text } = told(['plain'], Array.from({ length: 21 }, (_, index) => progress(index)), {}, 1000)
  assert.equal(text.trimEnd().split('\n'), [0, 10, 20].map((done) => `[${done}/20] ${done === 0 ? '' : '1.0 runs/s, '}1 worker${done === 10 ? ', about 10 s left' : ''}; 1 violated, 2 unknown so far`))
})

test('plain: that it waits, and that it goes on again, is said at once', () => {
  const { text } = told(['plain'], [progress(1), progress(1, 'the database does not answer'), progress(1, 'the database does not answer'), progress(1)], {}, 100)
  assert.equal(text.trimEnd().split('\n').map((line) => line.split(';')[0]), ['[1/20] 1 worker', '[1/20] waiting: the database does not answer', '[1/20] 1 worker'])
})

test('at the end every cell has a line, and hostile names are written out', () => {
  const { text } = told(['plain'], [end])
  assert.match(text, /◆ abd · kill +1\/10 violated\n● abd · none +0\/10 violated\n○ quorum · kill +0\/8 violated, 2 unknown\n○ quorum · none +not run yet\n– .* +not run\. no netem/)
  assert.match(text, 'against the baseline\n1 cell is newly broken.')
  assert.not.match(text, '\u001b')
})

test('json: one event a line, exactly as it was told', () => {
  const events = [...results(2), progress(2), end]
  assert.equal(told(['json'], events).text.trimEnd().split('\n').map((line) => JSON.parse(line)), JSON.parse(JSON.stringify(events)))
})

test('github: an annotation for each cell that broke or is unknown, the matrix in the summary, hostile names on one line', () => {
  const { text, files } = told(['github'], [end], { env: { GITHUB_STEP_SUMMARY: 'summary.md' } })
  assert.equal(text.split('\n').filter((line) => line.startsWith('::')).map((line) => /^::(\w+) title=(.*?)::/.exec(line)!.slice(1)), [['error', 'abd · kill'], ['warning', 'quorum · kill'], ['warning', 'quorum · none']])
  const markdown = files.get('summary.md')!
  assert.match(markdown, /\| abd \| 🔴 1\/10 violated \([^|]*\) \| ✅ 0\/10 violated \(0.% to [^|]*\) \|/)
  assert.match(markdown, /\| quorum \| ⚠️ 0\/8 violated, 2 unknown \([^|]*\) \| ⚠️ not run yet \|/)
  assert.match(markdown, /^```sh\n1 cell is newly broken\..*\nnewly broken   abd · kill: /m)
  assert.match(markdown, /^- .*: not run\. no netem/m)
  assert.not.match(markdown.replaceAll(/^```.*?^```$/gms, ''), '<img')
  assert.not.match(markdown, '\u001b')
})

test('junit: broken is a failure, unknown an error, what cannot be run has no case', () => {
  const { files, text } = told(['plain'], [end], { junitFile: 'junit.xml' })
  assert.not.match(text, '<testsuites')
  const xml = files.get('junit.xml')!
  assert.match(xml, '<testsuite id="0" package="splitbrain" name="nightly" timestamp="2026-01-02T03:04:05" hostname="localhost" tests="4" failures="1" errors="2" skipped="0"')
  assert.match(xml, '<failure type="violated" message="1 of 10 runs violated">')
  assert.match(xml, '<error type="unknown" message="0 of 8 runs violated, nothing is known of 2">')
  assert.match(xml, '<error type="unknown" message="no run of it has ended">')
})

test('line: the table on a terminal, no wider than the stream says', () => {
  const { text } = told(['line'], [progress(3)], { stream: { isTTY: true, columns: 40, rows: 10, write: () => true } })
  assert.is(text, '')
  let written = ''
  told(['line'], [progress(3)], { stream: { isTTY: true, columns: 60, rows: 10, write: (more) => (written += more) }, env: { NO_COLOR: '1' } })
  assert.match(written, /abd .*◆ 1\/10 .*● 0\/10/)
})

test.run()
