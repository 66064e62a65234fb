/**
 * MurmurHash3, the 32-bit variant (Austin Appleby's public-domain algorithm): the partitioner's hash, the anti-entropy
 * digests' hash and the records' checksum. Not cryptographic: it spreads, it does not protect.
 */

const C1 = 0xcc9e2d51
const C2 = 0x1b873593

function mixBlock(hash: number, block: number): number {
  let k = Math.imul(block, C1)
  k = (k << 15) | (k >>> 17)
  const h = hash ^ Math.imul(k, C2)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

function mixTail(hash: number, tail: number): number {
  const k = Math.imul(tail, C1)
  return hash ^ Math.imul((k << 15) | (k >>> 17), C2)
}

function finish(hash: number, length: number): number {
  let h = hash ^ length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The hash of a string whose characters stand for one byte each (latin1, as the store keeps its keys). */
export function murmur3(text: string, seed = 0): number {
  const length = text.length
  const whole = length & ~3
  let h = seed | 0
  for (let i = 0; i < whole; i += 4) {
    h = mixBlock(h, (text.charCodeAt(i) & 0xff) | ((text.charCodeAt(i + 1) & 0xff) << 8) | ((text.charCodeAt(i + 2) & 0xff) << 16) | (text.charCodeAt(i + 3) << 24))
  }
  if (whole < length) {
    let tail = 0
    for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | (text.charCodeAt(i) & 0xff)
    h = mixTail(h, tail)
  }
  return finish(h, length)
}

/** The same hash of the bytes from `start` on. */
export function murmur3Bytes(bytes: Uint8Array, start = 0, seed = 0): number {
  const length = bytes.length - start
  const whole = start + (length & ~3)
  let h = seed | 0
  for (let i = start; i < whole; i += 4) h = mixBlock(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
  if (whole < bytes.length) {
    let tail = 0
    for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!
    h = mixTail(h, tail)
  }
  return finish(h, length)
}

/** Folds one more 32-bit number into a hash. */
export function fold(hash: number, word: number): number {
  return finish(mixBlock(hash | 0, word | 0), 4)
}
