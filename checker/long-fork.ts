/**
 * Long forks: two reads of the same keys, each of which saw a write that the other did not (Sovran et al.,
 * "Transactional storage for geo-replicated systems", SOSP 2011; Jepsen's long-fork checker). Each key is written once, so
 * that a read is the set of keys that it found; under snapshot isolation these sets form a chain. A read found either
 * nothing or the one value: more is no long fork, and left to `transactions`. Reads of a group that found the same count as
 * one, so that each fork is counted once. O(reads^2) per group of keys.
 */
import { OK } from './history/index.ts'
import type { Json } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, operationsByKey, type Finding, type ObjectOperation } from './object-operations.ts'

interface Snapshot {
  readonly operation: ObjectOperation
  readonly found: ReadonlyMap<string, boolean>
}

/** No two reads disagree about the order of two writes. */
export function longFork(options: { readonly binding?: boolean } = {}): Judgement {
  return {
    name: 'long-fork',
    describes: 'no two reads of the same keys each saw a write that the other missed',
    ...(options.binding === undefined ? {} : { binding: options.binding }),
    judge(history) {
      const groups = new Map<string, Snapshot[]>()
      let operations = 0
      for (const list of operationsByKey(history, ['read', 'txn']).values()) {
        for (const operation of list) {
          operations++
          const snapshot = operation.outcome === 'ok' ? snapshotOf(operation) : undefined
          if (snapshot === undefined) continue
          const name = [...snapshot.found.keys()].sort().join(' ')
          groups.set(name, [...(groups.get(name) ?? []), snapshot])
        }
      }
      const reads = [...groups.values()].reduce((sum, group) => sum + group.length, 0)
      if (reads === 0 || !history.type.subarray(0, history.length).includes(OK)) return objectUnknown('long-fork', operations, 'vacuous: no read of several keys succeeded')
      const findings = [...groups.values()].flatMap((group) => forksIn(group))
      return objectVerdict('long-fork', operations, findings, { reads, groups: groups.size, forks: findings.length }, `${findings.length} long forks in ${reads} reads of ${groups.size} groups of keys`)
    },
  }
}

/** What a read of several keys, and nothing else, found. */
function snapshotOf(operation: ObjectOperation): Snapshot | undefined {
  const micros = operation.output
  if (!Array.isArray(micros) || micros.length < 2) return undefined
  const found = new Map<string, boolean>()
  for (const micro of micros as readonly Json[]) {
    if (!Array.isArray(micro) || micro[0] !== 'r') return undefined
    found.set(JSON.stringify(micro[1]), (micro[2] ?? null) !== null)
  }
  return found.size < 2 ? undefined : { operation, found }
}

function forksIn(group: readonly Snapshot[]): Finding[] {
  // Reads that found the same are one; each is compared with the others once.
  const distinct = new Map(group.map((one) => [[...one.found].filter(([, there]) => there).map(([key]) => key).sort().join(' '), one]))
  const snapshots = [...distinct.values()]
  const findings: Finding[] = []
  for (const [at, a] of snapshots.entries()) {
    for (const b of snapshots.slice(at + 1)) {
      const onlyA = [...a.found].find(([key, there]) => there && !b.found.get(key))?.[0]
      const onlyB = [...b.found].find(([key, there]) => there && !a.found.get(key))?.[0]
      if (onlyA === undefined || onlyB === undefined) continue
      const [one, other] = [a.operation, b.operation]
      findings.push({ key: 'null', operations: [one, other], explanation: `process ${one.process} saw the write of ${onlyA} and not that of ${onlyB}, and process ${other.process} saw that of ${onlyB} and not that of ${onlyA}` })
    }
  }
  return findings
}
