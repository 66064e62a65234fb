/**
 * A linearization from zones, for histories that zones.ts found linearizable.
 *
 * A forward zone stands at f, a backward zone at s, or, if a forward zone covers that moment, just behind it: that zone
 * ends before the backward one's f, because it does not contain the whole of it, and no other begins in between. So
 * the order of the f and s is the order of the zones.
 * In a chain: the write, its readers by invocation, the compare-and-set that consumes it, that one's readers, ...
 */
import { CAS, NEVER, READ, WRITE } from './register.ts'
import type { RegisterOperations } from './register.ts'

interface Chain {
  readonly order: number[]
  f: number
  s: number
}

/** Operations (indices) in an order that a register could have executed. */
export function zoneOrder(ops: RegisterOperations, initial: number): number[] {
  const readers = new Map<number, number[]>()
  const consumer = new Map<number, number>()
  const makers = new Map<number, number>()
  for (let i = 0; i < ops.length; i++) {
    if (ops.kind[i] === READ) readers.set(ops.a[i]!, [...(readers.get(ops.a[i]!) ?? []), i])
    else makers.set(ops.kind[i] === WRITE ? ops.a[i]! : ops.b[i]!, i)
  }
  // A crashed operation took effect iff its value was observed, by a read or by a compare-and-set that took effect.
  const effective: number[] = []
  for (let i = 0; i < ops.length; i++) if (ops.kind[i] === CAS && (ops.ret[i] !== NEVER || readers.has(ops.b[i]!))) effective.push(i)
  for (let i = effective.pop(); i !== undefined; i = effective.pop()) {
    const expected = ops.a[i]!
    if (consumer.has(expected)) continue
    consumer.set(expected, i)
    const maker = makers.get(expected)
    if (maker !== undefined && ops.kind[maker] === CAS) effective.push(maker)
  }
  const chains: Chain[] = []
  if (readers.has(initial) || consumer.has(initial)) chains.push(chainFrom(ops, initial, -1, readers, consumer))
  for (const [value, i] of makers) if (ops.kind[i] === WRITE && (ops.ret[i] !== NEVER || readers.has(value) || consumer.has(value))) chains.push(chainFrom(ops, value, i, readers, consumer))
  return placed(chains).flatMap((chain) => chain.order)
}

function chainFrom(ops: RegisterOperations, value: number, head: number, readers: ReadonlyMap<number, number[]>, consumer: ReadonlyMap<number, number>): Chain {
  const chain: Chain = { order: [], f: head < 0 ? -1 : NEVER, s: -1 }
  const add = (i: number): void => {
    chain.order.push(i)
    chain.f = Math.min(chain.f, ops.ret[i]!)
    chain.s = Math.max(chain.s, ops.inv[i]!)
  }
  if (head >= 0) add(head)
  for (let at: number | undefined = value; at !== undefined;) {
    for (const i of readers.get(at) ?? []) add(i)
    const next = consumer.get(at)
    if (next !== undefined) add(next)
    at = next === undefined ? undefined : ops.b[next]!
  }
  return chain
}

/** Chains in order of where they stand. */
function placed(chains: readonly Chain[]): Chain[] {
  const place = ({ f, s }: Chain): number => Math.min(f, s)
  return [...chains].sort((x, y) => place(x) - place(y))
}
