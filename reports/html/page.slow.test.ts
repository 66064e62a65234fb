import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fakeTour } from '../testing/tour.ts'
import { browserPath, openBrowser } from '../testing/browser.ts'
import { factsOf } from '../facts.ts'
import { History, type Json } from '../../checker/history/index.ts'
import { judge } from '../../checker/judge.ts'
import { transactional } from '../../checker/transactional.ts'
import { renderReport } from './page.ts'
import type { TestBrowser } from '../testing/browser.ts'
import type { ReportInput, ReportRun } from './data.ts'
import type { Page } from 'playwright-core'

const required = process.env['SPLITBRAIN_REQUIRE_BROWSER'] === '1'
if (browserPath() === undefined && !required) console.log('skipped: no Chromium on this machine (SPLITBRAIN_REQUIRE_BROWSER=1 makes that a failure)')

const tour = await fakeTour()
const input: ReportInput = { title: 'The CAP trade-off, observed', runs: tour, repeat: 'npm start -- --seed 3', generated: '2026-01-02T03:04:05.000Z' }
const whole = renderReport(input)
const hostile = ['</script><script>window.pwned=1</script>', '<img src=x onerror="window.pwned=1">', 'line\u2028separator\u2029paragraph', '\u202egnirts', '__proto__', 'x'.repeat(1_000_000), '"><svg onload=window.pwned=1>', '${alert(1)}', '<!--<script>']

interface Context {
  browser: TestBrowser
  problems: string[]
}

/** Opens a report and waits until everything in it is drawn. Errors and requests are collected. */
async function opened(context: Context, html: string, options: { readonly width?: number; readonly colorScheme?: 'light' | 'dark' } = {}): Promise<Page> {
  const file = path.join(context.browser.dir, `report-${Math.abs(hash(html))}.html`)
  writeFileSync(file, html)
  const page = await context.browser.context.newPage()
  page.on('pageerror', (error) => context.problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && context.problems.push(message.text()))
  page.on('request', (request) => request.url() !== `file://${file}` && context.problems.push(request.url().slice(0, 200)))
  await page.setViewportSize({ width: options.width ?? 1280, height: 900 })
  await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light' })
  await page.goto(`file://${file}`)
  await page.waitForSelector('html[data-ready]')
  return page
}

/** Runs code in the page. As text, because it lives among the browser's types and this file does not. */
function inPage<T = unknown>(page: Page, code: string): Promise<T> {
  return page.evaluate<T>(code)
}

function hash(text: string): number {
  let sum = 7
  for (let at = 0; at < text.length; at += 97) sum = (sum * 31 + text.charCodeAt(at)) | 0
  return sum
}

/** A run in which everything that came from a store is hostile. */
function hostileRun(): ReportRun {
  const history = new History()
  hostile.forEach((text, index) => {
    const common = { process: index, f: hostile[index % 4]!.slice(0, 60), key: text, node: 'n1' }
    history.push({ ...common, time: index * 1e6, type: 'invoke', value: text })
    history.push({ ...common, time: index * 1e6 + 5e5, type: 'ok', value: { [text.slice(0, 40)]: text } })
  })
  const document = structuredClone(tour[2]!.document)
  const text = hostile.slice(0, 5).join(' ')
  const evil = document.faults[0]!
  Object.assign(evil, { fault: hostile[0], evidence: text, targets: [hostile[1]], sides: { [hostile[1]!]: ['n1'], [hostile[3]!]: [hostile[0]!] } })
  Object.assign(document, { sentence: text, counters: Object.fromEntries(hostile.slice(0, 5).map((node) => [node, { [hostile[0]!]: 1 }])) })
  Object.assign(document.run!, { system: hostile[0], repeat: hostile[1], nodes: hostile.slice(0, 5) })
  Object.assign(document.judgements[0]!, { judgement: hostile[0], summary: text, metrics: { [hostile[0]!]: hostile[1]!, __proto__: 'x' }, witnesses: [{ key: hostile[0]!, operations: hostile.map((_, index) => index * 2), explanation: text }] })
  return { name: hostile[0]!, history, document, surroundings: { logs: [{ node: hostile[1]!, text: `2026-01-02T03:04:06.000Z ${hostile.slice(0, 5).join('\n')}` }], clockZero: '2026-01-02T03:04:05.000Z', machine: [[hostile[0]!, hostile[1]!]], files: ['nodes/%3Cimg%3E.log'] } }
}

/** Write skew, and a read of what was aborted: transactions under strict serializability. */
async function transactionalRun(): Promise<ReportRun> {
  const history = new History()
  const add = (process: number, type: 'invoke' | 'ok' | 'fail', time: number, value: Json) => history.push({ process, type, f: 'txn', time: time * 1e6, value, node: `n${process + 1}` })
  add(0, 'invoke', 0, [['r', 'x', null], ['append', 'y', 1]])
  add(1, 'invoke', 1, [['r', 'y', null], ['append', 'x', 1]])
  add(0, 'ok', 5, [['r', 'x', []], ['append', 'y', 1]])
  add(1, 'ok', 6, [['r', 'y', []], ['append', 'x', 1]])
  add(0, 'invoke', 7, [['append', 'z', 9]])
  add(0, 'fail', 8, [['append', 'z', 9]])
  add(1, 'invoke', 9, [['r', 'x', null], ['r', 'y', null], ['r', 'z', null]])
  add(1, 'ok', 12, [['r', 'x', [1]], ['r', 'y', [1]], ['r', 'z', [9]]])
  const document = await judge(history, { run: null, promised: 'linearizable', judgements: [{ ...transactional('strict-serializable'), binding: true }] })
  return { name: 'skewed', history, document }
}
const transactions = await transactionalRun()
const transactionsPage = renderReport({ title: 'transactions', runs: [transactions], repeat: '', generated: '' })

const test = suite<Context>('report in a browser', { browser: undefined as unknown as TestBrowser, problems: [] })
if (browserPath() !== undefined || required) {
  test.before(async (context) => void (context.browser = await openBrowser({ trusting: false })))
  test.after(async (context) => context.browser.close())
  test.before.each((context) => void (context.problems = []))

  for (const width of [1280, 400]) {
    test(`${width} px: a command is broken between its words only, and copied as it is`, async (context) => {
      const repeat = `npx splitbrain run --driver sim --preset one --workload 'register(keys=300,read-share=0.05)' --nemesis ${'partition(majority-minority),'.repeat(4)}kill --expect linearizable --name a-rather-long-name-of-a-run`
      const page = await opened(context, renderReport({ ...input, repeat }), { width })
      const seen = await inPage<{ text: string; words: number; broken: string[] }>(page, `(() => {
        const code = document.querySelector('.masthead .command code')
        const { width } = code.getBoundingClientRect()
        const rows = (word) => {
          const range = document.createRange()
          range.selectNodeContents(word)
          return [...range.getClientRects()]
        }
        const broken = [...code.children].map((word) => ({ text: word.textContent, rows: rows(word) })).filter(({ rows }) => rows.length > 1 && rows.reduce((sum, row) => sum + row.width, 0) < width - 30)
        return { text: code.textContent, words: code.children.length, broken: broken.map(({ text }) => text) }
      })()`)
      await page.close()
      assert.equal(seen, { text: repeat, words: repeat.split(' ').length, broken: [] })
    })
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      test(`${colorScheme}, ${width} px: no error, no request, nothing wider than the page, every chart drawn`, async (context) => {
        const page = await opened(context, whole, { width, colorScheme })
        const seen = await inPage(page, `({
          wide: document.documentElement.scrollWidth,
          blank: [...document.querySelectorAll('canvas')].filter((canvas) => !canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte !== 0)).length,
          canvases: document.querySelectorAll('canvas').length,
        })`)
        await page.close()
        assert.equal(context.problems, [])
        assert.equal(seen, { wide: width, blank: 0, canvases: 1 + 3 * 6 })
      })
    }
  }

  test('transactions are told by isolation levels: no ladder, no map, a cycle, and it fits a telephone', async (context) => {
    const page = await opened(context, transactionsPage, { width: 390, colorScheme: 'dark' })
    const seen = await inPage<{ wide: number; map: boolean; levels: [string, string][]; cycles: number; lead: string }>(page, `({
      wide: document.documentElement.scrollWidth,
      map: document.getElementById('cap-map') !== null,
      levels: [...document.querySelectorAll('data[data-field^="isolation."]')].map((cell) => [cell.dataset.field.slice(10), cell.value]),
      cycles: document.querySelectorAll('ol.cycle').length,
      lead: document.querySelector('.lead').textContent,
    })`)
    await page.close()
    assert.equal(context.problems, [])
    assert.equal([seen.wide, seen.map, Object.fromEntries(seen.levels)], [390, false, transactions.document.isolation!.levels])
    assert.ok(seen.cycles > 0)
    assert.match(seen.lead, /^Promised strict-serializable\. Violated: 1 x /)
  })

  test('the numbers in the comparison are the document’s', async (context) => {
    const page = await opened(context, whole)
    const read = await inPage(page, `[...document.querySelectorAll('.comparison tbody tr')].map((row) => Object.fromEntries([...row.querySelectorAll('data')].map((cell) => [cell.dataset.field, cell.value])))`)
    await page.close()
    const text = (value: number | string | null | undefined) => String(value ?? '')
    assert.equal(read, tour.map(({ name, document }) => {
      const facts = factsOf(name, document)
      return { strongest: text(document.strongest), majority: text(facts.majority?.share), minority: text(facts.minority?.share), p50_ms: text(facts.latency?.p50_ms), p99_ms: text(facts.latency?.p99_ms), p999_ms: text(facts.latency?.p999_ms), time_to_converge_ms: text(document.convergence.time_to_converge_ms), lost: text(document.durability.lost) }
    }))
  })

  test('ladders, tallies, and latency and availability around each fault are the document’s', async (context) => {
    const page = await opened(context, whole)
    const read = await inPage<[string, string][][]>(page, `[...document.querySelectorAll('.configuration')].map((section) => [...section.querySelectorAll('data')].map((cell) => [cell.dataset.field, cell.value]))`)
    await page.close()
    const phases = (cells: [string, string][]) => cells.filter(([field]) => field.startsWith('phase.'))
    assert.equal(read.map((cells) => cells.filter(([field]) => !/^(phase|t_visibility)\./.test(field))), tour.map(({ document }) => [...(['invoked', 'ok', 'fail', 'info'] as const).map((field) => [`operations.${field}`, String(document.operations[field])]), ...document.ladder.map((rung) => [`ladder.${rung.model}`, rung.verdict])]))
    tour.forEach(({ document }, index) => {
      const steps = document.judgements.find((judgement) => judgement.judgement === 'staleness')!.metrics['t_visibility'] as { t_ms: number | null; reads: number; consistent: number }[]
      assert.equal(read[index]!.filter(([field]) => field.startsWith('t_visibility.')), steps.flatMap((step) => (['reads', 'consistent'] as const).map((name) => [`t_visibility.${step.t_ms ?? 'later'}.${name}`, String(step[name])])))
      assert.is(phases(read[index]!).length, 3 * 2 * 3 * 5)
      for (const [field, shown] of phases(read[index]!)) {
        const [, period, group, name] = /^phase\.(.+)\.(\w+)\.(\w+)$/.exec(field)!
        const rows = [document.availability.find((row) => row.period === period && row.group === group), document.latency.find((row) => row.period === period && row.group === group && row.f === 'all')]
        const row = Object.assign({}, ...rows) as Record<string, number | null>
        assert.is(shown, String(row[name!] ?? ''), field)
      }
    })
  })

  test('every chart has its numbers behind it as a table', async (context) => {
    const page = await opened(context, renderReport({ ...input, runs: [tour[1]!] }))
    await inPage(page, `document.querySelectorAll('details.numbers').forEach((details) => { details.open = true })`)
    await page.waitForSelector('.timeline details.numbers td')
    const counts = await inPage<number[]>(page, `[...document.querySelectorAll('details.numbers')].map((details) => details.querySelectorAll('tbody tr').length)`)
    await page.close()
    assert.is(counts.length, 6)
    for (const count of counts) assert.ok(count > 0)
  })

  test('hostile strings are text and nothing else', async (context) => {
    const page = await opened(context, renderReport({ title: hostile[0]!, runs: [hostileRun()], repeat: hostile[1]!, generated: hostile[0]! }), { width: 390 })
    const seen = await inPage<{ pwned: boolean; wide: number; images: number; scripts: number; lead: string }>(page, `({ wide: document.documentElement.scrollWidth, pwned: 'pwned' in window, images: document.images.length, scripts: [...document.scripts].filter((script) => script.type === '').length, lead: document.querySelector('.lead').textContent })`)
    await page.close()
    assert.equal(context.problems, [])
    assert.equal([seen.pwned, seen.images, seen.scripts, seen.wide], [false, 0, 1, 390])
    assert.ok(seen.lead.includes('</script><script>window.pwned=1</script>'))
    assert.ok(seen.lead.includes('\\u202e'))
  })

  test('an imported history without faults, and an empty one, make reports too', async (context) => {
    const document = { ...structuredClone(tour[2]!.document), run: null, faults: [], availability: [], latency: [], strongest: null }
    const empty = { ...structuredClone(document), judgements: [], ladder: [] }
    const page = await opened(context, renderReport({ title: 'imported', runs: [{ name: 'imported', history: tour[2]!.history, document }, { name: 'empty', history: new History(), document: empty }], repeat: '', generated: '' }))
    await page.close()
    assert.equal(context.problems, [])
  })

  test('the timeline is reached and moved through by keyboard alone', async (context) => {
    const page = await opened(context, renderReport({ ...input, runs: [tour[2]!] }))
    await page.focus('.rows')
    const said = () => page.textContent('.operation')
    await page.keyboard.press('.')
    const first = await said()
    await page.keyboard.press('.')
    const second = await said()
    await page.keyboard.press('n')
    const moment = await inPage(page, `document.querySelector('select.moments').selectedIndex`)
    await page.close()
    assert.match(first!, /^process \d+ at n\d: (read|write) k\d/)
    assert.is.not(first, second)
    assert.is(moment, 1)
    assert.equal(context.problems, [])
  })

  test('operations are filtered by key, process or node, function and outcome, and the count is the history’s', async (context) => {
    const run = tour[2]!
    const page = await opened(context, renderReport({ ...input, runs: [run] }))
    const counts: string[] = []
    for (const [name, text] of [['key', 'k3'], ['process', 'n2'], ['function', 'write'], ['outcome', 'ok']] as const) {
      if (name === 'key' || name === 'process') await page.fill(`[name="${name}"]`, text)
      else await page.selectOption(`[name="${name}"]`, text)
      counts.push((await page.textContent('.filters output'))!)
    }
    await page.click('.filters .clear')
    assert.is(await page.textContent('.filters output'), '')
    await page.close()
    let left = Array.from({ length: run.history.length }, (_, row) => ({ ...run.history.event(row), end: run.history.pair[row]! })).filter((event) => event.type === 'invoke' && typeof event.process === 'number')
    const keeps: ((event: (typeof left)[0]) => boolean)[] = [(event) => event.key === 'k3', (event) => event.node === 'n2', (event) => event.f === 'write', (event) => event.end >= 0 && run.history.event(event.end).type === 'ok']
    const expected = keeps.map((keep) => (left = left.filter(keep)).length.toLocaleString('en-US'))
    assert.equal(counts, expected.map((count) => `${count} of ${run.document.operations.invoked.toLocaleString('en-US')} operations`))
  })

  test('a part of the run chosen on the strip narrows every curve; the whole run is one key away', async (context) => {
    const page = await opened(context, renderReport({ ...input, runs: [tour[2]!] }))
    const pixels = () => inPage<number[]>(page, `[...document.querySelectorAll('.charts canvas')].map((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, byte, at) => (sum * 31 + byte * at) | 0, 7))`)
    const before = await pixels()
    const strip = (await page.locator('.overview canvas').boundingBox())!
    await page.locator('.overview').scrollIntoViewIfNeeded()
    const { x, y, width } = (await page.locator('.overview canvas').boundingBox()) ?? strip
    await page.mouse.move(x + width * 0.4, y + 10)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.6, y + 10, { steps: 4 })
    await page.mouse.up()
    await page.waitForSelector('[data-act="follow"][aria-pressed="true"]')
    await inPage(page, 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    const narrowed = await pixels()
    await page.focus('.rows')
    await page.keyboard.press('f')
    await inPage(page, 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    const again = await pixels()
    await page.close()
    narrowed.forEach((sum, index) => assert.is.not(sum, before[index]))
    assert.equal(again, before)
    assert.equal(context.problems, [])
  })

  test('"show in the timeline" brings the witness into sight', async (context) => {
    const page = await opened(context, renderReport({ ...input, runs: [tour[1]!] }))
    await page.click('button.show')
    const focused = await inPage(page, `document.activeElement.className`)
    await page.close()
    assert.is(focused, 'rows')
  })

  test('axe finds nothing serious, in light and dark', async (context) => {
    const own = await openBrowser({ trusting: true })
    try {
      for (const [colorScheme, html] of [['light', whole], ['dark', renderReport({ ...input, runs: [tour[1]!] })], ['light', transactionsPage], ['dark', transactionsPage]] as const) {
        const page = await opened({ ...context, browser: own }, html, { colorScheme })
        await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') })
        const violations = await inPage<{ id: string; impact: string; nodes: { html: string }[] }[]>(page, `axe.run({ resultTypes: ['violations'] }).then((result) => result.violations)`)
        const found = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes[0]!.html.slice(0, 200)}`)
        await page.close()
        assert.equal(found, [], colorScheme)
      }
    } finally {
      await own.close()
    }
  })

  test('it prints', async (context) => {
    const page = await opened(context, whole, { colorScheme: 'dark' })
    const pdf = await page.pdf({ format: 'A4' })
    await page.close()
    assert.ok(pdf.length > 50_000)
    assert.equal(context.problems, [])
  })
} else {
  test('skipped', () => undefined)
}

test.run()
