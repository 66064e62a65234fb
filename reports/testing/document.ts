/**
 * The verdict document of a made-up run: a small, slow and obvious stand-in for the checker, so that reports can
 * be tested without it. Stale reads and reads that go back in time are looked for by comparing pairs.
 */
import { OBSERVER, OK, FAIL, INFO, INVOKE } from '../../checker/history/index.ts'
import { models } from '../../checker/verdict.ts'
import type { History } from '../../checker/history/index.ts'
import type { Availability, FaultWindow, JudgementVerdict, Latency, Model, VerdictDocument, Witness } from '../../checker/verdict.ts'
import type { Replication, TourOptions } from './tour.ts'

interface Operation {
  readonly row: number
  readonly end: number
  readonly key: number
  readonly write: boolean
  readonly start: number
  readonly finish: number
  readonly type: number
  readonly value: number
  readonly node: string
}

function operationsOf(history: History): Operation[] {
  const found: Operation[] = []
  for (let row = 0; row < history.length; row++) {
    if (history.process[row]! < 0 || history.type[row] !== INVOKE) continue
    const end = history.pair[row]!
    found.push({
      row,
      end,
      key: history.key[row]!,
      write: history.functions[history.f[row]!] === 'write',
      start: history.time[row]!,
      finish: end < 0 ? Number.POSITIVE_INFINITY : history.time[end]!,
      type: end < 0 ? INFO : history.type[end]!,
      value: history.value[end < 0 ? row : end]!,
      node: history.nodes[history.node[row]!]!,
    })
  }
  return found
}

/** Two reads, the later of an older value; or a read that misses a write which was acknowledged before it began. */
function staleness(history: History, operations: readonly Operation[]): { stale: Witness[]; backwards: Witness[] } {
  const byKey = new Map<number, Operation[]>()
  for (const operation of operations) {
    const same = byKey.get(operation.key)
    if (same === undefined) byKey.set(operation.key, [operation])
    else same.push(operation)
  }
  const stale: Witness[] = []
  const backwards: Witness[] = []
  for (const [key, all] of byKey) {
    const writes = new Map(all.filter((operation) => operation.write).map((operation) => [operation.value, operation]))
    const seen = all.filter((operation) => operation.type === OK)
    const name = history.values.decode(key)
    let newest: { operation: Operation; start: number; value: number } | undefined
    for (const event of seen.flatMap((operation) => [{ at: operation.start, operation, first: true }, { at: operation.finish, operation, first: false }]).sort((a, b) => a.at - b.at)) {
      const { operation } = event
      const source = operation.write ? operation : writes.get(operation.value)
      const start = source?.start ?? -1
      if (!event.first) {
        if (newest === undefined || start > newest.start) newest = { operation, start, value: operation.value }
        continue
      }
      if (operation.write || newest === undefined || newest.start < 0 || newest.operation.finish > operation.start) continue
      if ((source?.finish ?? -1) >= (writes.get(newest.value)?.start ?? 0)) continue
      const rows = [source?.row, newest.operation.write ? undefined : writes.get(newest.value)?.row, newest.operation.row, operation.row].filter((row) => row !== undefined)
      const old = operation.value < 0 ? 'nothing' : operation.value
      const witness: Witness = { key: name as Exclude<Witness['key'], undefined>, operations: [...new Set(rows)].sort((a, b) => a - b), explanation: newest.operation.write ? `The write of ${newest.value} was acknowledged before the read began, and yet the read returned ${old}, which ${operation.value < 0 ? 'is older than any write' : 'had been replaced'}.` : `A read had already returned ${newest.value}; a read that began after it had ended returned the older ${old}. The register went back in time.` }
      ;(newest.operation.write ? stale : backwards).push(witness)
    }
  }
  return { stale, backwards }
}

function quantile(sorted: readonly number[], share: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]! / 1e6
}

function measure(operations: readonly Operation[], faults: readonly FaultWindow[], nodes: readonly string[]): { availability: Availability[]; latency: Latency[] } {
  const outside = (operation: Operation) => !faults.some((fault) => operation.start < (fault.healed_ns ?? fault.to_ns) && operation.finish >= fault.from_ns)
  const periods = [
    { period: 'all', sides: {}, has: () => true },
    { period: 'healthy', sides: {}, has: outside },
    ...faults.map((fault) => ({ period: `${fault.id}:${fault.fault}`, sides: fault.sides, has: (operation: Operation) => operation.start >= fault.from_ns && operation.finish < fault.to_ns })),
  ]
  const availability: Availability[] = []
  const latency: Latency[] = []
  for (const { period, sides, has } of periods) {
    const inside = operations.filter(has)
    const groups = [{ group: 'all', members: nodes as readonly string[] }, ...Object.entries(sides).map(([group, members]) => ({ group, members })), ...nodes.map((node) => ({ group: node, members: [node] }))]
    for (const { group, members } of groups) {
      const mine = inside.filter((operation) => members.includes(operation.node))
      const count = (type: number) => mine.filter((operation) => operation.type === type).length
      availability.push({ period, group, attempted: mine.length, ok: count(OK), fail: count(FAIL), info: count(INFO), share: mine.length === 0 ? null : count(OK) / mine.length })
      const sorted = mine.filter((operation) => operation.type === OK).map((operation) => operation.finish - operation.start).sort((a, b) => a - b)
      latency.push({ period, group, f: 'all', count: sorted.length, p50_ms: quantile(sorted, 0.5), p99_ms: quantile(sorted, 0.99), p999_ms: quantile(sorted, 0.999), max_ms: quantile(sorted, 1) })
    }
  }
  return { availability, latency }
}

/** When all replicas agreed for good, and on how many keys they ever differed. */
function convergence(history: History, healed: number): VerdictDocument['convergence'] {
  const last = new Map<number, boolean>()
  let disagreed = 0
  for (let row = 0; row < history.length; row++) {
    if (history.process[row] !== OBSERVER || history.functions[history.f[row]!] !== 'peek') continue
    const agreed = new Set(Object.values(history.values.decode(history.value[row]!) as object)).size <= 1
    last.set(history.key[row]!, agreed)
    if (!agreed) disagreed = history.time[row]!
  }
  const diverged = [...last.values()].filter((agreed) => !agreed).length
  return { agreed: diverged === 0, time_to_converge_ms: diverged === 0 ? Math.max(0, (disagreed + 250e6 - healed) / 1e6) : null, keys: last.size, diverged_keys: diverged }
}

/** Judges a made-up history. */
export function tourDocument(replication: Replication, history: History, faults: FaultWindow[], nodes: readonly string[], options: TourOptions): VerdictDocument {
  const operations = operationsOf(history)
  const { stale, backwards } = staleness(history, operations)
  const broken = [...backwards, ...stale].sort((a, b) => a.operations.length - b.operations.length).slice(0, 3)
  const promised: Model = replication === 'abd' ? 'linearizable' : replication === 'quorum' ? 'regular' : 'eventual'
  const violated = new Set<Model>(broken.length === 0 ? [] : stale.length > 0 ? ['linearizable', 'sequential', 'regular', 'causal', 'pram', 'read-your-writes', 'monotonic-reads', 'monotonic-writes', 'writes-follow-reads'] : ['linearizable', 'sequential'])
  const strongest = models.find((model) => !violated.has(model)) ?? null
  const own = (judgement: string, model: Model | undefined, summary: string, witnesses: Witness[], metrics: JudgementVerdict['metrics']): JudgementVerdict => ({ judgement, ...(model === undefined ? {} : { model }), verdict: witnesses.length > 0 ? 'violated' : 'holds', summary, operations: operations.length, witnesses, metrics })
  const count = (type: number) => operations.filter((operation) => operation.type === type).length
  const agreed = convergence(history, Math.max(...faults.map((fault) => fault.healed_ns ?? fault.to_ns)))
  const kept = promised === 'eventual' ? agreed.agreed === true : !violated.has(promised)
  return {
    schema: 'splitbrain-verdict/1',
    verdict: kept ? 'holds' : 'violated',
    sentence: kept ? `Promised ${promised}, and it holds: not refuted by ${operations.length} operations on ${options.keys} keys.` : `Promised ${promised}. Violated on ${new Set(broken.map((witness) => witness.key)).size} of ${options.keys} keys.`,
    promised,
    strongest,
    run: { name: replication, started: '2026-01-02T03:04:05.000Z', system: 'kv', preset: replication, workload: 'register', driver: 'process', nodes: [...nodes], clients: nodes.length * 2, time_ms: options.seconds * 1000, seed: options.seed, version: '0.1.0', repeat: `npx splitbrain run --preset ${replication} --workload register --nodes 5 --clients 10 --time ${options.seconds}s --seed ${options.seed}` },
    operations: { invoked: operations.length, ok: count(OK), fail: count(FAIL), info: count(INFO) },
    ladder: models.map((model) => ({ model, verdict: violated.has(model) ? 'violated' : 'holds', by: model === 'linearizable' ? 'linearizable' : violated.has(model) ? 'sessions' : strongest === model ? 'sessions' : `implied by ${strongest}` })),
    judgements: [
      own('linearizable', 'linearizable', broken.length === 0 ? `Every key is linearizable: ${operations.length} operations, checker complete.` : `${broken.length} smallest witnesses; ${new Set([...stale, ...backwards].map((witness) => witness.key)).size} of ${options.keys} keys are not linearizable.`, broken, { keys: options.keys, states_visited: operations.length * 3, elapsed_ms: 41.5 }),
      own('convergence', 'eventual', agreed.agreed === true ? 'All replicas agree on every key.' : `${agreed.diverged_keys} keys differ.`, [], { samples: 88 }),
      own('durability', undefined, 'Every acknowledged write is held or was replaced.', [], { acknowledged: operations.filter((operation) => operation.write && operation.type === OK).length }),
    ],
    faults,
    ...measure(operations, faults, nodes),
    convergence: agreed,
    durability: { acknowledged: operations.filter((operation) => operation.write && operation.type === OK).length, lost: 0 },
  }
}
