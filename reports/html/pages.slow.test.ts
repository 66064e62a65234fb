import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { seededRandom } from '../../harness/random.ts'
import { compareCampaigns } from '../campaign/compare.ts'
import { summarize } from '../campaign/summary.ts'
import type { Result } from '../campaign/results.ts'
import { compare } from '../compare.ts'
import { browserPath, openBrowser, type TestBrowser } from '../testing/browser.ts'
import { fakeTour } from '../testing/tour.ts'
import { renderCampaign } from './campaign.ts'
import { renderCampaignComparisonPage, renderComparisonPage } from './comparison.ts'

const required = process.env['SPLITBRAIN_REQUIRE_BROWSER'] === '1'
const evil = '<img src=x onerror=alert(1)>'
const [abd, , one] = await fakeTour({ seconds: 6 })

const result = (configuration: string, seed: number, broken: boolean): Result => ({
  configuration, nemesis: evil, seed, verdict: broken ? 'violated' : 'holds', reason: null, sentence: evil, strongest: 'regular', operations: 1000, majority: 1, minority: 0, p50_ms: 1, p99_ms: 9, elapsed_ms: 1200,
  findings: broken ? [{ judgement: 'linearizable', fingerprint: `Not linearizable during ${evil}`, size: 3, explanation: evil }] : [], dir: `cells/${seed}`, repeat: `npx splitbrain run --name '${evil}' --seed ${seed}`,
})
const was = Array.from({ length: 20 }, (_, seed) => result('a rather long name of a configuration', seed, false))
const is = was.map((before, seed) => (seed % 2 === 0 ? before : result(before.configuration, seed, true)))
const paths = { before: 'runs/a', after: evil }
const pages = {
  campaign: renderCampaign({ title: evil, started: '2026-01-02T03:04:05Z', repeat: 'npx splitbrain campaign', summary: summarize(is), impossible: [{ cell: evil, reason: evil }], cut: null, trend: [{ started: '2026-01-01T00:00:00Z', runs: 3, violated: 1, unknown: 0 }, { started: '2026-01-02T00:00:00Z', runs: 20, violated: 10, unknown: 0 }] }),
  comparison: renderComparisonPage(paths, compare([{ ...abd!, name: evil }], [{ ...one!, name: evil }], seededRandom(1).float)),
  campaigns: renderCampaignComparisonPage(paths, compareCampaigns(was, is)),
}

const test = suite<{ browser: TestBrowser }>('pages of campaigns and comparisons in a browser', { browser: undefined as unknown as TestBrowser })
if (browserPath() !== undefined || required) {
  test.before(async (context) => void (context.browser = await openBrowser({ trusting: true })))
  test.after(async (context) => context.browser.close())

  for (const [name, html] of Object.entries(pages)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${name}, ${colorScheme}: no error, no request, fits a telephone, hostile names are text, axe finds nothing serious`, async ({ browser }) => {
        const file = path.join(browser.dir, `${name}.html`)
        writeFileSync(file, html)
        const page = await browser.context.newPage()
        const problems: string[] = []
        page.on('pageerror', (error) => problems.push(error.message))
        page.on('dialog', (dialog) => void (problems.push(dialog.message()), dialog.dismiss()))
        page.on('request', (request) => request.url() !== `file://${file}` && problems.push(request.url()))
        await page.setViewportSize({ width: 390, height: 800 })
        await page.emulateMedia({ colorScheme })
        await page.goto(`file://${file}`)
        const seen = await page.evaluate<{ wide: number; images: number; says: boolean }>(`({ wide: document.documentElement.scrollWidth, images: document.images.length, says: document.body.innerText.includes(${JSON.stringify(evil)}) })`)
        await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') })
        const serious = await page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then((result) => result.violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => one.id + ': ' + one.nodes[0].html))`)
        await page.close()
        assert.equal(seen, { wide: 390, images: 0, says: true })
        assert.equal(serious, [])
        assert.equal(problems, [])
      })
    }
  }
} else {
  test('skipped', () => undefined)
}

test.run()
