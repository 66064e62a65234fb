import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fold, murmur3, murmur3Bytes } from './hash.ts'

/** Values of the reference implementation (SMHasher). */
const known: readonly (readonly [text: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['test', 0, 0xba6bd213],
  ['Hello, world!', 0, 0xc0363e43],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
]

test('hashes are those of the reference implementation', () => {
  for (const [text, seed, hash] of known) assert.is(murmur3(text, seed), hash, text)
})

test('a string and its latin1 bytes have one hash, whatever the bytes and the length', () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Buffer.from(Array.from({ length: length + 3 }, (_, i) => (i * 37 + length * 11) & 0xff))
    assert.is(murmur3Bytes(bytes, 3, 7), murmur3(bytes.toString('latin1', 3), 7), `length ${length}`)
  }
})

test('folding depends on the order of the words', () => {
  assert.is.not(fold(fold(1, 2), 3), fold(fold(1, 3), 2))
})

test.run()
