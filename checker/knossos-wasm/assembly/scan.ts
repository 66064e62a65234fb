/**
 * Reads lines of `history.jsonl` straight from bytes into columns: the hot path of reading. It knows the shape that
 * this format has (fields in any order, spaces allowed) and nothing else; at the first line that it does not understand it
 * stops, the host reads that line with JSON.parse and teaches the scanner the names found in it, and the scan goes on.
 */
import { alloc } from './engine'

// ---------------------------------------------------------------- names: strings that the host gave codes

const TABLE_SIZE: u32 = 1 << 16
let table: usize = 0 // entries of hash, length, address, code
let names: u32 = 0

// Namespaces, mixed into the hash: functions, nodes, values.
const FUNCTION: u32 = 1
const NODE: u32 = 2
const VALUE: u32 = 3

// Columns of the scanned events.
let types: usize = 0
let processes: usize = 0
let functions: usize = 0
let keys: usize = 0
let values: usize = 0
let seconds: usize = 0 // second elements of pairs
let pairs: usize = 0 // 1 where the value is a pair
let times: usize = 0
let nodes: usize = 0

/** Reserves the columns for up to `capacity` events at a time; false when memory does not suffice. */
export function scanStart(capacity: u32): i32 {
  table = alloc(<usize>TABLE_SIZE * 16)
  names = 0
  types = alloc(capacity)
  processes = alloc(<usize>capacity * 4)
  functions = alloc(<usize>capacity * 4)
  keys = alloc(<usize>capacity * 4)
  values = alloc(<usize>capacity * 4)
  seconds = alloc(<usize>capacity * 4)
  pairs = alloc(capacity)
  times = alloc(<usize>capacity * 8)
  nodes = alloc(<usize>capacity * 4)
  if (table == 0 || nodes == 0) return 0
  memory.fill(table, 0, <usize>TABLE_SIZE * 16)
  return 1
}

export function columnTypes(): usize {
  return types
}
export function columnProcesses(): usize {
  return processes
}
export function columnFunctions(): usize {
  return functions
}
export function columnKeys(): usize {
  return keys
}
export function columnValues(): usize {
  return values
}
export function columnSeconds(): usize {
  return seconds
}
export function columnPairs(): usize {
  return pairs
}
export function columnTimes(): usize {
  return times
}
export function columnNodes(): usize {
  return nodes
}

function hashBytes(space: u32, from: usize, length: u32): u32 {
  let h: u32 = space * 0x9e3779b1 ^ length
  let p = from
  let left = length
  while (left >= 4) {
    h = (h ^ load<u32>(p)) * 0x85ebca6b
    h ^= h >> 13
    p += 4
    left -= 4
  }
  while (left > 0) {
    h = (h ^ <u32>load<u8>(p)) * 0x01000193
    p++
    left--
  }
  h ^= h >> 15
  return h == 0 ? 1 : h
}

/** Teaches a name: the bytes at `from` have this code. They are copied. */
export function learn(space: u32, from: usize, length: u32, code: i32): void {
  if (names * 2 >= TABLE_SIZE) return
  const h = hashBytes(space, from, length)
  let slot = h & (TABLE_SIZE - 1)
  for (;;) {
    const entry = table + <usize>slot * 16
    const found = load<u32>(entry)
    if (found == 0) break
    if (found == h && load<u32>(entry, 4) == length && memory.compare(load<u32>(entry, 8), from, length) == 0) return
    slot = (slot + 1) & (TABLE_SIZE - 1)
  }
  const copy = alloc(length)
  if (copy == 0) return
  memory.copy(copy, from, length)
  const entry = table + <usize>slot * 16
  store<u32>(entry, h)
  store<u32>(entry, length, 4)
  store<u32>(entry, <u32>copy, 8)
  store<i32>(entry, code, 12)
  names++
}

let known: i32 = 0 // code of the name last looked up

function sameBytes(a: usize, b: usize, length: u32): bool {
  for (let i: usize = 0; i < <usize>length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
  return true
}

function lookUp(space: u32, from: usize, length: u32): bool {
  const h = hashBytes(space, from, length)
  let slot = h & (TABLE_SIZE - 1)
  let found: u32 = 1
  while (found != 0) {
    const entry = table + <usize>slot * 16
    found = load<u32>(entry)
    if (found == h && load<u32>(entry, 4) == length && sameBytes(load<u32>(entry, 8), from, length)) {
      known = load<i32>(entry, 12)
      return true
    }
    slot = (slot + 1) & (TABLE_SIZE - 1)
  }
  return false
}

// ---------------------------------------------------------------- the scan

let p: usize = 0 // where we are
let end: usize = 0
let number: i64 = 0

/** Bytes consumed by the last scan: the start of the first line not read. */
export function scanned(): usize {
  return p
}

function spaces(): void {
  while (load<u8>(p) == 32) p++
}

/** A whole number of up to 15 digits that stands alone; false for everything else. */
function whole(): bool {
  const begun = p
  let n: i64 = 0
  let c = <u32>load<u8>(p) - 48
  while (c < 10) {
    n = n * 10 + <i64>c
    p++
    c = <u32>load<u8>(p) - 48
  }
  number = n
  const digits = p - begun
  if (digits == 0 || digits > 15) return false
  const next = load<u8>(p)
  return next != 46 && next != 101 && next != 69 && (digits == 1 || load<u8>(begun) != 48)
}

/** A string without escapes, at the opening quote; leaves p behind the closing one. */
function name(space: u32): bool {
  const begun = ++p
  let c = load<u8>(p)
  while (c != 34) {
    if (c == 92 || c < 32) return false
    c = load<u8>(++p)
  }
  const length = <u32>(p - begun)
  p++
  return lookUp(space, begun, length)
}

/** A null, a small integer or a known string: its code goes to `known`. */
function scalar(): bool {
  const c = load<u8>(p)
  if (c == 110) {
    if (load<u32>(p) != 0x6c6c756e) return false
    p += 4
    known = -1
    return true
  }
  if (c == 34) return name(VALUE)
  if (!whole() || number > 0x3fffffff) return false
  known = <i32>number
  return true
}

/** Scans lines from `from` up to `to` (which must lie behind a newline); returns how many events were read. */
export function scan(from: usize, to: usize, capacity: u32): u32 {
  p = from
  end = to
  let n: u32 = 0
  while (p < end && n < capacity) {
    const line = p
    if (!scanLine(n)) {
      p = line
      break
    }
    n++
  }
  return n
}

const HAS_TIME: u32 = 1
const HAS_PROCESS: u32 = 2
const HAS_TYPE: u32 = 4
const HAS_FUNCTION: u32 = 8
const HAS_ALL: u32 = 15

function scanLine(n: u32): bool {
  if (load<u8>(p) != 123) return false
  p++
  let have: u32 = 0
  let key: i32 = -1
  let value: i32 = -1
  let second: i32 = -1
  let pair: u32 = 0
  let node: i32 = -1
  let more = true
  while (more) {
    spaces()
    if (load<u8>(p) != 34) return false
    // The first four letters of a field's name tell it from the others; its closing quote and colon are checked.
    const letters = load<u32>(p, 1)
    if (letters == 0x656d6974) { // time
      if (load<u16>(p, 5) != 0x3a22) return false
      p += 7
      spaces()
      if (!whole()) return false
      store<f64>(times + (<usize>n << 3), <f64>number)
      have |= HAS_TIME
    } else if (letters == 0x636f7270) { // process
      if (load<u32>(p, 5) != 0x22737365 || load<u8>(p, 9) != 58) return false
      p += 10
      spaces()
      let process: i32 = 0
      if (load<u8>(p) == 34) {
        if (load<u32>(p, 1) == 0x656d656e && load<u32>(p, 5) == 0x22736973) {
          process = -1
          p += 9
        } else return false
      } else {
        if (!whole() || number > 0x7fffffff) return false
        process = <i32>number
      }
      store<i32>(processes + (<usize>n << 2), process)
      have |= HAS_PROCESS
    } else if (letters == 0x65707974) { // type
      if (load<u16>(p, 5) != 0x3a22) return false
      p += 7
      spaces()
      const word = load<u32>(p)
      if (word == 0x766e6922 && load<u32>(p, 4) == 0x22656b6f) { // "invoke"
        store<u8>(types + n, 0)
        p += 8
      } else if ((word & 0xffffff) == 0x6b6f22 && load<u8>(p, 3) == 34) { // "ok"
        store<u8>(types + n, 1)
        p += 4
      } else if (word == 0x69616622 && load<u16>(p, 4) == 0x226c) { // "fail"
        store<u8>(types + n, 2)
        p += 6
      } else if (word == 0x666e6922 && load<u16>(p, 4) == 0x226f) { // "info"
        store<u8>(types + n, 3)
        p += 6
      } else return false
      have |= HAS_TYPE
    } else if ((letters & 0xffffff) == 0x3a2266) { // f
      p += 4
      spaces()
      if (load<u8>(p) != 34 || !name(FUNCTION)) return false
      store<i32>(functions + (<usize>n << 2), known)
      have |= HAS_FUNCTION
    } else if (letters == 0x2279656b) { // key
      if (load<u8>(p, 5) != 58) return false
      p += 6
      spaces()
      if (!scalar()) return false
      key = known
    } else if (letters == 0x756c6176) { // value
      if (load<u16>(p, 5) != 0x2265 || load<u8>(p, 7) != 58) return false
      p += 8
      spaces()
      if (load<u8>(p) == 91) {
        p++
        spaces()
        if (!scalar()) return false
        value = known
        spaces()
        if (load<u8>(p) != 44) return false
        p++
        spaces()
        if (!scalar()) return false
        second = known
        spaces()
        if (load<u8>(p) != 93) return false
        p++
        pair = 1
      } else {
        if (!scalar()) return false
        value = known
        pair = 0
      }
    } else if (letters == 0x65646f6e) { // node
      if (load<u16>(p, 5) != 0x3a22) return false
      p += 7
      spaces()
      if (load<u8>(p) != 34 || !name(NODE)) return false
      node = known
    } else if (letters == 0x65646e69) { // index
      if (load<u16>(p, 5) != 0x2278 || load<u8>(p, 7) != 58) return false
      p += 8
      spaces()
      if (!whole()) return false
    } else return false
    spaces()
    const c = load<u8>(p++)
    if (c == 125) more = false
    else if (c != 44) return false
  }
  if (load<u8>(p) == 13) p++
  if (have != HAS_ALL || load<u8>(p) != 10) return false
  p++
  store<i32>(keys + (<usize>n << 2), key)
  store<i32>(values + (<usize>n << 2), value)
  store<i32>(seconds + (<usize>n << 2), second)
  store<u8>(pairs + n, <u8>pair)
  store<i32>(nodes + (<usize>n << 2), node)
  return true
}
