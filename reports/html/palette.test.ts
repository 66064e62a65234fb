import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dark, light, paletteCss } from './palette.ts'
import type { Palette } from './palette.ts'

/** WCAG 2's relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const text: readonly (keyof Palette)[] = ['ink', 'muted', 'accent', 'holds', 'violated', 'unknown']
const lines: readonly (keyof Palette)[] = ['ok', 'fail', 'info', 'anomaly', 'majority', 'minority', 'p50', 'p99', 'p999', 'series1', 'series2', 'series3', 'series4', 'series5', 'series6', 'accent']

for (const [name, palette] of [['light', light], ['dark', dark]] as const) {
  test(`${name}: text has a contrast of 4.5 on everything it stands on`, () => {
    for (const ink of text) for (const ground of ['paper', 'surface', 'sunken'] as const) assert.ok(contrast(palette[ink], palette[ground]) >= 4.5, `${ink} on ${ground}: ${contrast(palette[ink], palette[ground]).toFixed(2)}`)
    assert.ok(contrast(palette.faultInk, palette.surface) >= 4.5)
    for (const ink of ['series1', 'series2', 'series3', 'series4', 'series5', 'series6'] as const) assert.ok(contrast(palette[ink], palette.surface) >= 4.5, `${ink}: names on the CAP map`)
  })
  test(`${name}: what is drawn has a contrast of 3 on paper, and on a fault's shade`, () => {
    for (const ink of lines) for (const ground of ['surface', 'fault'] as const) {
      if (ink.startsWith('series') && ground === 'fault') continue
      const least = ground === 'fault' && (ink === 'fail' || ink === 'ok') ? 2.4 : 3
      assert.ok(contrast(palette[ink], palette[ground]) >= least, `${ink} on ${ground}: ${contrast(palette[ink], palette[ground]).toFixed(2)}`)
    }
  })
}

test('paper is light, whatever the reader’s system says', () => {
  assert.ok(paletteCss().lastIndexOf(light.paper) > paletteCss().lastIndexOf(dark.paper))
})

test.run()
