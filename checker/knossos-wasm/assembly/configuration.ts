/**
 * Configurations: what may be true at one moment of the history. A record holds the state of the object, which of the
 * operations that are open took effect, which may be hidden directly before the last that overwrote the state, and how many crashed
 * operations of each type took effect.
 */
import { alloc, get, put } from './memory'
import { crashCount } from './problem'

// A record: state, done words, hideable words, crashed counts (two u16 a word), [trace], hash link, chain link, dead.
export let words: i32 = 0 // 32 slots each
export let crashWords: i32 = 0
export let keyWords: i32 = 0 // state + done + hideable + crashed: what makes a configuration
export let recordWords: i32 = 0
export let recordBytes: usize = 0
export let doneAt: i32 = 0
export let hideAt: i32 = 0
export let crashAt: i32 = 0
export let traceAt: i32 = 0
export let linkAt: i32 = 0
export let chainAt: i32 = 0
export let deadAt: i32 = 0
export let tracing: bool = false
/** The configuration at hand, before it is kept anywhere. */
export let scratch: usize = 0

/** Lays out records for so many slots; false when memory does not suffice. */
export function layOut(slotCount: i32, tracing_: bool): bool {
  words = (slotCount + 31) >> 5
  if (words == 0) words = 1
  crashWords = (crashCount + 1) >> 1
  tracing = tracing_
  doneAt = 1
  hideAt = 1 + words
  crashAt = 1 + 2 * words
  keyWords = crashAt + crashWords
  traceAt = keyWords
  linkAt = keyWords + (tracing ? 1 : 0)
  chainAt = linkAt + 1
  deadAt = linkAt + 2
  recordWords = linkAt + 3
  recordBytes = <usize>recordWords << 2
  scratch = alloc(recordBytes)
  if (scratch == 0) return false
  memory.fill(scratch, 0, recordBytes)
  return true
}

// @ts-ignore: decorator
@inline
export function hashOf(record: usize): u32 {
  let h: u32 = 0x811c9dc5
  for (let i = 0; i < keyWords; i++) {
    h = (h ^ <u32>get(record, i)) * 0x9e3779b1
    h ^= h >> 15
  }
  h *= 0x85ebca6b
  return h ^ (h >> 13)
}

// @ts-ignore: decorator
@inline
export function sameKey(record: usize): bool {
  for (let i = 0; i < keyWords; i++) if (get(record, i) != get(scratch, i)) return false
  return true
}

// @ts-ignore: decorator
@inline
export function copyRecord(to: usize, from: usize): void {
  for (let i = 0; i < linkAt; i++) put(to, i, get(from, i))
}

/** How many crashed operations of a type took effect in a configuration. */
// @ts-ignore: decorator
@inline
export function crashedIn(record: usize, index: i32): i32 {
  return load<u16>(record + (<usize>crashAt << 2) + (<usize>index << 1))
}

// @ts-ignore: decorator
@inline
export function useCrashed(record: usize, index: i32): void {
  const address = record + (<usize>crashAt << 2) + (<usize>index << 1)
  store<u16>(address, load<u16>(address) + 1)
}
