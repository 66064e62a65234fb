import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { seededRandom } from '../../harness/random.ts'
import { compareCampaigns } from '../campaign/compare.ts'
import { compare } from '../compare.ts'
import { browserPath, openBrowser, type TestBrowser } from '../testing/browser.ts'
import { fakeSummary, type FakeCell } from '../testing/campaign.ts'
import { fakeTour } from '../testing/tour.ts'
import { renderCampaign } from './campaign.ts'
import { renderCampaignComparisonPage, renderComparisonPage } from './comparison.ts'

const required = process.env['SPLITBRAIN_REQUIRE_BROWSER'] === '1'
const evil = '<img src=x onerror=alert(1)>'
const [abd, , one] = await fakeTour({ seconds: 6 })

const cell = (nemesis: string, counts: Partial<FakeCell>): FakeCell => ({ configuration: 'a rather long name of a configuration', nemesis, ...counts })
const was = fakeSummary([cell(evil, { decided: 20 }), cell('kill', { decided: 5 }), cell('pause', { decided: 20, violated: 20 }), cell('none', { decided: 3 })])
const is = fakeSummary([
  cell(evil, { decided: 20, violated: 10, fingerprint: `Not linearizable during ${evil}` }),
  cell('kill', { decided: 40, violated: 1, pending: 2 }),
  cell('pause', { decided: 20, unknown: 3, stopped: true }),
  cell('none', { decided: 3 }),
  cell('slow', { pending: 1 }),
  cell('delay', {}),
  cell('skew', { impossible: evil }),
])
const paths = { before: 'runs/a', after: evil }
const pages = {
  campaign: renderCampaign({ title: evil, started: '2026-01-02T03:04:05Z', repeat: 'npx splitbrain campaign', summary: is, cut: null, trend: [{ started: '2026-01-01T00:00:00Z', runs: 3, violated: 1, unknown: 0 }, { started: '2026-01-02T00:00:00Z', runs: 20, violated: 10, unknown: 0 }] }),
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
