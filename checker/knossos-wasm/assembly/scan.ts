/**
 * Reads lines of `history.jsonl` straight from bytes into columns: the hot path of reading. It knows the shape that
 * this format has (fields in any order, spaces allowed) and nothing else; at the first line that it does not understand it
 * stops, the host reads that line with JSON.parse and teaches the scanner the names found in it, and the scan goes on.
 *
 * Every part of it takes the place where it begins and returns where it ends, or 0 when it does not understand: places
 * are kept in registers that way. Words of eight bytes are read, which may reach beyond the last line by as much.
 */
import { alloc } from './memory'
import { forgetNames, FUNCTION, learn, name, named, NODE, TYPE, VALUE } from './names'

export { learn }

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

/** By number of digits up to 7: what they multiply those before them by. */
let powers: usize = 0

/** Reserves the columns for up to `capacity` events at a time, once in an engine's life; false when memory does not suffice. */
export function scanStart(capacity: u32): i32 {
  types = alloc(capacity)
  processes = alloc(<usize>capacity * 4)
  functions = alloc(<usize>capacity * 4)
  keys = alloc(<usize>capacity * 4)
  values = alloc(<usize>capacity * 4)
  seconds = alloc(<usize>capacity * 4)
  pairs = alloc(capacity)
  times = alloc(<usize>capacity * 8)
  nodes = alloc(<usize>capacity * 4)
  powers = alloc(64)
  usual = alloc(UNUSUAL)
  if (usual == 0 || !forgetNames()) return 0
  let power: u64 = 1
  for (let digits: usize = 0; digits < 8; digits++) {
    store<u64>(powers + (digits << 3), power)
    power *= 10
  }
  learnType(0x656b6f766e69, 6, 0) // invoke
  learnType(0x6b6f, 2, 1) // ok
  learnType(0x6c696166, 4, 2) // fail
  learnType(0x6f666e69, 4, 3) // info
  return 1
}

function learnType(letters: u64, length: u32, code: i32): void {
  store<u64>(times, letters)
  learn(TYPE, times, length, code)
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

/** Where the last scan ended: the start of the first line not read. */
let stopped: usize = 0

export function scanned(): usize {
  return stopped
}

/** Scans lines from `from` up to `to` (which must lie behind a newline); returns how many events were read. */
export function scan(from: usize, to: usize, capacity: u32): u32 {
  let p = from
  let n: u32 = 0
  while (p < to && n < capacity) {
    const next = scanLine(p, n)
    if (next == 0) break
    p = next
    n++
  }
  stopped = p
  return n
}

/** Behind spaces, of which there are none, mostly: loops cost more than they seem to. */
// @ts-ignore: decorator
@inline
function spaces(p: usize): usize {
  return load<u8>(p) == 32 ? behindSpaces(p) : p
}

function behindSpaces(at: usize): usize {
  let p = at
  while (load<u8>(p) == 32) p++
  return p
}

const ZEROS: u64 = 0x3030303030303030
const HIGH: u64 = 0x8080808080808080

/** The high bit of the first byte that is more than nine; what stands behind that one is of no account. */
// @ts-ignore: decorator
@inline
function beyondNine(digits: u64): u64 {
  return (digits | (digits + 0x7676767676767676)) & HIGH
}

/** The number that eight digits make, the first of which is in the lowest byte: two, four, eight of them joined. */
// @ts-ignore: decorator
@inline
function joined(digits: u64): u64 {
  const two = (digits * 2561) >> 8
  const four = ((two & 0x00ff00ff00ff00ff) * 6553601) >> 16
  return ((four & 0x0000ffff0000ffff) * 42949672960001) >> 32
}

let number: i64 = 0

// How long numbers were the last time in fields where they are as long every time, mostly.
let usual: usize = 0
const USUAL_TIME: usize = 0
const USUAL_INDEX: usize = 8
const UNUSUAL: usize = 16

/** A whole number of up to 15 digits, which it leaves in `number`. What follows it is looked at by the caller: a point or an exponent is no end of a field. */
// @ts-ignore: decorator
@inline
function whole(p: usize, field: usize): usize {
  const first = load<u64>(p) ^ ZEROS
  const ends = beyondNine(first)
  let length: u64
  if (ends != 0) {
    length = ctz(ends) >> 3
    if (length == 0) return 0
    number = joined(first << (64 - (length << 3)))
  } else {
    const second = load<u64>(p, 8) ^ ZEROS
    const more = beyondNine(second)
    if (more == 0) return 0
    length = ctz(more) >> 3
    // In two shifts, because a shift by 64 would be none.
    number = joined(first) * load<u64>(powers + (<usize>length << 3)) + joined((second << 8) << (56 - (length << 3)))
    length += 8
  }
  if (length > 1 && (first & 0xff) == 0) return 0
  if (field == UNUSUAL) return p + <usize>length
  // Where the length was foreseen, the processor goes on behind the number before it has looked at its digits.
  const foreseen = load<usize>(usual + field)
  if (<usize>length == foreseen) return p + foreseen
  store<usize>(usual + field, <usize>length)
  return p + <usize>length
}

let code: i32 = 0

/** A null, a small integer or a known string: its code goes to `code`. */
// @ts-ignore: decorator
@inline
function scalar(p: usize): usize {
  const c = load<u8>(p)
  if (c == 110) {
    code = -1
    return load<u32>(p) == 0x6c6c756e ? p + 4 : 0
  }
  if (c == 34) {
    const end = name(VALUE, p)
    code = named
    return end
  }
  const end = whole(p, UNUSUAL)
  code = <i32>number
  return number > 0x3fffffff ? 0 : end
}

const HAS_TIME: u32 = 1
const HAS_PROCESS: u32 = 2
const HAS_TYPE: u32 = 4
const HAS_FUNCTION: u32 = 8
const HAS_ALL: u32 = 15

function scanLine(line: usize, n: u32): usize {
  let p = line
  if (load<u8>(p++) != 123) return 0
  let have: u32 = 0
  let key: i32 = -1
  let value: i32 = -1
  let second: i32 = -1
  let pair: u32 = 0
  let node: i32 = -1
  for (;;) {
    p = spaces(p)
    if (load<u8>(p) != 34) return 0
    // The first four letters of a field's name tell it from the others; its closing quote and colon are checked.
    const letters = load<u32>(p, 1)
    if (letters == 0x656d6974) { // time
      if (load<u16>(p, 5) != 0x3a22) return 0
      p = whole(spaces(p + 7), USUAL_TIME)
      if (p == 0) return 0
      store<f64>(times + (<usize>n << 3), <f64>number)
      have |= HAS_TIME
    } else if (letters == 0x636f7270) { // process
      if (load<u32>(p, 5) != 0x22737365 || load<u8>(p, 9) != 58) return 0
      p = spaces(p + 10)
      if (load<u8>(p) == 34) {
        if (load<u32>(p, 1) != 0x656d656e || load<u32>(p, 5) != 0x22736973) return 0 // nemesis"
        p += 9
        number = -1
      } else {
        p = whole(p, UNUSUAL)
        if (p == 0 || number > 0x7fffffff) return 0
      }
      store<i32>(processes + (<usize>n << 2), <i32>number)
      have |= HAS_PROCESS
    } else if (letters == 0x65707974) { // type
      if (load<u16>(p, 5) != 0x3a22) return 0
      p = spaces(p + 7)
      if (load<u8>(p) != 34) return 0
      p = name(TYPE, p)
      if (p == 0) return 0
      store<u8>(types + n, <u8>named)
      have |= HAS_TYPE
    } else if ((letters & 0xffffff) == 0x3a2266) { // f
      p = spaces(p + 4)
      if (load<u8>(p) != 34) return 0
      p = name(FUNCTION, p)
      if (p == 0) return 0
      store<i32>(functions + (<usize>n << 2), named)
      have |= HAS_FUNCTION
    } else if (letters == 0x2279656b) { // key
      if (load<u8>(p, 5) != 58) return 0
      p = scalar(spaces(p + 6))
      if (p == 0) return 0
      key = code
    } else if (letters == 0x756c6176) { // value
      if (load<u16>(p, 5) != 0x2265 || load<u8>(p, 7) != 58) return 0
      p = spaces(p + 8)
      pair = <u32>(load<u8>(p) == 91)
      p = scalar(pair ? spaces(p + 1) : p)
      if (p == 0) return 0
      value = code
      if (pair) {
        p = spaces(p)
        if (load<u8>(p) != 44) return 0
        p = scalar(spaces(p + 1))
        if (p == 0) return 0
        second = code
        p = spaces(p)
        if (load<u8>(p++) != 93) return 0
      }
    } else if (letters == 0x65646f6e) { // node
      if (load<u16>(p, 5) != 0x3a22) return 0
      p = spaces(p + 7)
      if (load<u8>(p) != 34) return 0
      p = name(NODE, p)
      if (p == 0) return 0
      node = named
    } else if (letters == 0x65646e69) { // index
      if (load<u16>(p, 5) != 0x2278 || load<u8>(p, 7) != 58) return 0
      p = whole(spaces(p + 8), USUAL_INDEX)
      if (p == 0) return 0
    } else return 0
    p = spaces(p)
    const c = load<u8>(p++)
    if (c == 125) break
    if (c != 44) return 0
  }
  if (load<u8>(p) == 13) p++
  if (have != HAS_ALL || load<u8>(p) != 10) return 0
  store<i32>(keys + (<usize>n << 2), key)
  store<i32>(values + (<usize>n << 2), value)
  store<i32>(seconds + (<usize>n << 2), second)
  store<u8>(pairs + n, <u8>pair)
  store<i32>(nodes + (<usize>n << 2), node)
  return p + 1
}
