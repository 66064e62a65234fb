/**
 * Random small histories of replicated stores: every session has a replica of its own, and writes travel between them
 * in causal order, most of the time. Where concurrent writes meet, a replica keeps the one that came last (causal
 * memory), the one with the greatest Lamport time (causal convergence), or answers now with one and now with another
 * (weak causal consistency). Such histories fall between the models, where noise hardly ever does.
 */
import type { Chance } from './chance.ts'
import type { Operation } from './operations.ts'

interface Write {
  readonly key: string
  readonly value: number
  readonly time: number
  /** All writes that happened before it. */
  readonly causes: ReadonlySet<Write>
}

/** A history of 2 or 3 sessions. */
export function replicatedOperations(chance: Chance, shape: { readonly operations: number; readonly keys: number; readonly writesMax: number }): Operation[] {
  const rule = chance(3)
  const disorder = chance(3) === 0 ? 10 : 0
  const replicas = Array.from({ length: 2 + chance(2) }, (): Write[] => [])
  const speed = 2 + chance(5)
  const favourites = replicas.map(() => 'x')
  const writes: Write[] = []
  const operations: Operation[] = []
  for (let at = 0; at < shape.operations; at++) {
    const process = chance(replicas.length)
    const mine = replicas[process]!
    for (const write of writes) {
      const ready = [...write.causes].every((cause) => mine.includes(cause)) || chance(100) < disorder
      if (!mine.includes(write) && ready && chance(speed) === 0) mine.push(write)
    }
    const f = writes.length < shape.writesMax && chance(5) < 2 ? 'write' : 'read'
    // Sessions come back to what they wrote: that is where the rules differ.
    const key = f === 'read' && chance(3) === 0 ? favourites[process]! : String.fromCharCode(120 + chance(shape.keys))
    if (f === 'write') favourites[process] = key
    const seen = mine.filter((write) => write.key === key)
    let value = f === 'write' ? writes.length + 1 : answer(seen, rule, chance)
    if (f === 'write') {
      const write = { key, value: value!, time: mine.reduce((latest, one) => Math.max(latest, one.time), 0) + 1 + chance(4), causes: new Set(mine) }
      writes.push(write)
      mine.push(write)
    } else if (chance(100) < disorder) value = writes.filter((write) => write.key === key)[chance(writes.length + 1)]?.value ?? null
    operations.push({ process, f, key, value, start: 2 * at, end: 2 * at + 1, outcome: 'ok' })
  }
  return operations
}

function answer(seen: readonly Write[], rule: number, chance: Chance): number | null {
  if (rule === 0) return seen.at(-1)?.value ?? null
  if (rule === 1) return seen.toSorted((a, b) => a.time - b.time || a.value - b.value).at(-1)?.value ?? null
  const newest = seen.filter((write) => !seen.some((other) => other.causes.has(write)))
  return newest[chance(newest.length)]?.value ?? null
}
