import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatDate, formatMs, formatShare, formatValue, keptTogether, shortened, visible, visibleLines } from './format.ts'

const plain = (text: string) => text.replaceAll('\u00a0', ' ')

test('a share is never rounded up to 100 % or down to 0 %', () => {
  assert.is(plain(formatShare(1)), '100 %')
  assert.is(plain(formatShare(0)), '0 %')
  assert.is(plain(formatShare(0.99874)), '99.9 %')
  assert.is(plain(formatShare(0.99996)), '99.996 %')
  assert.is(plain(formatShare(0.999999)), '99.9999 %')
  assert.is(plain(formatShare(0.00001)), '0.001 %')
  assert.is(plain(formatShare(1e-12)), '<0.000001 %')
  assert.is(formatShare(null), '–')
})

test('durations have three digits and the unit that suits them', () => {
  assert.is(plain(formatMs(0)), '0 ms')
  assert.is(plain(formatMs(0.84)), '840 µs')
  assert.is(plain(formatMs(7.249)), '7.25 ms')
  assert.is(plain(formatMs(12.34)), '12.3 ms')
  assert.is(plain(formatMs(999.7)), '1.00 s')
  assert.is(plain(formatMs(125_000)), '2 min 5 s')
  assert.is(formatMs(undefined), '–')
})

test('characters that hide or reorder text are written out', () => {
  assert.is(visible('a\u202eb\u2028c\u0007'), 'a\\u202eb\\u2028c\\u0007')
  assert.is(formatValue('\u200fkey'), '"\\u200fkey"')
})

test('values stand bare where that is unambiguous, and are cut with a sign that they are', () => {
  assert.is(formatValue('k7'), 'k7')
  assert.is(formatValue('two words'), '"two words"')
  assert.is(formatValue('7'), '"7"')
  assert.is(formatValue(7), '7')
  assert.is(formatValue(null), 'nil')
  assert.is(formatValue('x'.repeat(1_000_000), 10), 'xxxxxxxxx…')
  assert.is(shortened('abc', 3), 'abc')
})

test('lines stay lines, and what is invisible in them is written out', () => {
  assert.is(visibleLines('it died. Its log ends:\nlistening\n\u001b[31mbad'), 'it died. Its log ends:\n  listening\n  \\u001b[31mbad')
})

test('a number and its unit are kept together', () => {
  assert.is(keptTogether('after 12.4 s, 3 of 20 seconds, 100 %.'), 'after 12.4\u00a0s, 3 of 20 seconds, 100\u00a0%.')
})

test('a date is written as people write it, and anything else left alone', () => {
  assert.is(formatDate('2026-01-02T03:04:05.678Z'), '2026-01-02 03:04:05 UTC')
  assert.is(formatDate('yesterday'), 'yesterday')
})

test.run()
