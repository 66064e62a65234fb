/**
 * The colours, once, as data: the style sheet's variables, the charts and the contrast test read the same table.
 *
 * Restrained on purpose: paper, ink, and few signals. ok is neutral, fail grey, info hatched amber, an anomaly red
 * with a diamond; every signal has a shape or a dash as well. A canvas is opaque to accessibility checkers, so the
 * contrast of everything drawn on one is computed in a test instead.
 */

/** What needs a colour. */
export interface Palette {
  readonly paper: string
  readonly surface: string
  readonly sunken: string
  readonly ink: string
  readonly muted: string
  readonly rule: string
  readonly grid: string
  readonly accent: string
  readonly holds: string
  readonly violated: string
  readonly unknown: string
  readonly ok: string
  readonly fail: string
  readonly info: string
  readonly anomaly: string
  /** The shade over a fault's window. */
  readonly fault: string
  readonly faultInk: string
  /** Sides of a partition, in order. */
  readonly majority: string
  readonly minority: string
  /** Quantiles, in order. */
  readonly p50: string
  readonly p99: string
  readonly p999: string
  /** Configurations, in order; more than six start again. */
  readonly series1: string
  readonly series2: string
  readonly series3: string
  readonly series4: string
  readonly series5: string
  readonly series6: string
}

/** For light surroundings, and for paper. */
export const light: Palette = {
  paper: '#f7f6f3',
  surface: '#ffffff',
  sunken: '#f1efea',
  ink: '#1c2026',
  muted: '#565e69',
  rule: '#dcd8cf',
  grid: '#e9e6df',
  accent: '#24557f',
  holds: '#1d6b4f',
  violated: '#b3202c',
  unknown: '#8a5a00',
  ok: '#6f8699',
  fail: '#8b8b8b',
  info: '#b06f00',
  anomaly: '#c2182b',
  fault: '#e9dfca',
  faultInk: '#6b5420',
  majority: '#24557f',
  minority: '#a2511b',
  p50: '#24557f',
  p99: '#6a5197',
  p999: '#a2416f',
  series1: '#24557f',
  series2: '#8a4f9e',
  series3: '#0f766e',
  series4: '#9a5b13',
  series5: '#4a5568',
  series6: '#a83a5b',
}

/** For dark surroundings. */
export const dark: Palette = {
  paper: '#14171b',
  surface: '#1c2026',
  sunken: '#23282f',
  ink: '#ebe8e2',
  muted: '#a7aeb8',
  rule: '#363c45',
  grid: '#2a3038',
  accent: '#8ab8e0',
  holds: '#6fc7a2',
  violated: '#ff8078',
  unknown: '#e3b04b',
  ok: '#8ea4b6',
  fail: '#8d9198',
  info: '#dea03a',
  anomaly: '#ff6b66',
  fault: '#383325',
  faultInk: '#d9c48f',
  majority: '#7fb2e0',
  minority: '#e79b62',
  p50: '#7fb2e0',
  p99: '#b8a1e3',
  p999: '#e894ba',
  series1: '#7fb2e0',
  series2: '#cf9be0',
  series3: '#5cc4b8',
  series4: '#dca35c',
  series5: '#aab4c3',
  series6: '#ee93ad',
}

/** The name of a colour's CSS variable. */
export function variable(name: keyof Palette): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Both palettes as CSS variables. */
export function paletteCss(): string {
  const block = (palette: Palette) => (Object.keys(palette) as (keyof Palette)[]).map((name) => `${variable(name)}:${palette[name]}`).join(';')
  return `:root{color-scheme:light dark;${block(light)}}@media (prefers-color-scheme:dark){:root{${block(dark)}}}@media print{:root{color-scheme:light;${block(light)}}}`
}
