import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareCampaigns, isWorse, renderCampaignComparison } from './compare.ts'
import { fakeSummary, type FakeCell } from '../testing/campaign.ts'

/** [violated, decided, unknown] of one cell. */
type Counts = readonly [number, number, number?]

const cell = ([violated, decided, unknown = 0]: Counts, configuration = 'abd', nemesis = 'kill'): FakeCell => ({ configuration, nemesis, violated, decided, unknown })
const compared = (before: Counts, after: Counts) => compareCampaigns(fakeSummary([cell(before)]), fakeSummary([cell(after)]))
const change = (before: Counts, after: Counts): string => compared(before, after).cells[0]?.change ?? 'same'

test('one violation in as many runs is newly broken, since the promise must never break', () => {
  assert.is(change([0, 10], [1, 10]), 'newly broken')
  assert.is(change([0, 10], [1, 5]), 'newly broken')
})

test('fewer runs before suffice where a failure as frequent as now would have shown itself', () => {
  assert.is(change([0, 5], [10, 20]), 'newly broken')
  assert.is(change([0, 4], [10, 20]), 'rare')
  assert.is(change([0, 1], [20, 20]), 'newly broken')
  assert.is(change([0, 5], [1, 20]), 'rare')
})

test('where nothing was known before, nothing excuses a violation', () => {
  assert.is(change([0, 0, 3], [1, 10]), 'newly broken')
  assert.equal(compared([0, 0, 3], [1, 10]).findings.map((one) => one.change), ['new'])
})

test('a cell is mended only when chance does not explain it', () => {
  assert.is(change([10, 10], [0, 10]), 'mended')
  assert.is(change([1, 10], [0, 10]), 'rare')
  assert.is(change([10, 10], [0, 1]), 'rare')
})

test('a cell that breaks on both sides does so more or less often when the intervals lie apart', () => {
  assert.is(change([1, 100], [50, 100]), 'more often')
  assert.is(change([50, 100], [1, 100]), 'less often')
  assert.is(change([4, 10], [6, 10]), 'same')
})

test('what is not known is told apart from what holds', () => {
  assert.is(change([0, 10], [0, 0, 10]), 'newly unknown')
  assert.is(change([0, 10], [0, 9, 1]), 'newly unknown')
  assert.is(change([0, 0], [0, 10]), 'newly known')
  assert.is(change([0, 0, 3], [0, 9, 1]), 'same')
  assert.is(change([5, 10], [0, 0, 10]), 'newly unknown')
  assert.is(change([0, 9, 1], [0, 8, 2]), 'same')
  assert.is(change([0, 0], [0, 0]), 'same')
})

test('a campaign compared with itself differs nowhere', () => {
  const summary = fakeSummary([cell([0, 10]), cell([3, 10], 'one'), cell([0, 0, 4], 'quorum')])
  const comparison = compareCampaigns(summary, summary)
  assert.equal(comparison.cells, [])
  assert.equal(comparison.unchanged, ['abd · kill', 'one · kill', 'quorum · kill'])
  assert.equal(comparison.findings.map((one) => one.change), ['still there'])
  assert.is(isWorse(comparison), false)
})

test('exactly the cells that a planted bug breaks are named, the worst first', () => {
  const matrix = (bug: (configuration: string, nemesis: string) => number) => fakeSummary(['abd', 'quorum', 'one'].flatMap((configuration) => ['none', 'kill', 'pause'].map((nemesis) => cell([bug(configuration, nemesis), 10], configuration, nemesis))))
  const before = matrix((configuration) => (configuration === 'one' ? 5 : 0))
  const after = matrix((configuration, nemesis) => (configuration === 'one' ? 6 : nemesis === 'kill' ? 2 : 0))
  const comparison = compareCampaigns(before, after)
  assert.equal(comparison.cells.map((one) => [one.configuration, one.nemesis, one.change]), [['abd', 'kill', 'newly broken'], ['quorum', 'kill', 'newly broken']])
  assert.is(isWorse(comparison), true)
  assert.match(renderCampaignComparison(comparison), /^2 cells are newly broken\. 2 cells of 9 changed\.\nnewly broken {3}abd · kill: 0 of 10 violated before, 2 of 10 violated now\n {15}npx splitbrain run /)
})

test('a finding of a newly broken cell is new, however few its runs', () => {
  assert.equal(compared([0, 10], [1, 10]).findings.map((one) => one.change), ['new'])
  assert.equal(compared([0, 5], [1, 20]).findings.map((one) => one.change), ['rare'])
  assert.equal(compared([10, 10], [0, 10]).findings.map((one) => one.change), ['resolved'])
})

test('a new way to break in a cell that was broken before is a new finding, and worse', () => {
  const comparison = compareCampaigns(fakeSummary([{ ...cell([10, 10]), fingerprint: 'stale read' }]), fakeSummary([{ ...cell([10, 10]), fingerprint: 'lost write' }]))
  assert.equal(comparison.cells, [])
  assert.equal(comparison.findings.map((one) => [one.fingerprint, one.change]), [['lost write', 'new'], ['stale read', 'resolved']])
  assert.is(isWorse(comparison), true)
  assert.match(renderCampaignComparison(comparison), /^No cell is newly broken, but some in a new way\./)
})

test('findings are counted on the cells that both have, and cells of one side are named', () => {
  const comparison = compareCampaigns(fakeSummary([cell([2, 10]), cell([5, 10], 'gone')]), fakeSummary([cell([3, 10]), cell([4, 10], 'fresh')]))
  assert.equal([comparison.onlyBefore, comparison.onlyAfter], [['gone · kill'], ['fresh · kill']])
  assert.equal(comparison.findings.map(({ before, after }) => [before, after]), [[{ runs: 2, of: 10 }, { runs: 3, of: 10 }]])
})

test('hostile names reach the terminal written out', () => {
  const hostile = cell([3, 3], '\u001b[2J\n')
  const text = renderCampaignComparison(compareCampaigns(fakeSummary([{ ...hostile, violated: 0 }]), fakeSummary([hostile])))
  assert.not.match(text, '\u001b')
  assert.match(text, '\\u001b[2J\\u000a · kill')
})

test.run()
