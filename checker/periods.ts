/**
 * Periods of a run, and groups of nodes: what availability and latency are told apart by.
 *
 * `all` is the whole history, `healthy` the time outside every fault (from its observed effect to its observed heal),
 * and each fault window a period of its own. Beside each window stand the healthy time just before it and just after
 * its observed heal, as long as the window itself where no other fault is in the way: what a fault did is the
 * difference between the three. An operation belongs to a period when it was invoked and completed
 * within it; one still open at the period's end is left out (censored), because what became of it says as much about
 * the time after. Groups are all nodes, each node, and around a partition each side of it; around any other
 * fault, the nodes that it struck and the others.
 */
import { INVOKE } from './history/index.ts'
import type { History } from './history/index.ts'
import type { FaultWindow } from './verdict.ts'

/** A stretch of time, or several. */
export interface Period {
  readonly name: string
  /** Disjoint and ascending; both ends included. */
  readonly spans: readonly (readonly [from: number, to: number])[]
  /** Side -> nodes; empty where there are no sides. */
  readonly sides: Readonly<Record<string, readonly string[]>>
  /** The nodes that a fault without sides was aimed at. */
  readonly struck?: readonly string[]
}

/** "1:partition(majority-minority)". */
export const windowName = (window: Pick<FaultWindow, 'id' | 'fault'>): string => `${window.id}:${window.fault}`

/** All periods of a run. */
export function periodsOf(faults: readonly FaultWindow[]): Period[] {
  const windows = faults.map((window): Period => ({ name: windowName(window), spans: [[window.from_ns, window.to_ns]], ...groupsAround(window) }))
  return [
    { name: 'all', spans: [[-Infinity, Infinity]], sides: {} },
    { name: 'healthy', spans: outside(faults), sides: {} },
    ...windows,
    ...faults.flatMap((window) => neighbours(window, faults)),
  ]
}

function groupsAround({ sides, targets }: FaultWindow): Pick<Period, 'sides' | 'struck'> {
  return Object.keys(sides).length > 0 ? { sides } : { sides, struck: targets }
}

/** The healthy time before a fault ("before 1:kill(one)") and after it, as far as there is any. */
function neighbours(window: FaultWindow, faults: readonly FaultWindow[]): Period[] {
  const others = faults.filter((other) => other !== window)
  const length = window.to_ns - window.from_ns
  const since = Math.max(0, window.from_ns - length, ...others.filter((other) => other.from_ns < window.from_ns).map((other) => other.healed_ns ?? Infinity))
  const period = (when: string, from: number, to: number): Period[] => (from < to ? [{ name: `${when} ${windowName(window)}`, spans: [[from, to]], ...groupsAround(window) }] : [])
  const { healed_ns } = window
  if (healed_ns === null) return period('before', since, window.from_ns)
  const covered = others.some((other) => other.from_ns <= healed_ns && (other.healed_ns ?? Infinity) > healed_ns)
  const until = covered ? healed_ns : Math.min(healed_ns + length, ...others.filter((other) => other.from_ns > healed_ns).map((other) => other.from_ns))
  return [...period('before', since, window.from_ns), ...period('after', healed_ns, until)]
}

function outside(faults: readonly FaultWindow[]): (readonly [number, number])[] {
  const spans: (readonly [number, number])[] = []
  let from = -Infinity
  for (const window of faults.toSorted((a, b) => a.from_ns - b.from_ns)) {
    if (window.from_ns > from) spans.push([from, window.from_ns])
    from = Math.max(from, window.healed_ns ?? Infinity)
  }
  if (from < Infinity) spans.push([from, Infinity])
  return spans
}

/** A period and a group within it. `nodes`: codes in the history; null for all operations, even of unknown nodes. */
export interface Group {
  readonly name: string
  readonly nodes: readonly number[] | null
}

/** n2 before n10. */
const byNumber = new Intl.Collator('en', { numeric: true })

/** The groups of a period. */
export function groupsOf(history: History, period: Period): Group[] {
  const sides = Object.entries(period.sides).map(([name, nodes]) => ({ name, nodes: nodes.map((node) => history.nodes.indexOf(node)).filter((code) => code >= 0) }))
  const nodes = history.nodes.map((name, code) => ({ name, nodes: [code] })).sort((a, b) => byNumber.compare(a.name, b.name))
  const struck = period.struck ?? []
  const hit = nodes.filter(({ name }) => struck.includes(name)).flatMap((group) => group.nodes)
  const spared = nodes.filter(({ name }) => !struck.includes(name)).flatMap((group) => group.nodes)
  const parts = hit.length > 0 && spared.length > 0 ? [{ name: 'struck', nodes: hit }, { name: 'others', nodes: spared }] : []
  return [{ name: 'all', nodes: null }, ...sides, ...parts, ...nodes]
}

/** Calls `visit` for every client operation and every period that it lies in. `node` is -1 when unknown. */
export function eachInPeriods(history: History, periods: readonly Period[], visit: (period: number, invocation: number, completion: number, node: number) => void): void {
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    const done = history.pair[row]!
    if (done < 0) continue
    const from = history.timeAt(row)
    const to = history.timeAt(done)
    const node = history.node[row]! >= 0 ? history.node[row]! : history.node[done]!
    for (let at = 0; at < periods.length; at++) {
      if (at === 0 || contains(periods[at]!.spans, from, to)) visit(at, row, done, node)
    }
  }
}

function contains(spans: Period['spans'], from: number, to: number): boolean {
  for (const span of spans) if (span[0] <= from && to <= span[1]) return true
  return false
}
