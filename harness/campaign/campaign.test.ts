import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareCampaigns } from '../../reports/campaign/compare.ts'
import { createCampaignReporter, type CampaignEvent } from '../../reports/campaign/reporters.ts'
import { summarize } from '../../reports/campaign/summary.ts'
import { renderCampaign } from '../../reports/html/campaign.ts'
import { readResults, runCampaign } from './campaign.ts'
import { parseCampaign } from './definition.ts'
import type { Result } from '../../reports/campaign/results.ts'

const campaign = parseCampaign({ name: 'small', options: { driver: 'sim', time: '3s', expect: 'linearizable' }, configurations: [{ preset: 'abd' }, { preset: 'one' }], nemeses: ['partition(partial)'], seeds: 2 }, 'the test')
const dir = await mkdtemp(path.join(tmpdir(), 'splitbrain-campaign-'))
test.after(() => rm(dir, { recursive: true }))

const carryOut = (signal: AbortSignal, onResult: (result: Result) => void = () => undefined, budgetMs = Infinity) => runCampaign(campaign, { dir, budgetMs, signal, emit: () => undefined, onResult })

test('a campaign that was interrupted goes on where it was, and a line that a kill cut off is not one', async () => {
  const stop = new AbortController()
  const first = await carryOut(stop.signal, () => stop.abort())
  assert.equal([first.cut, first.results.length], ['interrupted', 1])
  await writeFile(path.join(dir, 'results.jsonl'), `${await readFile(path.join(dir, 'results.jsonl'), 'utf8')}{"configuration":"ab`)
  assert.is((await readResults(dir)).length, 1)
  const { results, cut } = await carryOut(new AbortController().signal)
  assert.is(cut, null)
  assert.equal(results.map(({ configuration, seed }) => `${configuration} ${seed}`).sort(), ['abd 1', 'abd 2', 'one 1', 'one 2'])
})

test('a budget that nothing fits into begins nothing', async () => {
  const { results, cut } = await runCampaign({ ...campaign, seeds: 9 }, { dir, budgetMs: 1, signal: new AbortController().signal, emit: () => undefined, onResult: () => assert.unreachable() })
  assert.equal([results.length, cut], [4, 'budget'])
})

test('what broke is grouped by what it looks like, with the smallest run and its command', async () => {
  assert.is((await readResults(dir)).length, 4)
  const summary = summarize(await readResults(dir))
  const one = summary.cells.find(({ configuration }) => configuration === 'one')!
  const abd = summary.cells.find(({ configuration }) => configuration === 'abd')!
  assert.equal([abd.violated, abd.decided], [0, 2])
  assert.ok(one.violated > 0)
  assert.ok(summary.findings.length > 0)
  for (const finding of summary.findings) assert.match(finding.smallest.repeat, /^npx splitbrain run .*--preset one .*--seed [12]$/)
  const page = renderCampaign({ title: 'small', started: '2026-01-01T00:00:00Z', repeat: 'npx splitbrain campaign', summary, impossible: [], cut: null, trend: [] })
  assert.match(page, summary.findings[0]!.fingerprint)
})

test('the reporters of a campaign: lines, JSON, the matrix on GitHub, a test case for each cell', async () => {
  const results = await readResults(dir)
  const end: CampaignEvent = { type: 'end', name: 'small', started: '2026-01-01T00:00:00Z', summary: summarize(results), impossible: [], comparison: null, cut: null, report: 'runs/small/report.html', repeat: 'npx splitbrain campaign' }
  const told = { text: '', files: new Map<string, string>() }
  const keep = (file: string, text: string) => void told.files.set(file, text)
  const options = { stream: { write: (text: string) => (told.text += text) }, env: { GITHUB_STEP_SUMMARY: 'summary.md' }, nowMs: () => 0, written: () => '', every: () => () => undefined, writeFile: keep, appendFile: keep, junitFile: 'cells.xml', title: 'small' }
  const reporter = createCampaignReporter(['github'], options)
  results.forEach((result, index) => reporter.on({ type: 'result', done: index + 1, total: 4, result }))
  reporter.on(end)
  assert.match(told.text, /\[4\/4\] .*seed 2/)
  assert.match(told.text, /^::error title=one · partition\(partial\)::[12]\/2 violated%0APromised linearizable\..*%0ARepeat: npx splitbrain run .*$/m)
  assert.match(told.files.get('summary.md')!, /\n\| abd \| ✅ 0\/2 violated \(0.% to .*\) \|\n\| one \| 🔴 [12]\/2 violated/)
  assert.match(told.files.get('cells.xml')!, 'tests="2" failures="1" errors="0"')
  told.text = ''
  createCampaignReporter(['json'], { ...options, junitFile: 'cells.xml' }).on(end)
  assert.equal(JSON.parse(told.text), JSON.parse(JSON.stringify(end)))
})

test('against itself nothing is new; a finding that one side alone has is new or rare, by how often it was tried', async () => {
  const results = await readResults(dir)
  assert.ok(compareCampaigns(results, results).findings.every(({ change }) => change === 'still there'))
  const clean = results.map((one): Result => ({ ...one, verdict: 'holds', findings: [] }))
  assert.ok(compareCampaigns(clean, results).findings.every(({ change }) => change === 'rare'))
  const often = (list: readonly Result[]) => Array.from({ length: 40 }, () => list).flat()
  assert.ok(compareCampaigns(often(clean), often(results)).findings.every(({ change }) => change === 'new'))
  assert.ok(compareCampaigns(often(results), often(clean)).findings.every(({ change }) => change === 'resolved'))
})

test.run()
