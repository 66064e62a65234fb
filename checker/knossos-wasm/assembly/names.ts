/**
 * The names that the scanner was taught (functions, types, nodes, strings that are values) and their codes: a hash table of
 * strings, which are read eight bytes at a time, because most names are shorter than that.
 */
import { alloc } from './memory'

const TABLE_SIZE: u32 = 1 << 16
let table: usize = 0 // entries of hash, length, address, code
let names: u32 = 0

// Namespaces, mixed into the hash. The first three are known to the host.
export const FUNCTION: u32 = 1
export const NODE: u32 = 2
export const VALUE: u32 = 3
export const TYPE: u32 = 4

/** The code of the name last found. */
export let named: i32 = 0

const ONES: u64 = 0x0101010101010101
const HIGH: u64 = 0x8080808080808080
const QUOTES: u64 = 0x2222222222222222
const BACKSLASHES: u64 = 0x5c5c5c5c5c5c5c5c
const SPACES: u64 = 0x2020202020202020
const QUOTE: u32 = 34

/** Begins with no names, in memory that nobody has written to: so the table is empty, and only what is used of it is ever touched. False when memory does not suffice. */
export function forgetNames(): bool {
  names = 0
  table = alloc(<usize>TABLE_SIZE * 16)
  if (table == 0) return false
  return true
}

/** The high bit of the first byte that ends a plain string (a quote, a backslash, a control character); what stands behind that one is of no account. */
// @ts-ignore: decorator
@inline
function special(word: u64): u64 {
  const quote = word ^ QUOTES
  const backslash = word ^ BACKSLASHES
  return (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) | ((word - SPACES) & ~word)) & HIGH
}

// @ts-ignore: decorator
@inline
function mixed(hash: u64, word: u64): u64 {
  const h = (hash ^ word) * 0x9e3779b97f4a7c15
  return h ^ (h >> 29)
}

/** The first `bytes` (below 8) of a word. */
// @ts-ignore: decorator
@inline
function head(word: u64, bytes: u64): u64 {
  return word & (((<u64>1) << (bytes << 3)) - 1)
}

// @ts-ignore: decorator
@inline
function hashOf(mix: u64, length: u32): u32 {
  const h = <u32>(mix >> 32) ^ length
  return h == 0 ? 1 : h
}

/** Copies are padded with zeros. */
function isSame(copy: usize, from: usize, length: u32): bool {
  let i: u32 = 0
  for (; i + 8 <= length; i += 8) if (load<u64>(copy + i) != load<u64>(from + i)) return false
  return (length & 7) == 0 || load<u64>(copy + i) == head(load<u64>(from + i), length & 7)
}

/** The entry of a name, or a free one. */
function entryOf(hash: u32, from: usize, length: u32): usize {
  let slot = hash & (TABLE_SIZE - 1)
  let entry = table + <usize>slot * 16
  while (load<u32>(entry) != 0 && !(load<u32>(entry) == hash && load<u32>(entry, 4) == length && isSame(load<u32>(entry, 8), from, length))) {
    slot = (slot + 1) & (TABLE_SIZE - 1)
    entry = table + <usize>slot * 16
  }
  return entry
}

/** Teaches a name: the bytes at `from` (readable to a multiple of eight) have this code. They are copied. */
export function learn(space: u32, from: usize, length: u32, code: i32): void {
  if (names * 2 >= TABLE_SIZE) return
  let mix: u64 = space
  let i: u32 = 0
  for (; i + 8 <= length; i += 8) mix = mixed(mix, load<u64>(from + i))
  mix = mixed(mix, head(load<u64>(from + i), length & 7))
  const hash = hashOf(mix, length)
  const entry = entryOf(hash, from, length)
  if (load<u32>(entry) != 0) return
  const copy = alloc(length + 8)
  if (copy == 0) return
  memory.fill(copy, 0, length + 8)
  memory.copy(copy, from, length)
  store<u32>(entry, hash)
  store<u32>(entry, length, 4)
  store<u32>(entry, <u32>copy, 8)
  store<i32>(entry, code, 12)
  names++
}

/** Reads a string without escapes, at its opening quote, and leaves its code in `named`. Returns where it ends; 0 when it is not known. */
// @ts-ignore: decorator
@inline
export function name(space: u32, p: usize): usize {
  const word = load<u64>(p, 1)
  const ends = special(word)
  if (ends == 0) return longName(space, p + 1)
  const left = ctz(ends) >> 3
  if (load<u8>(p + 1 + <usize>left) != QUOTE) return 0
  const last = head(word, left)
  const hash = hashOf(mixed(space, last), <u32>left)
  const entry = table + <usize>(hash & (TABLE_SIZE - 1)) * 16
  // The name that was put there first, mostly.
  if (load<u32>(entry) == hash && load<u32>(entry, 4) == <u32>left && load<u64>(load<u32>(entry, 8)) == last) {
    named = load<i32>(entry, 12)
    return p + 2 + <usize>left
  }
  return found(hash, p + 1, <u32>left)
}

/** As name, for more than seven bytes. */
function longName(space: u32, begun: usize): usize {
  let at = begun
  let mix: u64 = space
  let word = load<u64>(at)
  let ends = special(word)
  while (ends == 0) {
    mix = mixed(mix, word)
    at += 8
    word = load<u64>(at)
    ends = special(word)
  }
  const left = ctz(ends) >> 3
  const length = <u32>(at + <usize>left - begun)
  if (load<u8>(begun + length) != QUOTE) return 0
  return found(hashOf(mixed(mix, head(word, left)), length), begun, length)
}

function found(hash: u32, begun: usize, length: u32): usize {
  const entry = entryOf(hash, begun, length)
  if (load<u32>(entry) == 0) return 0
  named = load<i32>(entry, 12)
  return begun + length + 1
}
