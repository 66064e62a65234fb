/**
 * How numbers and strange strings are put in words, once for the terminal, the HTML report and the job summary.
 *
 * Two habits. A share is never rounded up to 100 % or down to 0 %: one failed operation in a million must stay
 * visible. And text that came out of a history is hostile until shown otherwise: control, bidirectional and
 * invisible characters are written out, so that a key cannot reorder or hide the line that it stands in.
 */

import type { Json } from '../checker/history/index.ts'

/** The space between a number and its unit: never broken over two lines. */
const thin = '\u00a0'

/** `0.99874` -> "99.9 %"; digits are added until the rounding is honest; null -> a dash. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–'
  if (share === 1 || share === 0) return `${share * 100}${thin}%`
  const percent = share * 100
  for (let digits = 1; digits <= 6; digits++) {
    const text = percent.toFixed(digits)
    if (Number(text) > 0 && Number(text) < 100) return `${text}${thin}%`
  }
  return share > 0.5 ? `>99.999999${thin}%` : `<0.000001${thin}%`
}

/** A duration with three significant digits and the unit that suits it: "840 µs", "7.25 ms", "1.25 s", "2 min 5 s". */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms === 0) return `0${thin}ms`
  if (Math.abs(ms) < 0.9995) return `${significant(ms * 1000)}${thin}µs`
  if (Math.abs(ms) < 999.5) return `${significant(ms)}${thin}ms`
  if (Math.abs(ms) < 119_500) return `${significant(ms / 1000)}${thin}s`
  const seconds = Math.round(ms / 1000)
  return `${formatCount(Math.floor(seconds / 60))}${thin}min ${seconds % 60}${thin}s`
}

/** Nanoseconds since the start of the run as seconds: "12.413 s". */
export function formatInstant(ns: number): string {
  return `${(ns / 1e9).toFixed(3)}${thin}s`
}

/** ISO 8601 in UTC as people write it: "2026-01-02 03:04:05 UTC". */
export function formatDate(iso: string): string {
  return iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC')
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** Whole numbers with thin groups: 1048576 -> "1,048,576". */
export function formatCount(count: number): string {
  return grouped.format(count)
}

/** "1 key", "4 keys". */
export function formatNoun(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`
}

/** Any number of a judgement's metrics: at most four significant digits, no exponent for what a person reads. */
export function formatNumber(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : Number(value.toPrecision(4)).toLocaleString('en-US', { maximumSignificantDigits: 4 })
}

function significant(value: number): string {
  const magnitude = Math.abs(value)
  return value.toFixed(magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2)
}

/** Characters that hide, reorder or break text: C0 and C1 controls, zero-width, bidirectional, line separators, byte-order mark. */
// eslint-disable-next-line no-control-regex
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** Writes out what would not be seen: U+202E becomes the six characters `\u202e`. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same of a text of several lines, as one that quotes the end of a log. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n  ')

/** Keeps numbers and their units on one line: "0.3 s into" never breaks before the s. */
export function keptTogether(text: string): string {
  return text.replace(/(\d) (µs|ms|s|%)(?![\w])/g, `$1${thin}$2`)
}

/** Cuts long text in the middle of nowhere, and says how much is gone. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text
  return `${text.slice(0, Math.max(1, limit - 1))}…`
}

/** A JSON value as a person writes it in a history: strings bare where that is unambiguous. */
export function formatValue(value: Json | undefined, limit = 60): string {
  if (value === null || value === undefined) return 'nil'
  if (typeof value === 'string' && /^[A-Za-z_][\w.:/-]*$/.test(value)) return shortened(value, limit)
  return shortened(visible(JSON.stringify(value)), limit)
}
