/** The package as it is built runs in a browser: a page loads it from a plain file server and checks two histories. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AddressInfo } from 'node:net'

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const root = dirname(fileURLToPath(import.meta.url))

/** Runs in the page. */
const script = `
  const { check, createMonitor, models, readJsonl } = await import('/index.js')
  const line = (process, type, f, value, time) => JSON.stringify({ process, type, f, value, time }) + '\\n'
  const text = line(0, 'invoke', 'write', 1, 1) + line(0, 'ok', 'write', 1, 2) + line(1, 'invoke', 'write', 2, 3) + line(1, 'ok', 'write', 2, 4)
  const good = readJsonl(new TextEncoder().encode(text + line(2, 'invoke', 'read', null, 5) + line(2, 'ok', 'read', 2, 6)))
  const bad = readJsonl(new TextEncoder().encode(text + line(2, 'invoke', 'read', null, 5) + line(2, 'ok', 'read', 1, 6)))
  const strict = models.casRegister({ failedCas: 'strict', initial: 1 })
  const twice = readJsonl(new TextEncoder().encode(text + line(2, 'invoke', 'write', 1, 5) + line(2, 'ok', 'write', 1, 6)))
  const monitor = createMonitor({ model: models.register() })
  return [
    (await check(good, { model: models.register() })).verdict,
    (await check(bad, { model: models.register() })).witness.operations.length,
    (await check(twice, { model: strict, workers: 2 })).perKey[0].algorithm,
    (await monitor.finish()).verdict,
  ]`

test('it checks histories in headless Chromium', async () => {
  if (!existsSync(chromium)) {
    console.log(`skipped: no browser at ${chromium} (set CHROMIUM)`)
    return
  }
  const { chromium: browserType } = await import('playwright-core')
  const server = createServer((request, response) => {
    const path = join(root, normalize(new URL(request.url!, 'http://localhost').pathname))
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end('<!doctype html><title>knossos-wasm</title>')
    if (!path.startsWith(root) || !existsSync(path)) return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/javascript').end(readFileSync(path))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await browserType.launch({ executablePath: chromium, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const found = await page.evaluate<unknown>(`(async () => {${script}})()`)
    assert.equal(found, ['holds', 3, 'window', 'holds'])
  } finally {
    await browser.close()
    server.close()
    server.closeAllConnections()
  }
})

test.run()
