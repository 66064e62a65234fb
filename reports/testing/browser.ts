/**
 * A browser for tests: the system's Chromium, offline, in a folder of its own that goes with it.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Where Chromium is on this machine; undefined when there is none. */
export function browserPath(): string | undefined {
  return [process.env['SPLITBRAIN_BROWSER'] ?? '', ...places].find((place) => place !== '' && existsSync(place))
}

/** A browser and the folder that it may write to. */
export interface TestBrowser {
  readonly context: BrowserContext
  readonly dir: string
  close(): Promise<void>
}

/** Starts it. `trusting` lets a test's own scripts past the page's Content-Security-Policy. */
export async function openBrowser(options: { readonly trusting?: boolean } = {}): Promise<TestBrowser> {
  const dir = mkdtempSync(path.join(tmpdir(), 'splitbrain-browser-'))
  const context = await chromium.launchPersistentContext(path.join(dir, 'profile'), { executablePath: browserPath()!, headless: true, offline: true, bypassCSP: options.trusting === true, args: quiet })
  return {
    context,
    dir,
    async close() {
      await context.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
