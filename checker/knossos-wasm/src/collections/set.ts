/**
 * Sets: without reads of the whole every element is an object of its own, and a history is linearizable iff it is so
 * element by element (Herlihy and Wing 1990, locality).
 *
 * An element that is added once and removed once at most is absent, then present from its addition to its removal. Put the
 * addition as late and the removal as early as the operations that found it allow; nothing must have missed it in between.
 * A removal that does not say what it found may have missed the element; a crashed addition of what nobody found may be left out. Elements that are added or removed again go to the general engine, one by one.
 */
import { NEVER } from '../register.ts'
import { canonical } from '../values.ts'
import { violated } from './elements.ts'
import type { Placed } from '../problem.ts'
import type { CollectionResult } from './elements.ts'

/** Decides a set, or leaves it (or some of its elements) to the general engine. */
export function checkSet(operations: readonly Placed[]): CollectionResult | undefined {
  const elements = new Map<string, Placed[]>()
  for (const placed of operations) {
    if (placed.operation.f === 'read') return undefined
    const text = canonical(placed.operation.input)
    const known = elements.get(text)
    if (known === undefined) elements.set(text, [placed])
    else known.push(placed)
  }
  const parts: number[][] = []
  for (const element of elements.values()) {
    const possible = checkElement(element)
    if (possible === false) return violated(element)
    if (possible === undefined) parts.push(element.map(({ row }) => row))
  }
  return parts.length === 0 ? { type: 'holds' } : { type: 'split', parts }
}

/** Whether the operations on one element are possible; undefined: the general engine must say. */
function checkElement(operations: readonly Placed[]): boolean | undefined {
  const of = (f: string): Placed[] => operations.filter(({ operation }) => operation.f === f)
  const [adds, removals, looks] = [of('add'), of('remove'), of('contains')]
  if (adds.length > 1 || removals.length > 1) return undefined
  if (adds[0]?.operation.output === false || looks.some(({ operation: { output } }) => typeof output !== 'boolean')) return false
  const found = looks.filter(({ operation: { output } }) => output === true)
  const missed = looks.filter(({ operation: { output } }) => output === false)
  return waysToRemove(removals[0]).some(([removed, alsoMissed]) => isPossible(adds[0], removed, found, [...missed, ...alsoMissed]))
}

/** A removal removed the element or missed it, as it says. One that crashed may at worst have removed it in the very end. */
function waysToRemove(removal: Placed | undefined): (readonly [Placed | undefined, readonly Placed[]])[] {
  if (removal === undefined) return [[undefined, []]]
  const { output } = removal.operation
  return [...(output === true ? [] : [[undefined, [removal]]] as const), ...(output === false ? [] : [[removal, []]] as const)]
}

function isPossible(add: Placed | undefined, removed: Placed | undefined, found: readonly Placed[], missed: readonly Placed[]): boolean {
  const inside = removed === undefined ? found : [removed, ...found]
  if (add === undefined || (add.ret === NEVER && inside.length === 0)) return inside.length === 0
  const begin = Math.min(add.ret, ...inside.map(({ ret }) => ret))
  const end = removed === undefined ? NEVER : Math.max(add.inv, ...inside.map(({ inv }) => inv))
  if (begin < add.inv || (removed !== undefined && removed.ret < end)) return false
  return missed.every(({ inv, ret }) => inv < begin || ret > end)
}
