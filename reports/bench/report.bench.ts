/**
 * What a report costs: time to write, size, time until the page is ready, time for a frame of the timeline.
 */
import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import path from 'node:path'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { History } from '../../checker/history/index.ts'
import { formatCount, formatMs } from '../format.ts'
import { renderReport } from '../html/page.ts'
import { browserPath, openBrowser } from '../testing/browser.ts'
import { fakeTour } from '../testing/tour.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'

const processes = 20

/** Many operations on a register, one in five hundred of them failed or unknown; latencies spread as they do. */
function manyOperations(count: number): History {
  const chance = xoroshiro128plus(7)
  const float = () => (chance.next() >>> 0) / 2 ** 32
  const history = new History()
  const free = new Float64Array(processes)
  const names = Int32Array.from({ length: processes }, (_, index) => index)
  const pending: { at: number; thread: number; f: string; key: string; value: number }[] = []
  let written = 0
  let now = 0
  const finish = (until: number) => {
    pending.sort((a, b) => a.at - b.at)
    while (pending.length > 0 && pending[0]!.at <= until) {
      const { at, thread, f, key, value } = pending.shift()!
      const luck = float()
      const type = luck < 0.001 ? 'info' : luck < 0.002 ? 'fail' : 'ok'
      history.push({ time: at, process: names[thread]!, type, f, key, value, node: `n${(thread % 5) + 1}` })
      if (type === 'info') names[thread]! += processes
    }
  }
  for (let index = 0; index < count; index++) {
    const thread = free.indexOf(Math.min(...free))
    now = Math.max(now, free[thread]!) + Math.round(float() * 2000)
    finish(now)
    const f = float() < 0.5 ? 'write' : 'read'
    const value = f === 'write' ? ++written : Math.max(0, written - Math.floor(float() * 20))
    const key = `k${Math.floor(float() * 20)}`
    history.push({ time: now, process: names[thread]!, type: 'invoke', f, key, value: f === 'write' ? value : null, node: `n${(thread % 5) + 1}` })
    free[thread] = now + Math.round(3e5 - 1e6 * Math.log(1 - float()))
    pending.push({ at: free[thread], thread, f, key, value })
  }
  finish(Number.POSITIVE_INFINITY)
  return history
}

/** A verdict that fits: two faults, and a witness somewhere in the middle. */
async function documentFor(history: History, count: number): Promise<VerdictDocument> {
  const document = structuredClone((await fakeTour({ seconds: 4 }))[0]!.document)
  const end = history.timeAt(history.length - 1)
  document.run = { ...document.run!, clients: processes }
  document.faults = document.faults.map((fault, index) => ({ ...fault, from_ns: end * (0.2 + 0.3 * index), to_ns: end * (0.3 + 0.3 * index), healed_ns: end * (0.31 + 0.3 * index) })).slice(0, 2)
  const middle = Array.from({ length: 400 }, (_, index) => Math.floor(history.length / 2) + index).filter((row) => history.type[row] === 0).slice(0, 3)
  document.judgements[0] = { ...document.judgements[0]!, verdict: 'violated', operations: count, witnesses: [{ operations: middle, explanation: 'Made up for the benchmark.' }] }
  return document
}

async function inBrowser(html: string, print: (line: string) => void): Promise<void> {
  const browser = await openBrowser()
  try {
    const file = path.join(browser.dir, 'report.html')
    writeFileSync(file, html)
    const page = await browser.context.newPage()
    await page.setViewportSize({ width: 1280, height: 900 })
    const loads: number[] = []
    for (let load = 0; load < 3; load++) {
      const begun = performance.now()
      await page.goto(`file://${file}`)
      await page.waitForSelector('html[data-ready]')
      loads.push(performance.now() - begun)
    }
    print(`  ready in the browser after   ${formatMs(Math.min(...loads))} (least of ${loads.length})`)
    const frame = (key: string) => page.evaluate<number>(`new Promise((done) => {
      const begun = performance.now()
      document.querySelector('.rows').dispatchEvent(new KeyboardEvent('keydown', { key: ${JSON.stringify(key)} }))
      requestAnimationFrame(() => { document.querySelector('.rows canvas').getContext('2d').getImageData(0, 0, 1, 1); done(performance.now() - begun) })
    })`)
    for (const [name, keys] of [['whole run', ['Home', 'Home', 'Home']], ['a half', ['+']], ['1/16', ['+', '+', '+']], ['1/1024', ['+', '+', '+', '+', '+', '+']]] as const) {
      for (const key of keys) await frame(key)
      const frames: number[] = []
      for (let at = 0; at < 10; at++) frames.push(await frame(at % 2 === 0 ? 'ArrowRight' : 'ArrowLeft'))
      print(`  frame, ${name.padEnd(22)}${formatMs(Math.min(...frames))} (least of ${frames.length})`)
    }
  } finally {
    await browser.close()
  }
}

export const bench = {
  name: 'report',
  describes: 'writes a report of many operations (default 1000000) and opens it in Chromium where there is one',
  run: async (args: string[], print: (line: string) => void): Promise<void> => {
    const count = Number(args[0] ?? 1_000_000)
    const history = manyOperations(count)
    const document = await documentFor(history, count)
    const begun = performance.now()
    const html = renderReport({ title: 'many', runs: [{ name: 'many', document, history }], repeat: '', generated: '' })
    print(`${formatCount(count)} operations`)
    print(`  written in                   ${formatMs(performance.now() - begun)}`)
    print(`  size                         ${(html.length / 1e6).toFixed(2)} MB`)
    if (browserPath() !== undefined) await inBrowser(html, print)
  },
}
