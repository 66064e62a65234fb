/**
 * The longest linearizable prefix of a register's history.
 *
 * The engine may give up early, because it looks ahead: it leaves out what could not be completed later. For an
 * explanation the exact place matters: the first response after which no linearization exists, whatever comes later.
 * Prefixes of linearizable histories are linearizable, so the place is found by galloping and bisection.
 */
import { LiveZones } from './live-zones.ts'
import { CAS, FAILED_CAS, NEVER, READ, WRITE } from './register.ts'
import type { RegisterOperations } from './register.ts'

/** The history up to (not including) a rank: operations that are open there have no response yet. */
export function truncated(ops: RegisterOperations, end: number): RegisterOperations {
  const kept: number[] = []
  for (let i = 0; i < ops.length && ops.inv[i]! < end; i++) if (ops.kind[i] !== READ || ops.ret[i]! < end) kept.push(i)
  const pick = (column: Int32Array): Int32Array => Int32Array.from(kept, (i) => column[i]!)
  const ret = pick(ops.ret).map((rank) => (rank < end ? rank : NEVER))
  const kind = Uint8Array.from(kept, (i, at) => (ops.kind[i] === FAILED_CAS && ret[at] === NEVER ? CAS : ops.kind[i]!))
  return { length: kept.length, kind, a: pick(ops.a), b: pick(ops.b), inv: pick(ops.inv), ret, row: pick(ops.row), events: end, failedCas: kind.filter((k) => k === FAILED_CAS).length }
}

/**
 * The first rank whose event makes a history not linearizable, by galloping and bisection: `refutes` tells whether
 * the history up to (not including) a rank is refuted.
 */
export function firstIllegal(events: number, refutes: (until: number) => boolean): number {
  let low = 0
  let high = 1
  for (let step = 1; high < events && !refutes(high); step *= 2) {
    low = high
    high = Math.min(events, high + step)
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (refutes(middle)) high = middle
    else low = middle
  }
  return high - 1
}

/** As firstIllegal, for a history that zones refute: in one pass, by zones that grow. */
export function firstIllegalByZones({ length, kind, a, b, inv, ret, events }: RegisterOperations, initial: number): number {
  const operationAt = new Int32Array(events).fill(-1)
  for (let i = 0; i < length; i++) {
    operationAt[inv[i]!] = i
    if (ret[i] !== NEVER) operationAt[ret[i]!] = i
  }
  const zones = new LiveZones(initial)
  let open = 0
  for (let event = 0; event < events; event++) {
    const i = operationAt[event]!
    if (i < 0) continue
    const made = kind[i] === CAS ? b[i]! : a[i]!
    if (event === inv[i]) {
      if (kind[i] !== READ) zones.invokeWrite(made, event, i, kind[i] === WRITE ? undefined : a[i])
    } else if (zones.complete(made, inv[i]!, i, event) !== undefined) return event
    if ((event & 1023) !== 0) continue
    while (open < length && (ret[open] === NEVER || ret[open]! < event)) open++
    zones.forget(open < length ? inv[open]! : event + 1)
  }
  return events - 1
}
