/**
 * The window: which operations are open, by slot, how many crashed ones were invoked, and the response at hand.
 */
import { crashWords, words } from './configuration'
import { alloc, get, NONE, put } from './memory'
import { CONSTANT, CRASHED, crashType, opSlot, opType, PURE, TOTAL, typeCrash, typeFlags } from './problem'

export let slotOp: usize = 0
export let openMask: usize = 0 // words: open slots that may change the state
export let pureMask: usize = 0 // words: open slots that never do
export let totalMask: usize = 0 // words: open slots that are possible in every state
export let constantMask: usize = 0 // words: open slots that overwrite
export let available: usize = 0 // u16 by crashed type: invoked so far

// The response at hand: the operation, its slot, where its bit stands.
export let xOp: i32 = 0
export let xSlot: i32 = 0
export let xWord: i32 = 0
export let xBit: i32 = 0

/** An empty window; false when memory does not suffice. */
export function openWindow(): bool {
  const bytes = <usize>words << 2
  slotOp = alloc(bytes * 32)
  openMask = alloc(bytes)
  pureMask = alloc(bytes)
  totalMask = alloc(bytes)
  constantMask = alloc(bytes)
  available = alloc(<usize>(crashWords + 1) << 2)
  if (slotOp == 0 || openMask == 0 || pureMask == 0 || totalMask == 0 || constantMask == 0 || available == 0) return false
  memory.fill(slotOp, 0xff, bytes * 32)
  memory.fill(openMask, 0, bytes)
  memory.fill(pureMask, 0, bytes)
  memory.fill(totalMask, 0, bytes)
  memory.fill(constantMask, 0, bytes)
  memory.fill(available, 0, <usize>(crashWords + 1) << 2)
  return true
}

/** An operation is invoked. */
export function enter(op: i32): void {
  const type = get(opType, op)
  const flags = get(typeFlags, type)
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

/** The response of an operation is at hand. */
export function respondTo(op: i32): void {
  xOp = op
  xSlot = get(opSlot, op)
  xWord = xSlot >> 5
  xBit = 1 << (xSlot & 31)
}

/** The operation whose response is at hand is no longer open. */
export function leave(): void {
  put(slotOp, xSlot, NONE)
  put(openMask, xWord, get(openMask, xWord) & ~xBit)
  put(pureMask, xWord, get(pureMask, xWord) & ~xBit)
  put(totalMask, xWord, get(totalMask, xWord) & ~xBit)
  put(constantMask, xWord, get(constantMask, xWord) & ~xBit)
}

/** How many crashed operations of a type (by index) were invoked so far. */
// @ts-ignore: decorator
@inline
export function crashedSoFar(index: i32): i32 {
  return load<u16>(available + (<usize>index << 1))
}
