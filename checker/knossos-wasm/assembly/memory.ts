/**
 * The engine's memory: a bump pointer with a limit, and words in it. Nothing is ever given back; `reset` forgets everything.
 */

export const NONE: i32 = -1

let heap: usize = 0
let limit: usize = 0
/** Memory ran out in the middle of an event: what is being done must not be believed. */
export let broken: bool = false

export function breakOff(): void {
  broken = true
}

/** Forgets everything and sets how many bytes may be used. */
export function reset(base: usize, bytes: usize): void {
  heap = base
  limit = bytes
  broken = false
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

export function bytesUsed(): usize {
  return heap
}

// @ts-ignore: decorator
@inline
export function get(base: usize, index: i32): i32 {
  return load<i32>(base + (<usize>index << 2))
}

// @ts-ignore: decorator
@inline
export function put(base: usize, index: i32, value: i32): void {
  store<i32>(base + (<usize>index << 2), value)
}
