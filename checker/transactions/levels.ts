/**
 * Isolation levels as a lattice, and which anomalies each of them proscribes.
 *
 * Read uncommitted to serializable are Adya's generalized levels (PL-1, PL-2, PL-2.99, PL-3: "Weak Consistency",
 * MIT 1999, chapter 3), phrased as cycles of dependencies; snapshot isolation and its parallel form are the cycles of
 * Cerone and Gotsman ("Analysing Snapshot Isolation", JACM 65(2), 2018: every cycle has two adjacent anti-dependencies;
 * every cycle has two). Monotonic atomic view, read atomic and causal consistency are the axioms of Biswas and Enea ("On
 * the Complexity of Checking Transactional Consistency", OOPSLA 2019). *Strong session* levels add the order of each
 * session to the dependencies, *strong* and *strict* levels real time (Daudjee and Salem 2006; Herlihy and Wing 1990).
 *
 * What Biswas and Enea (and AWDIT) call read committed, read atomic and causal consistency includes the order of
 * sessions: these are `strong-session-read-committed`, `strong-session-read-atomic` and `causal` here. Histories have no
 * predicate reads, so that repeatable read (PL-2.99) and serializable coincide; both are named.
 */

import { isolationLevels, type IsolationLevel } from '../verdict.ts'

/** What each level implies directly. Every line is a theorem about the definitions above. */
export const impliedLevels: Readonly<Record<IsolationLevel, readonly IsolationLevel[]>> = {
  'strict-serializable': ['strong-session-serializable', 'strong-snapshot-isolation'],
  'strong-snapshot-isolation': ['strong-session-snapshot-isolation'],
  'strong-session-serializable': ['strong-session-snapshot-isolation', 'serializable'],
  'strong-session-snapshot-isolation': ['snapshot-isolation', 'causal'],
  serializable: ['repeatable-read', 'snapshot-isolation'],
  'repeatable-read': ['read-committed'],
  'snapshot-isolation': ['parallel-snapshot-isolation'],
  'parallel-snapshot-isolation': ['read-atomic'],
  causal: ['strong-session-read-atomic'],
  'strong-session-read-atomic': ['strong-session-read-committed', 'read-atomic'],
  'strong-session-read-committed': ['monotonic-atomic-view'],
  'read-atomic': ['monotonic-atomic-view'],
  'monotonic-atomic-view': ['read-committed'],
  'read-committed': ['read-uncommitted'],
  'read-uncommitted': [],
}

/** The weakest levels that an anomaly refutes; every stronger level goes with them. */
export const refutes = {
  'thin-air': ['read-uncommitted'],
  'duplicate-elements': ['read-uncommitted'],
  'incompatible-order': ['read-uncommitted'],
  G0: ['read-uncommitted'],
  G1a: ['read-committed'],
  G1b: ['read-committed'],
  G1c: ['read-committed'],
  'dirty-update': ['read-committed'],
  'non-monotonic-view': ['monotonic-atomic-view'],
  'fractured-read': ['read-atomic'],
  internal: ['read-atomic', 'repeatable-read'],
  'lost-update': ['parallel-snapshot-isolation', 'repeatable-read'],
  'G-single': ['parallel-snapshot-isolation', 'repeatable-read'],
  'G-nonadjacent': ['snapshot-isolation', 'repeatable-read'],
  'G2-item': ['repeatable-read', 'serializable'],
  'non-monotonic-view-process': ['strong-session-read-committed'],
  'fractured-read-process': ['strong-session-read-atomic'],
  'causality-cycle': ['causal'],
  'G0-process': ['strong-session-read-committed', 'strong-session-snapshot-isolation'],
  'G1c-process': ['strong-session-read-committed', 'strong-session-snapshot-isolation'],
  'G-single-process': ['strong-session-snapshot-isolation'],
  'G-nonadjacent-process': ['strong-session-snapshot-isolation'],
  'G2-item-process': ['strong-session-serializable'],
  'G0-realtime': ['strong-snapshot-isolation'],
  'G1c-realtime': ['strong-snapshot-isolation'],
  'G-single-realtime': ['strong-snapshot-isolation'],
  'G-nonadjacent-realtime': ['strong-snapshot-isolation'],
  'G2-item-realtime': ['strict-serializable'],
} as const satisfies Readonly<Record<string, readonly IsolationLevel[]>>
export type AnomalyType = keyof typeof refutes

/** The words of an anomaly, for people. */
export const anomalyNames: Readonly<Record<AnomalyType, string>> = {
  'thin-air': 'a value that nobody wrote',
  'duplicate-elements': 'an element twice in one list',
  'incompatible-order': 'lists that cannot be prefixes of one order',
  G0: 'dirty write (G0)',
  G1a: 'aborted read (G1a)',
  G1b: 'intermediate read (G1b)',
  G1c: 'circular information flow (G1c)',
  'dirty-update': 'dirty update',
  'non-monotonic-view': 'a view that went back within a transaction',
  'fractured-read': 'fractured read',
  internal: 'a transaction that contradicts itself (internal)',
  'lost-update': 'lost update',
  'G-single': 'read skew (G-single)',
  'G-nonadjacent': 'G-nonadjacent',
  'G2-item': 'anti-dependency cycle (G2-item)',
  'non-monotonic-view-process': 'a view that went back, through sessions',
  'fractured-read-process': 'fractured read, through sessions',
  'causality-cycle': 'a read that causality forbids',
  'G0-process': 'G0 through sessions',
  'G1c-process': 'G1c through sessions',
  'G-single-process': 'G-single through sessions',
  'G-nonadjacent-process': 'G-nonadjacent through sessions',
  'G2-item-process': 'G2-item through sessions',
  'G0-realtime': 'G0 in real time',
  'G1c-realtime': 'G1c in real time',
  'G-single-realtime': 'G-single in real time',
  'G-nonadjacent-realtime': 'G-nonadjacent in real time',
  'G2-item-realtime': 'G2-item in real time',
}

const weaker = new Map<IsolationLevel, readonly IsolationLevel[]>()

/** Everything that a level implies, itself not included. */
export function weakerLevels(level: IsolationLevel): readonly IsolationLevel[] {
  let known = weaker.get(level)
  if (known === undefined) {
    known = [...new Set(impliedLevels[level].flatMap((one) => [one, ...weakerLevels(one)]))]
    weaker.set(level, known)
  }
  return known
}

/** A verdict for every level: refuted levels take the stronger ones with them, levels that hold carry the weaker ones. */
export function settleLevels(refuted: ReadonlySet<IsolationLevel>, upheld: ReadonlySet<IsolationLevel>): Record<IsolationLevel, 'holds' | 'violated' | 'unknown'> {
  const verdict = (level: IsolationLevel): 'holds' | 'violated' | 'unknown' => {
    if ([level, ...weakerLevels(level)].some((one) => refuted.has(one))) return 'violated'
    return isolationLevels.some((one) => upheld.has(one) && (one === level || weakerLevels(one).includes(level))) ? 'holds' : 'unknown'
  }
  return Object.fromEntries(isolationLevels.map((level) => [level, verdict(level)])) as Record<IsolationLevel, 'holds' | 'violated' | 'unknown'>
}

/** Of some levels those that none of the others implies. */
export function strongestLevels(levels: readonly IsolationLevel[]): IsolationLevel[] {
  return levels.filter((level) => !levels.some((other) => weakerLevels(other).includes(level)))
}

/** Of some levels those that imply none of the others. */
export function weakestLevels(levels: readonly IsolationLevel[]): IsolationLevel[] {
  return levels.filter((level) => !weakerLevels(level).some((other) => levels.includes(other)))
}
