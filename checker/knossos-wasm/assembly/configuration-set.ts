/**
 * Sets of configurations without those that are dominated: records in a growing arena, found by hash, and chained by state.
 * Three of them take turns: the frontier is one, the search at a response is `seen`, its results go to `out`.
 */
import { chainAt, copyRecord, crashAt, crashWords, deadAt, doneAt, hashOf, hideAt, linkAt, recordBytes, sameKey, scratch, words } from './configuration'
import { alloc, breakOff, get, NONE, put } from './memory'
import { pureMask } from './open'

// A set: table, its mask, records, capacity, count, live, heads of chains (7 words of 8 bytes).
const SET_BYTES: usize = 64
const TABLE: usize = 0
const MASK: usize = 8
export const RECORDS: usize = 16
const CAPACITY: usize = 24
export const COUNT: usize = 32
export const LIVE: usize = 40
const HEADS: usize = 48
const CHAIN_MAX: i32 = 400
const HEAD_COUNT: i32 = 1024

export let front: usize = 0
export let seen: usize = 0
export let out: usize = 0

/** Makes the three sets, empty; false when memory does not suffice. */
export function makeSets(): bool {
  front = alloc(SET_BYTES * 3)
  if (front == 0) return false
  seen = front + SET_BYTES
  out = front + SET_BYTES * 2
  return makeSet(front) && makeSet(seen) && makeSet(out)
}

/** What the search found is the frontier now. */
export function advance(): void {
  clearSet(seen)
  clearSet(front)
  const swap = front
  front = out
  out = swap
}

function makeSet(set: usize): bool {
  const capacity: usize = 256
  const table = alloc(1024 * 4)
  const records = alloc(capacity * recordBytes)
  const heads = alloc(<usize>HEAD_COUNT * 4)
  if (table == 0 || records == 0 || heads == 0) return false
  memory.fill(table, 0, 1024 * 4)
  memory.fill(heads, 0xff, <usize>HEAD_COUNT * 4)
  store<usize>(set + TABLE, table)
  store<usize>(set + MASK, 1023)
  store<usize>(set + RECORDS, records)
  store<usize>(set + CAPACITY, capacity)
  store<usize>(set + COUNT, 0)
  store<usize>(set + LIVE, 0)
  store<usize>(set + HEADS, heads)
  return true
}

function clearSet(set: usize): void {
  const count = load<usize>(set + COUNT)
  const table = load<usize>(set + TABLE)
  const mask = load<usize>(set + MASK)
  const heads = load<usize>(set + HEADS)
  if (count * 4 > mask) {
    memory.fill(table, 0, (mask + 1) * 4)
    memory.fill(heads, 0xff, <usize>HEAD_COUNT * 4)
  } else {
    let record = load<usize>(set + RECORDS)
    for (let i: usize = 0; i < count; i++, record += recordBytes) {
      store<i32>(table + (<usize>get(record, linkAt) << 2), 0)
      put(heads, get(record, 0) & (HEAD_COUNT - 1), NONE)
    }
  }
  store<usize>(set + COUNT, 0)
  store<usize>(set + LIVE, 0)
}

/** Larger arena and table. The old ones are lost to the bump pointer, which costs at most as much again. */
function growSet(set: usize): bool {
  const capacity = load<usize>(set + CAPACITY) * 2
  const records = alloc(capacity * recordBytes)
  const size = capacity * 4
  const table = alloc(size * 4)
  if (records == 0 || table == 0) return false
  const count = load<usize>(set + COUNT)
  memory.copy(records, load<usize>(set + RECORDS), count * recordBytes)
  memory.fill(table, 0, size * 4)
  const mask = size - 1
  let record = records
  for (let i: usize = 0; i < count; i++, record += recordBytes) {
    let slot = <usize>hashOf(record) & mask
    while (load<i32>(table + (slot << 2)) != 0) slot = (slot + 1) & mask
    store<i32>(table + (slot << 2), <i32>i + 1)
    put(record, linkAt, <i32>slot)
  }
  store<usize>(set + RECORDS, records)
  store<usize>(set + CAPACITY, capacity)
  store<usize>(set + TABLE, table)
  store<usize>(set + MASK, mask)
  return true
}

/** Whether a is at least as good as b (states are equal): whatever b can still do, a can. */
function dominates(a: usize, b: usize): bool {
  for (let w = 0; w < words; w++) {
    const doneA = get(a, doneAt + w)
    const doneB = get(b, doneAt + w)
    const hideA = get(a, hideAt + w)
    const hideB = get(b, hideAt + w)
    const pure = get(pureMask, w)
    if (((doneB & ~doneA) & pure) != 0) return false
    if (((doneA ^ doneB) & ~hideA & ~pure) != 0) return false
    if ((hideB & ~hideA) != 0) return false
  }
  for (let w = 0; w < crashWords; w++) {
    const x = <u32>get(a, crashAt + w)
    const y = <u32>get(b, crashAt + w)
    if ((x & 0xffff) > (y & 0xffff) || (x >> 16) > (y >> 16)) return false
  }
  return true
}

/** Adds the scratch record unless it is already there or dominated. */
export function insert(set: usize): void {
  let count = load<usize>(set + COUNT)
  if (count == load<usize>(set + CAPACITY)) {
    if (!growSet(set)) {
      breakOff()
      return
    }
  }
  const table = load<usize>(set + TABLE)
  const mask = load<usize>(set + MASK)
  const records = load<usize>(set + RECORDS)
  let slot = <usize>hashOf(scratch) & mask
  for (;;) {
    const found = load<i32>(table + (slot << 2))
    if (found == 0) break
    if (sameKey(records + <usize>(found - 1) * recordBytes)) return
    slot = (slot + 1) & mask
  }
  const heads = load<usize>(set + HEADS)
  const bucket = get(scratch, 0) & (HEAD_COUNT - 1)
  const head = get(heads, bucket)
  let index = head
  let live = load<usize>(set + LIVE)
  for (let steps = 0; index != NONE && steps < CHAIN_MAX; steps++) {
    const other = records + <usize>index * recordBytes
    if (get(other, deadAt) == 0 && get(other, 0) == get(scratch, 0)) {
      if (dominates(other, scratch)) return
      if (dominates(scratch, other)) {
        put(other, deadAt, 1)
        live--
      }
    }
    index = get(other, chainAt)
  }
  const record = records + count * recordBytes
  copyRecord(record, scratch)
  put(record, linkAt, <i32>slot)
  put(record, chainAt, head)
  put(record, deadAt, 0)
  put(heads, bucket, <i32>count)
  store<i32>(table + (slot << 2), <i32>count + 1)
  store<usize>(set + COUNT, count + 1)
  store<usize>(set + LIVE, live + 1)
}
