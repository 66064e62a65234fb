/**
 * The general engine: just-in-time linearization (Lowe, "Testing for linearizability", 2017) over a window.
 *
 * A configuration is what may be true at one moment of the history: the state of the object, which of the
 * operations that are open at that moment have taken effect, and how many crashed operations of each type have.
 * The engine walks over the events and keeps the set of all possible configurations (the frontier). It does
 * nothing at an invocation; at the response of X it extends every configuration until X has taken effect.
 * The history is linearizable exactly if the frontier never runs empty. Nothing grows with the history's length.
 *
 * What keeps the frontier small (each step exact; the arguments are in README.md, "The general engine"):
 *  - operations that never change the state (reads) take effect as soon as they can;
 *  - operations of the same type are interchangeable: the one that returns first goes first; crashed ones are counted;
 *  - an operation that is possible in every state may be hidden directly before one that overwrites the state
 *    (HIDEABLE): it needs no further search when it returns;
 *  - a configuration that is dominated (same state, fewer effects left to choose from) is dropped;
 *  - registers only: a write is made visible only if an open operation needs its value, and a value is not left
 *    behind while an operation still needs it that nobody else can serve in time.
 *
 * No allocation but the bump pointer below, no data segments, no imports but the memory and `step`.
 */

/** Asks the host for a transition: a state, -1 (impossible), or -3 - i (several states: length and states from word i of the memory). */
// @ts-ignore: decorator
@external('env', 'step')
declare function hostStep(state: i32, type: i32): i32
/** Asks the host whether an operation of this type may still become possible from a state that nothing overwrites. */
// @ts-ignore: decorator
@external('env', 'reaches')
declare function hostReaches(state: i32, type: i32): i32

// Operation types: flags.
const PURE: i32 = 1 // never changes the state
const TOTAL: i32 = 2 // possible in every state
const CONSTANT: i32 = 4 // overwrites: possible in every state, and the state after does not depend on the one before
const CRASHED: i32 = 8

// Outcomes of run().
const HOLDS: i32 = 0
const VIOLATED: i32 = 1
const AGAIN: i32 = 2
const OUT_OF_MEMORY: i32 = 3

const NONE: i32 = -1

// ---------------------------------------------------------------- memory

let heap: usize = 0
let limit: usize = 0

/** Forgets everything and sets how many bytes may be used. */
export function reset(base: usize, bytes: usize): void {
  heap = base
  limit = bytes
}

/** Reserves bytes (a multiple of 8); 0 when the limit would be exceeded. */
export function alloc(bytes: usize): usize {
  const at = heap
  const end = at + ((bytes + 7) & ~7)
  if (end > limit || end < at) return 0
  const have = (<usize>memory.size()) << 16
  if (end > have) {
    const pages = <i32>((end - have + 0xffff) >> 16)
    if (memory.grow(pages) < 0) return 0
  }
  heap = end
  return at
}

// ---------------------------------------------------------------- the history of one key, written by the host

let events: usize = 0 // i32: operation * 2 + (1 for a response)
let eventCount: i32 = 0
let opType: usize = 0 // i32 by operation
let opSlot: usize = 0 // i32 by operation; -1 for crashed ones
let opReturn: usize = 0 // i32 by operation: event of the response
let opKeep: usize = 0 // u8 by operation: whether its effect, made visible at its response, can still be of use
let typeFlags: usize = 0 // i32 by type
let typeNeeds: usize = 0 // i32 by type: the state it needs; -1 any; -2 - s any but s
let typeMakes: usize = 0 // i32 by type: the state after; -1 unchanged
let typeCrash: usize = 0 // i32 by type: index among the crashed types; -1
let crashType: usize = 0 // i32 by crashed type: the type
let crashCount: i32 = 0
let typeCount: i32 = 0
let stateCount: i32 = 0
let nextMake: usize = 0 // i32 by operation that makes a state: event of the next invocation of one that makes the same
let lastNeed: usize = 0 // i32 by such operation: last event before that at which an operation is invoked that nobody later can serve
let isRegister: bool = false
let forced: usize = 0 // i32 by event: type of the read that must come next, before an overwriting operation is invoked; -1

export function bind(
  events_: usize, eventCount_: i32, opType_: usize, opSlot_: usize, opReturn_: usize, opKeep_: usize,
  typeFlags_: usize, typeNeeds_: usize, typeMakes_: usize, typeCrash_: usize, typeCount_: i32,
  crashType_: usize, crashCount_: i32, stateCount_: i32, nextMake_: usize, lastNeed_: usize, isRegister_: i32, forced_: usize,
): void {
  events = events_
  eventCount = eventCount_
  opType = opType_
  opSlot = opSlot_
  opReturn = opReturn_
  opKeep = opKeep_
  typeFlags = typeFlags_
  typeNeeds = typeNeeds_
  typeMakes = typeMakes_
  typeCrash = typeCrash_
  typeCount = typeCount_
  crashType = crashType_
  crashCount = crashCount_
  stateCount = stateCount_
  nextMake = nextMake_
  lastNeed = lastNeed_
  isRegister = isRegister_ != 0
  forced = forced_
}

// @ts-ignore: decorator
@inline
function get(base: usize, index: i32): i32 {
  return load<i32>(base + (<usize>index << 2))
}

// @ts-ignore: decorator
@inline
function put(base: usize, index: i32, value: i32): void {
  store<i32>(base + (<usize>index << 2), value)
}

// ---------------------------------------------------------------- configurations

// A record: state, done words, hideable words, crashed counts (two u16 a word), [trace], hash link, chain link, dead.
let words: i32 = 0 // 32 slots each
let crashWords: i32 = 0
let keyWords: i32 = 0 // state + done + hideable + crashed: what makes a configuration
let recordWords: i32 = 0
let recordBytes: usize = 0
let doneAt: i32 = 0
let hideAt: i32 = 0
let crashAt: i32 = 0
let traceAt: i32 = 0
let linkAt: i32 = 0
let chainAt: i32 = 0
let deadAt: i32 = 0
let tracing: bool = false

// A set of configurations: records in a growing arena, found by hash, and chained by state for dominance.
// Two of them take turns: the frontier is one, the search at a response is `seen`, its results go to `out`.
let setBase: usize = 0 // by set: table, tableMask, records, capacity, count, live (6 words of 8 bytes)
const SET_BYTES: usize = 64
const TABLE: usize = 0
const MASK: usize = 8
const RECORDS: usize = 16
const CAPACITY: usize = 24
const COUNT: usize = 32
const LIVE: usize = 40
const HEADS: usize = 48

let front: usize = 0
let seen: usize = 0
let out: usize = 0
let scratch: usize = 0
let broken: bool = false // memory ran out in the middle of an event

// The window: which operation lies in each slot.
let slotOp: usize = 0
let openMask: usize = 0 // words: open slots that may change the state
let pureMask: usize = 0 // words: open slots that never do
let totalMask: usize = 0 // words: open slots that are possible in every state
let constantMask: usize = 0 // words: open slots that overwrite
let available: usize = 0 // u16 by crashed type: invoked so far
let stateNext: usize = 0 // i32 by state: nextMake now
let stateLast: usize = 0 // i32 by state: lastNeed now
let wanted: usize = 0 // i32 by state: stamp
let offered: usize = 0 // i32 by state: stamp
let stamp: i32 = 0
let anyWanted: bool = false // an open operation (a failed compare-and-set) needs any state but the present one
const CHAIN_MAX: i32 = 400
const HEAD_COUNT: i32 = 1024

// Transitions already asked for (models other than registers): open addressing on state * types + type.
let memo: usize = 0
let memoMask: i32 = 0
let memoCount: i32 = 0

let at: i32 = 0
let visits: i64 = 0
let peak: i32 = 0

// The trace (on request): entries of parent and operation.
let trace: usize = 0
let traceCapacity: i32 = 0
let traceCount: i32 = 0

export function position(): i32 {
  return at
}
export function visited(): f64 {
  return <f64>visits
}
export function peakSize(): i32 {
  return peak
}
export function frontSize(): i32 {
  return <i32>load<usize>(front + LIVE)
}
export function frontCount(): i32 {
  return <i32>load<usize>(front + COUNT)
}
export function frontRecords(): usize {
  return load<usize>(front + RECORDS)
}
export function recordSize(): i32 {
  return recordWords
}
export function traceEntries(): usize {
  return trace
}
export function traceColumn(): i32 {
  return traceAt
}
export function slots(): usize {
  return slotOp
}
export function bytesUsed(): usize {
  return heap
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

// @ts-ignore: decorator
@inline
function hashOf(record: usize): u32 {
  let h: u32 = 0x811c9dc5
  for (let i = 0; i < keyWords; i++) {
    h = (h ^ <u32>get(record, i)) * 0x9e3779b1
    h ^= h >> 15
  }
  h *= 0x85ebca6b
  return h ^ (h >> 13)
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

// @ts-ignore: decorator
@inline
function sameKey(record: usize): bool {
  for (let i = 0; i < keyWords; i++) if (get(record, i) != get(scratch, i)) return false
  return true
}

// @ts-ignore: decorator
@inline
function copyRecord(to: usize, from: usize): void {
  for (let i = 0; i < linkAt; i++) put(to, i, get(from, i))
}

/** Adds the scratch record unless it is already there or dominated. */
function insert(set: usize): void {
  let count = load<usize>(set + COUNT)
  if (count == load<usize>(set + CAPACITY)) {
    if (!growSet(set)) {
      broken = true
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

// ---------------------------------------------------------------- transitions

const REACHES: i32 = 0x40000000 // marks questions to hostReaches among the memo's types

// @ts-ignore: decorator
@inline
function memoHash(state: i32, type: i32): i32 {
  const h = (<u32>state * 0x9e3779b1) ^ (<u32>type * 0x85ebca77)
  return <i32>((h ^ (h >> 15)) * 0x2c1b3c6d >> 5)
}

function memoize(state: i32, type: i32): i32 {
  let slot = memoHash(state, type) & memoMask
  for (;;) {
    const entry = memo + <usize>slot * 12
    const found = load<i32>(entry)
    if (found == NONE) break
    if (found == state && load<i32>(entry, 4) == type) return load<i32>(entry, 8)
    slot = (slot + 1) & memoMask
  }
  const result = type >= REACHES ? hostReaches(state, type - REACHES) : hostStep(state, type)
  const entry = memo + <usize>slot * 12
  store<i32>(entry, state)
  store<i32>(entry, type, 4)
  store<i32>(entry, result, 8)
  if (++memoCount * 2 > memoMask) growMemo()
  return result
}

function growMemo(): void {
  const size = (memoMask + 1) * 2
  const larger = alloc(<usize>size * 12)
  if (larger == 0) {
    broken = true
    return
  }
  memory.fill(larger, 0xff, <usize>size * 12)
  for (let i = 0; i <= memoMask; i++) {
    const from = memo + <usize>i * 12
    const state = load<i32>(from)
    if (state == NONE) continue
    let slot = memoHash(state, load<i32>(from, 4)) & (size - 1)
    while (load<i32>(larger + <usize>slot * 12) != NONE) slot = (slot + 1) & (size - 1)
    memory.copy(larger + <usize>slot * 12, from, 12)
  }
  memo = larger
  memoMask = size - 1
}

/**
 * Whether a read that must still come, before anything not yet invoked can overwrite the state, is out of reach in
 * the scratch record for good (models that know what is out of reach).
 */
function isDeadEnd(): bool {
  if (forced == 0) return false
  const type = get(forced, at)
  if (type == NONE) return false
  for (let w = 0; w < words; w++) if ((get(constantMask, w) & ~get(scratch, doneAt + w)) != 0) return false
  for (let c = 0; c < crashCount; c++) {
    if ((get(typeFlags, get(crashType, c)) & CONSTANT) != 0 && load<u16>(scratch + (<usize>crashAt << 2) + (<usize>c << 1)) < load<u16>(available + (<usize>c << 1))) return false
  }
  return memoize(get(scratch, 0), type + REACHES) == 0
}

/** The state after an operation of this type: -1 impossible, -3 - i several (see hostStep). */
// @ts-ignore: decorator
@inline
function after(state: i32, type: i32): i32 {
  if (!isRegister) return memoize(state, type)
  const needs = get(typeNeeds, type)
  if (needs >= 0) {
    if (state != needs) return NONE
  } else if (needs != NONE && state == -2 - needs) return NONE
  const makes = get(typeMakes, type)
  return makes == NONE ? state : makes
}

// ---------------------------------------------------------------- the walk

/** Prepares the walk; false when memory does not suffice. */
export function start(initial: i32, slotCount: i32, tracing_: i32): i32 {
  words = (slotCount + 31) >> 5
  if (words == 0) words = 1
  crashWords = (crashCount + 1) >> 1
  tracing = tracing_ != 0
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
  setBase = alloc(SET_BYTES * 3)
  if (setBase == 0) return 0
  front = setBase
  seen = setBase + SET_BYTES
  out = setBase + SET_BYTES * 2
  if (!makeSet(front) || !makeSet(seen) || !makeSet(out)) return 0
  scratch = alloc(recordBytes)
  slotOp = alloc(<usize>words * 32 * 4)
  openMask = alloc(<usize>words * 4)
  pureMask = alloc(<usize>words * 4)
  totalMask = alloc(<usize>words * 4)
  constantMask = alloc(<usize>words * 4)
  available = alloc(<usize>(crashWords + 1) * 4)
  const stateSlots: i32 = isRegister ? stateCount : 1
  const states = (<usize>stateSlots) << 2
  stateNext = alloc(states)
  stateLast = alloc(states)
  wanted = alloc(states)
  offered = alloc(states)
  memo = alloc(4096 * 12)
  trace = tracing ? alloc(65536 * 8) : 8
  if (scratch == 0 || slotOp == 0 || openMask == 0 || pureMask == 0 || totalMask == 0 || constantMask == 0 || available == 0 || stateNext == 0 || stateLast == 0 || wanted == 0 || offered == 0 || memo == 0 || trace == 0) return 0
  traceCapacity = 65536
  traceCount = 0
  memory.fill(memo, 0xff, 4096 * 12)
  memoMask = 4095
  memoCount = 0
  memory.fill(slotOp, 0xff, <usize>words * 32 * 4)
  memory.fill(openMask, 0, <usize>words * 4)
  memory.fill(pureMask, 0, <usize>words * 4)
  memory.fill(totalMask, 0, <usize>words * 4)
  memory.fill(constantMask, 0, <usize>words * 4)
  memory.fill(available, 0, <usize>(crashWords + 1) * 4)
  memory.fill(wanted, 0, states)
  memory.fill(offered, 0, states)
  stamp = 0
  at = 0
  visits = 0
  peak = 1
  broken = false
  searching = false
  memory.fill(scratch, 0, recordBytes)
  put(scratch, 0, initial)
  if (tracing) put(scratch, traceAt, NONE)
  insert(front)
  return 1
}

/** Where the host writes the needs of states before anything has been invoked (registers only). */
export function stateNextAt(): usize {
  return stateNext
}
export function stateLastAt(): usize {
  return stateLast
}

/** Walks on until the end, a violation, the end of the memory, or about `budget` visited configurations. */
export function run(budget: f64): i32 {
  const stop = visits + <i64>budget
  while (at < eventCount) {
    const event = get(events, at)
    if ((event & 1) == 0) {
      invoke(event >> 1)
      visits++
    } else {
      const result = respond(event >> 1, stop)
      if (result != HOLDS) return result
    }
    at++
    if (visits >= stop) return AGAIN
  }
  return HOLDS
}

function invoke(op: i32): void {
  const type = get(opType, op)
  const flags = get(typeFlags, type)
  if (isRegister) {
    const makes = get(typeMakes, type)
    if (makes >= 0 && (flags & PURE) == 0) {
      put(stateNext, makes, get(nextMake, op))
      put(stateLast, makes, get(lastNeed, op))
    }
  }
  if ((flags & CRASHED) != 0) {
    const index = get(typeCrash, type)
    const address = available + (<usize>index << 1)
    const have = load<u16>(address)
    if (have < 0xffff) store<u16>(address, have + 1)
    return
  }
  const slot = get(opSlot, op)
  put(slotOp, slot, op)
  const word = slot >> 5
  const bit = 1 << (slot & 31)
  if ((flags & PURE) != 0) put(pureMask, word, get(pureMask, word) | bit)
  else put(openMask, word, get(openMask, word) | bit)
  if ((flags & TOTAL) != 0) put(totalMask, word, get(totalMask, word) | bit)
  if ((flags & CONSTANT) != 0) put(constantMask, word, get(constantMask, word) | bit)
}

let xWord: i32 = 0
let xBit: i32 = 0
let xSlot: i32 = 0
let xOp: i32 = 0

let cursor: usize = 0 // of the search at the current response
let searching: bool = false

function respond(op: i32, stop: i64): i32 {
  if (!searching) {
    beginSearch(op)
    if (broken) return OUT_OF_MEMORY
  }
  while (cursor < load<usize>(seen + COUNT)) {
    if (visits >= stop) return AGAIN
    const index = cursor++
    if (get(load<usize>(seen + RECORDS) + index * recordBytes, deadAt) != 0) continue
    visits++
    expand(index)
    if (broken) return OUT_OF_MEMORY
  }
  const live = <i32>load<usize>(out + LIVE)
  if (live == 0) return VIOLATED
  searching = false
  clearSet(seen)
  if (live > peak) peak = live
  clearSet(front)
  const swap = front
  front = out
  out = swap
  put(slotOp, xSlot, NONE)
  put(openMask, xWord, get(openMask, xWord) & ~xBit)
  put(pureMask, xWord, get(pureMask, xWord) & ~xBit)
  put(totalMask, xWord, get(totalMask, xWord) & ~xBit)
  put(constantMask, xWord, get(constantMask, xWord) & ~xBit)
  return HOLDS
}

/** The frontier's records become the roots of the search; those in which X is done already go straight on. */
function beginSearch(op: i32): void {
  searching = true
  cursor = 0
  xOp = op
  xSlot = get(opSlot, op)
  xWord = xSlot >> 5
  xBit = 1 << (xSlot & 31)
  const count = load<usize>(front + COUNT)
  for (let i: usize = 0; i < count; i++) {
    const record = load<usize>(front + RECORDS) + i * recordBytes
    if (get(record, deadAt) != 0) continue
    visits++
    copyRecord(scratch, record)
    eager()
    settle(false)
    if (broken) return
  }
}

/**
 * Sends the scratch record where it belongs. X has taken effect: on to the new frontier. X is hidden: on to the
 * new frontier (once), and, if X made visible now could be of use, on with the search as well.
 */
function settle(wasHidden: bool): void {
  if (isDeadEnd()) return
  if ((get(scratch, doneAt + xWord) & xBit) != 0) {
    emit()
    return
  }
  if ((get(scratch, hideAt + xWord) & xBit) != 0) {
    const keep = load<u8>(opKeep + <usize>xOp) != 0 || isWanted(get(typeMakes, get(opType, xOp)))
    if (keep) insert(seen)
    if (wasHidden) return
    noteHidden(xOp)
    emit()
    return
  }
  insert(seen)
}

/** X has taken effect in the scratch record: it leaves the window, and the record joins the new frontier. */
function emit(): void {
  put(scratch, doneAt + xWord, get(scratch, doneAt + xWord) & ~xBit)
  put(scratch, hideAt + xWord, get(scratch, hideAt + xWord) & ~xBit)
  if (isRegister) {
    // The window loses X: if X was the last that could make a value that is still needed, this is a dead end.
    const makes = get(typeMakes, get(opType, xOp))
    if (makes >= 0 && makes != get(scratch, 0) && stillNeeded(makes, NONE) && !canBeMade(makes)) return
  }
  insert(out)
}

/** Whether an open or crashed operation that has not taken effect could use this state (registers). */
function isWanted(state: i32): bool {
  for (let w = 0; w < words; w++) {
    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    while (todo != 0) {
      const needs = get(typeNeeds, get(opType, get(slotOp, (w << 5) + ctz(todo))))
      todo &= todo - 1
      if (needs == state || needs < NONE) return true
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (get(typeNeeds, get(crashType, c)) == state && load<u16>(scratch + (<usize>crashAt << 2) + (<usize>c << 1)) < load<u16>(available + (<usize>c << 1))) return true
  }
  return false
}

function note(op: i32): void {
  if (!tracing) return
  if (traceCount == traceCapacity) {
    const larger = alloc(<usize>traceCapacity * 16)
    if (larger == 0) {
      broken = true
      return
    }
    memory.copy(larger, trace, <usize>traceCapacity * 8)
    trace = larger
    traceCapacity *= 2
  }
  put(trace, traceCount * 2, get(scratch, traceAt))
  put(trace, traceCount * 2 + 1, op)
  put(scratch, traceAt, traceCount)
  traceCount++
}

/** In the trace a hidden operation is ~op: its place is directly before the last overwriting one. */
function noteHidden(op: i32): void {
  note(~op)
}

/** Lets every open operation that never changes the state take effect that can. */
function eager(): void {
  const state = get(scratch, 0)
  for (let w = 0; w < words; w++) {
    let todo = get(pureMask, w) & ~get(scratch, doneAt + w)
    let done = get(scratch, doneAt + w)
    while (todo != 0) {
      const slot = (w << 5) + ctz(todo)
      const op = get(slotOp, slot)
      if (after(state, get(opType, op)) != NONE) {
        done |= 1 << (slot & 31)
        note(op)
      }
      todo &= todo - 1
    }
    put(scratch, doneAt + w, done)
  }
}

/** Whether an operation needs this state that nothing invoked from now on can serve in time; `but` is left out. */
function stillNeeded(state: i32, but: i32): bool {
  if (at < get(stateLast, state)) return true
  const next = get(stateNext, state)
  for (let w = 0; w < words; w++) {
    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    if (w == xWord) todo &= ~xBit
    while (todo != 0) {
      const slot = (w << 5) + ctz(todo)
      todo &= todo - 1
      if (slot == but) continue
      const op = get(slotOp, slot)
      if (get(typeNeeds, get(opType, op)) == state && get(opReturn, op) < next) return true
    }
  }
  return false
}

/** Whether an open or crashed operation that has not taken effect could still make this state. */
function canBeMade(state: i32): bool {
  for (let w = 0; w < words; w++) {
    let todo = get(openMask, w) & ~get(scratch, doneAt + w)
    if (w == xWord) todo &= ~xBit
    while (todo != 0) {
      const slot = (w << 5) + ctz(todo)
      todo &= todo - 1
      if (get(typeMakes, get(opType, get(slotOp, slot))) == state) return true
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (get(typeMakes, get(crashType, c)) == state && load<u16>(scratch + (<usize>crashAt << 2) + (<usize>c << 1)) < load<u16>(available + (<usize>c << 1))) return true
  }
  return false
}

/** Marks the states that open operations (X included) or available crashed ones need, and those that open mutators offer. */
function survey(record: usize): void {
  stamp++
  anyWanted = false
  for (let w = 0; w < words; w++) {
    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(record, doneAt + w)
    while (todo != 0) {
      const slot = (w << 5) + ctz(todo)
      todo &= todo - 1
      const type = get(opType, get(slotOp, slot))
      const needs = get(typeNeeds, type)
      if (needs >= 0) put(wanted, needs, stamp)
      else if (needs != NONE) anyWanted = true
      if ((get(typeFlags, type) & PURE) == 0) {
        const makes = get(typeMakes, type)
        if (makes >= 0) put(offered, makes, stamp)
      }
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (load<u16>(record + (<usize>crashAt << 2) + (<usize>c << 1)) >= load<u16>(available + (<usize>c << 1))) continue
    const type = get(crashType, c)
    const needs = get(typeNeeds, type)
    if (needs >= 0) put(wanted, needs, stamp)
    const makes = get(typeMakes, type)
    if (makes >= 0) put(offered, makes, stamp)
  }
}

/** Whether another open operation of the same type that has not taken effect returns earlier. */
function hasEarlierTwin(record: usize, slot: i32, type: i32, op: i32): bool {
  const mine = get(opReturn, op)
  const overwrites = (get(typeFlags, type) & CONSTANT) != 0
  const hidden = (get(record, hideAt + (slot >> 5)) & (1 << (slot & 31))) != 0
  for (let w = 0; w < words; w++) {
    let todo = get(openMask, w) & ~get(record, doneAt + w)
    while (todo != 0) {
      const other = (w << 5) + ctz(todo)
      todo &= todo - 1
      if (other == slot) continue
      const twin = get(slotOp, other)
      if (get(opType, twin) != type) continue
      // A hidden twin may stay hidden, unless this effect hides the other one as well.
      if (!overwrites && (get(record, hideAt + w) & (1 << (other & 31))) != 0 && !hidden) continue
      const theirs = get(opReturn, twin)
      if (theirs < mine || (theirs == mine && other < slot)) return true
    }
  }
  return false
}

/** Tries every operation that may take effect next in the index-th configuration of the search. */
function expand(index: usize): void {
  let from = load<usize>(seen + RECORDS) + index * recordBytes
  const state = get(from, 0)
  let needed = 0 // 1: the state is still needed and nobody can make it again
  if (isRegister) {
    survey(from)
    copyRecord(scratch, from)
    if (get(offered, state) != stamp) needed = 1
  }
  for (let w = 0; w < words; w++) {
    let todo = get(openMask, w) & ~get(from, doneAt + w)
    while (todo != 0) {
      const slot = (w << 5) + ctz(todo)
      todo &= todo - 1
      const op = get(slotOp, slot)
      const type = get(opType, op)
      const next = after(state, type)
      if (next == NONE) continue
      if (isRegister) {
        // A write that nobody needs now can be hidden before, or delayed until, one that somebody does.
        if (slot != xSlot && (get(typeFlags, type) & CONSTANT) != 0 && get(wanted, next) != stamp && (!anyWanted || next == state)) continue
        if (needed != 0 && next != state) {
          copyRecord(scratch, from)
          if (neededWithout(state, slot)) continue
        }
      }
      if (hasEarlierTwin(from, slot, type, op)) continue
      apply(index, next, type, slot, op)
      if (broken) return
      from = load<usize>(seen + RECORDS) + index * recordBytes
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (load<u16>(from + (<usize>crashAt << 2) + (<usize>c << 1)) >= load<u16>(available + (<usize>c << 1))) continue
    const type = get(crashType, c)
    const next = after(state, type)
    if (next == NONE) continue
    // Overwriting a state by itself still hides what is open.
    if (next == state && ((get(typeFlags, type) & CONSTANT) == 0 || !hidesAny(from))) continue
    if (isRegister) {
      if (get(wanted, next) != stamp && (!anyWanted || next == state)) continue
      if (needed != 0 && next != state) {
        copyRecord(scratch, from)
        if (neededWithout(state, NONE)) continue
      }
    }
    apply(index, next, type, -2 - c, NONE)
    if (broken) return
    from = load<usize>(seen + RECORDS) + index * recordBytes
  }
}

/** Whether an overwriting effect would make an open operation hideable that is not yet. */
function hidesAny(record: usize): bool {
  for (let w = 0; w < words; w++) {
    if ((get(totalMask, w) & get(openMask, w) & ~get(record, doneAt + w) & ~get(record, hideAt + w)) != 0) return true
  }
  return false
}

/** As stillNeeded, for a state that is about to be left by the operation in `slot`; X itself counts. */
function neededWithout(state: i32, slot: i32): bool {
  if (at < get(stateLast, state)) return true
  const next = get(stateNext, state)
  for (let w = 0; w < words; w++) {
    let todo = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    while (todo != 0) {
      const other = (w << 5) + ctz(todo)
      todo &= todo - 1
      if (other == slot) continue
      const op = get(slotOp, other)
      if (get(typeNeeds, get(opType, op)) == state && get(opReturn, op) < next) return true
    }
  }
  return false
}

/** Lets one operation take effect (slot, or -2 - c for a crashed type) and keeps what comes of it. */
function apply(index: usize, next: i32, type: i32, slot: i32, op: i32): void {
  if (next >= 0) {
    applyOne(index, next, type, slot, op)
    return
  }
  const list: usize = <usize>(-3 - next) << 2
  const length = get(list, 0)
  for (let i = 1; i <= length; i++) {
    applyOne(index, get(list, i), type, slot, op)
    if (broken) return
  }
}

function applyOne(index: usize, next: i32, type: i32, slot: i32, op: i32): void {
  copyRecord(scratch, load<usize>(seen + RECORDS) + index * recordBytes)
  const wasHidden = (get(scratch, hideAt + xWord) & xBit) != 0
  put(scratch, 0, next)
  if (slot >= 0) {
    const word = slot >> 5
    const bit = 1 << (slot & 31)
    put(scratch, doneAt + word, get(scratch, doneAt + word) | bit)
    put(scratch, hideAt + word, get(scratch, hideAt + word) & ~bit)
    note(op)
  } else {
    const address = scratch + (<usize>crashAt << 2) + (<usize>(-2 - slot) << 1)
    store<u16>(address, load<u16>(address) + 1)
    note(-2 - slot + 0x40000000)
  }
  if ((get(typeFlags, type) & CONSTANT) != 0) {
    for (let w = 0; w < words; w++) put(scratch, hideAt + w, (get(totalMask, w) & get(openMask, w)) & ~get(scratch, doneAt + w))
  }
  eager()
  settle(wasHidden)
}
