import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRequire } from 'node:module'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { browserPath, openBrowser, type TestBrowser } from '../../reports/testing/browser.ts'
import { fakeTour } from '../../reports/testing/tour.ts'
import { realClock } from '../clock.ts'
import { planDefaults } from '../plan.ts'
import { createRunServer } from './server.ts'

const required = process.env['SPLITBRAIN_REQUIRE_BROWSER'] === '1'
const tour = await fakeTour({ seconds: 4 })
const evil = '<img src=x onerror=alert(1)>'

interface Context {
  root: string
  server: Server
  browser: TestBrowser
}
const test = suite<Context>('the list of runs in a browser', { root: '', server: undefined as unknown as Server, browser: undefined as unknown as TestBrowser })

if (browserPath() !== undefined || required) {
  test.before(async (context) => {
    context.root = mkdtempSync(path.join(tmpdir(), 'splitbrain-browse-'))
    tour.forEach(({ name, document }, index) => {
      const dir = path.join(context.root, `demo/2026010${index + 1}T030405.000Z`)
      mkdirSync(dir, { recursive: true })
      writeFileSync(path.join(dir, 'plan.json'), JSON.stringify({ ...planDefaults, schema: 'splitbrain-plan/1', name: 'demo', preset: name, driver: 'process', seed: index, schedule: [] }))
      writeFileSync(path.join(dir, 'verdict.json'), JSON.stringify({ ...document, sentence: evil, run: { ...document.run!, workload: evil, seed: index } }))
    })
    context.server = createRunServer(context.root, realClock())
    await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve))
    context.browser = await openBrowser({ trusting: true })
  })
  test.after(async (context) => {
    await context.browser.close()
    context.server.closeAllConnections()
    context.server.close()
    rmSync(context.root, { recursive: true, force: true })
  })

  test('it searches, sorts, shows hostile names as text, fits a telephone, and axe finds nothing serious', async ({ browser, server }) => {
    const page = await browser.context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('dialog', (dialog) => void (problems.push(dialog.message()), dialog.dismiss()))
    await page.context().setOffline(false)
    await page.setViewportSize({ width: 390, height: 800 })
    await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
    await page.waitForSelector('html[data-ready]')
    const column = (index: number) => page.evaluate<string[]>(`[...document.querySelectorAll('#runs tbody tr')].map((row) => row.children[${index}].textContent)`)
    assert.equal(await column(2), ['one', 'quorum', 'abd'])
    assert.equal(await column(3), [evil, evil, evil])
    await page.click('[data-sort="configuration"]')
    assert.equal(await column(2), ['abd', 'one', 'quorum'])
    await page.fill('[name="text"]', 'seed:1')
    assert.equal(await column(2), ['quorum'])
    assert.is(await page.evaluate<number>('document.documentElement.scrollWidth'), 390)
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') })
    const serious = await page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then((result) => result.violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => one.id))`)
    await page.close()
    assert.equal(serious, [])
    assert.equal(problems, [])
  })
} else {
  test('skipped', () => undefined)
}

test.run()
