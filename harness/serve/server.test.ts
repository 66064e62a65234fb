import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { jsonLine } from '../../checker/history/jsonl.ts'
import type { CatalogEntry, LiveView } from '../../reports/browse.ts'
import { factsOf } from '../../reports/facts.ts'
import { fakeTour } from '../../reports/testing/tour.ts'
import type { CampaignFile } from '../campaign/folder.ts'
import { realClock } from '../clock.ts'
import { planDefaults } from '../plan.ts'
import { createRunServer } from './server.ts'

const tour = await fakeTour({ seconds: 4 })
const plan = { ...planDefaults, schema: 'splitbrain-plan/1', name: 'demo', preset: 'one', driver: 'process', seed: 3, time_ms: 4000, schedule: [] }

interface Context {
  root: string
  outside: string
  server: Server
  port: number
}

const test = suite<Context>('serve', { root: '', outside: '', server: undefined as unknown as Server, port: 0 })

test.before(async (context) => {
  context.outside = mkdtempSync(path.join(tmpdir(), 'splitbrain-serve-'))
  context.root = path.join(context.outside, 'runs')
  const dir = path.join(context.root, 'demo/20260102T030405.000Z')
  mkdirSync(path.join(dir, 'nodes'), { recursive: true })
  writeFileSync(path.join(dir, 'plan.json'), JSON.stringify(plan))
  writeFileSync(path.join(dir, 'verdict.json'), JSON.stringify(tour[2]!.document))
  writeFileSync(path.join(dir, 'report.html'), '<p>the report')
  writeFileSync(path.join(dir, 'nodes/n1.log'), '<script>alert(1)</script>')
  writeFileSync(path.join(dir, 'nodes/evil.html'), '<script>alert(1)</script>')
  writeFileSync(path.join(context.outside, 'secret.json'), '"secret"')
  symlinkSync(path.join(context.outside, 'secret.json'), path.join(dir, 'link.json'))
  symlinkSync(context.outside, path.join(dir, 'out'))
  symlinkSync(path.join(dir, 'nodes/evil.html'), path.join(dir, 'nodes/report.html'))
  context.server = createRunServer(context.root, realClock())
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve))
  context.port = (context.server.address() as { port: number }).port
})
test.after((context) => {
  context.server.closeAllConnections()
  context.server.close()
  rmSync(context.outside, { recursive: true, force: true })
})

/** A request as it is written, without anybody tidying up its path. */
function ask({ port }: Context, address: string, options: { readonly method?: string; readonly headers?: Record<string, string> } = {}): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: address, method: options.method ?? 'GET', headers: { host: `127.0.0.1:${port}`, ...options.headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => (text += more)).on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    sent.on('error', reject).end()
  })
}

const inRun = '/runs/demo/20260102T030405.000Z'

test('what a run left is served: its report as a page, everything else as text', async (context) => {
  const report = await ask(context, `${inRun}/report.html`)
  assert.equal([report.status, report.headers['content-type'], report.text], [200, 'text/html; charset=utf-8', '<p>the report'])
  const log = await ask(context, `${inRun}/nodes/n1.log`)
  assert.equal([log.status, log.headers['content-type'], log.headers['x-content-type-options']], [200, 'text/plain; charset=utf-8', 'nosniff'])
})

test('no path leads out of the folder of runs, to a hidden file, or to a page that is no report', async (context) => {
  const paths = ['/runs/../secret.json', '/runs/%2e%2e/secret.json', '/runs/..%2fsecret.json', '/runs/demo/..%5c..%5csecret.json', '/runs//etc/passwd.json', `${inRun}/link.json`, `${inRun}/out/secret.json`, `${inRun}/nodes/evil.html`, `${inRun}/nodes/report.html`, '/runs/.git/config.json', '/runs/demo%00.json', '/runs/%zz.json', inRun, `${inRun}/`, '/secret.json', '/runs/']
  for (const one of paths) {
    const { status, text } = await ask(context, one)
    assert.is(status, 404, one)
    assert.not.match(text, /secret"|alert/, one)
  }
})

test('it answers to its own name only, reads only, and gives other sites nothing', async (context) => {
  assert.is((await ask(context, '/', { headers: { host: 'evil.example' } })).status, 421)
  assert.is((await ask(context, '/api/runs', { headers: { host: `evil.example:${context.port}` } })).status, 421)
  assert.is((await ask(context, '/', { headers: { host: `localhost:${context.port}` } })).status, 200)
  assert.is((await ask(context, '/', { method: 'POST' })).status, 405)
  assert.is((await ask(context, '/api/runs', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' } })).status, 403)
  const page = await ask(context, '/')
  assert.equal([page.headers['cross-origin-resource-policy'], page.headers['x-frame-options'], page.headers['access-control-allow-origin']], ['same-origin', 'DENY', undefined])
  assert.match(page.text.replaceAll('&#39;', "'"), /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/)
})

test('a row of the list says what the verdict says', async (context) => {
  const [row, ...others] = JSON.parse((await ask(context, '/api/runs')).text) as CatalogEntry[]
  const { document } = tour[2]!
  const facts = factsOf('', document)
  assert.is(others.length, 0)
  assert.equal([row!.state, row!.report, row!.started, row!.operations, row!.strongest, row!.minority, row!.p99_ms, row!.lost], [document.verdict, 'demo/20260102T030405.000Z/report.html', '2026-01-02T03:04:05.000Z', document.operations.invoked, document.strongest, facts.minority!.share, facts.latency!.p99_ms, 0])
})

test('a campaign is a row: it goes on while its file is written again and again, and then says what it came to', async (context) => {
  const dir = path.join(context.root, 'nightly/20260103T030405.000Z')
  mkdirSync(dir, { recursive: true })
  const file: CampaignFile = { schema: 'splitbrain-campaign/1', id: 1, name: 'nightly', database: 'here', started: '2026-01-03T03:04:05.000Z', state: 'open', configurations: ['abd', 'one'], nemeses: ['kill'], runs: 3, violated: 1, unknown: 0 }
  const row = async (state: string): Promise<CatalogEntry> => {
    writeFileSync(path.join(dir, 'campaign.json'), JSON.stringify({ ...file, state }))
    return (JSON.parse((await ask(context, '/api/runs')).text) as CatalogEntry[]).find(({ kind }) => kind === 'campaign')!
  }
  const [open, finished] = [await row('open'), await row('finished')]
  assert.equal([open.state, open.sentence], ['running', '3 runs so far, 1 violated.'])
  assert.equal([finished.state, finished.configuration, finished.faults, finished.report, finished.sentence], ['violated', 'abd, one', ['kill'], null, '3 runs, 1 violated.'])
  rmSync(path.join(context.root, 'nightly'), { recursive: true })
})

test('a run that goes on is followed line by line: counts, the fault that bites, what is refuted so far', async (context) => {
  assert.is((await ask(context, '/api/live')).text, 'null')
  const dir = path.join(context.root, 'live/20260102T040000.000Z')
  mkdirSync(dir, { recursive: true })
  symlinkSync('live/20260102T040000.000Z', path.join(context.root, 'current'))
  writeFileSync(path.join(dir, 'plan.json'), JSON.stringify(plan))
  const { history, document } = tour[2]!
  const fault = document.faults[0]!
  const until = Array.from({ length: history.length }, (_, row) => row).find((row) => history.timeAt(row) > fault.to_ns - 1e8)!
  const lines = Array.from({ length: until }, (_, row) => jsonLine(row, history.event(row))).join('')
  const half = Math.floor(lines.length / 2)
  writeFileSync(path.join(dir, 'history.jsonl'), lines.slice(0, half))
  const first = JSON.parse((await ask(context, '/api/live')).text) as LiveView
  assert.ok(first.operations.invoked > 0)
  appendFileSync(path.join(dir, 'history.jsonl'), lines.slice(half))
  let view = first
  for (const deadline = realClock(); deadline.now() < 20e9 && (view.refuted.length === 0 || view.operations.invoked === first.operations.invoked); ) view = JSON.parse((await ask(context, '/api/live')).text) as LiveView
  const invoked = Array.from({ length: until }, (_, row) => history.event(row)).filter((event) => event.type === 'invoke' && typeof event.process === 'number').length
  assert.is(view.operations.invoked, invoked)
  assert.equal(view.faults, [fault.fault])
  assert.ok(view.refuted.some(({ judgement, promised }) => judgement === 'linearizable' && !promised))
  const running = (JSON.parse((await ask(context, '/api/runs')).text) as CatalogEntry[]).find((entry) => entry.path.startsWith('live/'))
  assert.is(running!.state, 'running')
})

test.run()
