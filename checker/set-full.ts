/**
 * Sets: what became of each element? As Jepsen's set-full checker asks (Kingsbury, jepsen.checker/set-full): an element is
 * *known* from the moment its add was acknowledged or a read showed it. From then on every read that begins should show
 * it. One that such a read misses after all that showed it had ended is *lost*; one that was missed and may have come back is
 * *stale*, for as long as it was missed. An element acknowledged and never seen by any read is lost when reads could have
 * shown it, otherwise *never read*. An element twice in a read is *duplicated*, one that nobody added, or only an add that
 * failed, is *unexpected*. Elements are counted, each once, however many adds, removes and reads show the same.
 *
 * A `remove` ends what is asked, so that an element missed before it is stale, not lost. Acknowledged, and with no add that
 * overlaps or follows it, it is for good: an element that a read shows afterwards is stale, and *resurrected* when all that
 * missed it had ended before that read began. `contains` reads one element, its input.
 *
 * `visible_*_ms`: how long after it was known an element was last missed, of those that were seen to stay or to come back.
 *
 * O(reads x elements of a key).
 */
import type { Json } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, ofKey, operationsByKey, type Finding, type ObjectOperation } from './object-operations.ts'
import { NEVER } from './registers.ts'

/** What was done with one element, failures left out. */
interface Element {
  readonly text: string
  readonly adds: readonly ObjectOperation[]
  readonly removes: readonly ObjectOperation[]
}

/** The reads that could show an element, in order of invocation. */
interface Looks {
  readonly showing: readonly ObjectOperation[]
  readonly missing: readonly ObjectOperation[]
}

/** What became of an element, and what shows it. */
interface Fate {
  readonly fate: 'lost' | 'stale' | 'never_read' | 'resurrected'
  readonly finding?: Finding
}

/** What is counted. */
interface Counts {
  added: number
  acknowledged: number
  lost: number
  stale: number
  never_read: number
  duplicated: number
  unexpected: number
  resurrected: number
}

/** How strict to be: is an element that was missed and came back a violation? It is where the set should be linearizable. */
export function setFull(options: { readonly staleIsViolation?: boolean; readonly binding?: boolean } = {}): Judgement {
  return {
    name: 'set-full',
    atRest: true,
    describes: 'follows every element from its acknowledgement on: lost, stale, never read, duplicated, resurrected, and how long it took to become visible',
    ...(options.binding === undefined ? {} : { binding: options.binding }),
    judge(history) {
      const counts: Counts = { added: 0, acknowledged: 0, lost: 0, stale: 0, never_read: 0, duplicated: 0, unexpected: 0, resurrected: 0 }
      const delays: number[] = []
      const findings: Finding[] = []
      let operations = 0
      let reads = 0
      for (const [key, list] of operationsByKey(history, ['add', 'remove', 'read', 'contains'])) {
        if (list.some(({ f, outcome, output }) => f === 'read' && outcome === 'ok' && output !== null && !Array.isArray(output))) return objectUnknown('set-full', list.length, 'what was read is no set')
        const followed = new FollowedSet(key, list, counts, delays, options.staleIsViolation === true)
        operations += list.length
        reads += followed.reads.length
        findings.push(...followed.findings())
      }
      if (counts.added === 0) return objectUnknown('set-full', operations, 'no element was added')
      if (reads === 0) return objectUnknown('set-full', operations, 'vacuous: no read succeeded')
      delays.sort((a, b) => a - b)
      const at = (share: number): number | null => (delays.length === 0 ? null : delays[Math.min(delays.length - 1, Math.ceil(delays.length * share) - 1)]!)
      const metrics = { ...counts, visible_p50_ms: at(0.5), visible_p99_ms: at(0.99), visible_max_ms: at(1) }
      return objectVerdict('set-full', operations, findings, metrics, `${counts.acknowledged} elements acknowledged, ${counts.lost} lost, ${counts.stale} stale, ${counts.never_read} never read, ${counts.duplicated} duplicated, ${counts.resurrected} resurrected`)
    },
  }
}

/** One key's set. */
class FollowedSet {
  readonly reads: readonly ObjectOperation[]
  readonly #key: string
  readonly #elements: readonly Element[]
  /** By read: the elements that it showed. */
  readonly #shown: readonly ReadonlySet<string>[]
  readonly #counts: Counts
  readonly #delays: number[]
  readonly #strict: boolean
  readonly #failed: ReadonlySet<string>

  constructor(key: string, operations: readonly ObjectOperation[], counts: Counts, delays: number[], strict: boolean) {
    this.#key = key
    this.#counts = counts
    this.#delays = delays
    this.#strict = strict
    this.reads = operations.filter(({ f, outcome }) => outcome === 'ok' && (f === 'read' || f === 'contains'))
    const text = (operation: ObjectOperation): string => JSON.stringify(operation.input)
    const happened = (wanted: string): Map<string, ObjectOperation[]> => byElement(operations.filter(({ f, outcome }) => f === wanted && outcome !== 'fail'))
    const removes = happened('remove')
    this.#failed = new Set(operations.filter(({ f, outcome }) => f === 'add' && outcome === 'fail').map(text))
    this.#elements = [...happened('add')].map(([element, adds]) => ({ text: element, adds, removes: removes.get(element) ?? [] }))
    this.#shown = this.reads.map((read) => new Set(read.f === 'contains' ? (read.output === true ? [text(read)] : []) : listOf(read.output).map((one) => JSON.stringify(one))))
  }

  *findings(): Generator<Finding> {
    for (const element of this.#elements) yield* this.#follow(element)
    const [told, twice] = [new Set(this.#elements.map(({ text }) => text)), new Set<string>()]
    for (const [at, read] of this.reads.entries()) {
      for (const text of read.f === 'read' && this.#shown[at]!.size < listOf(read.output).length ? repeated(listOf(read.output)) : []) {
        if (twice.has(text)) continue
        twice.add(text)
        this.#counts.duplicated++
        yield this.#finding([read], `process ${read.process} read ${text} twice in one set${ofKey(this.#key)}`)
      }
      for (const text of this.#shown[at]!) {
        if (told.has(text)) continue
        told.add(text)
        this.#counts.unexpected++
        yield this.#finding([read], `process ${read.process} read ${text}${ofKey(this.#key)}, ${this.#failed.has(text) ? 'whose add certainly failed' : 'which nobody added'}`)
      }
    }
  }

  *#follow(element: Element): Generator<Finding> {
    this.#counts.added++
    if (element.adds.some(({ outcome }) => outcome === 'ok')) this.#counts.acknowledged++
    const [showing, missing]: [ObjectOperation[], ObjectOperation[]] = [[], []]
    for (const [at, read] of this.reads.entries()) {
      if (read.f === 'contains' && JSON.stringify(read.input) !== element.text) continue
      ;(this.#shown[at]!.has(element.text) ? showing : missing).push(read)
    }
    const fates = [this.#known(element, { showing, missing }), this.#removed(element, { showing, missing })].filter((one) => one !== undefined)
    for (const fate of new Set(fates.map((one) => one.fate))) this.#counts[fate]++
    for (const { fate, finding } of fates) if (finding !== undefined && (fate !== 'stale' || this.#strict)) yield finding
  }

  /** From when it was known until it may have been removed. */
  #known({ text, adds, removes }: Element, { showing, missing }: Looks): Fate | undefined {
    const acknowledged = adds.filter(({ outcome }) => outcome === 'ok')
    const known = Math.min(NEVER, ...[...acknowledged, ...showing].map(({ end }) => end))
    if (known === NEVER) return undefined
    const knownNs = Math.min(...[...acknowledged, ...showing].map(({ to }) => to))
    const until = Math.min(NEVER, ...removes.map(({ start }) => start))
    const due = (read: ObjectOperation): boolean => read.start > known && read.end < until
    const last = missing.findLast(due)
    if (last === undefined) {
      if (showing.some(due)) this.#delays.push(0)
      return showing.length === 0 ? { fate: 'never_read' } : undefined
    }
    const missedMs = (last.from - knownNs) / 1e6
    const cameBack = showing.some(({ end }) => end > last.start)
    if (cameBack) this.#delays.push(missedMs)
    const add = acknowledged[0] ?? adds[0]!
    // One that was removed afterwards had no time to come back: then it was only missed.
    if (cameBack || removes.length > 0) return { fate: 'stale', finding: this.#finding([add, last], `${text} was known${ofKey(this.#key)}, and process ${last.process} missed it ${missedMs.toFixed(1)} ms later`) }
    return { fate: 'lost', finding: this.#finding([add, last], `${text} was ${acknowledged.length > 0 ? `added${ofKey(this.#key)} and acknowledged` : `seen${ofKey(this.#key)}`}, and the last read by process ${last.process} misses it`) }
  }

  /** Since it was removed for good. */
  #removed({ text, adds, removes }: Element, { showing, missing }: Looks): Fate | undefined {
    // An add that had not certainly ended before the remove began may have put it back.
    const added = Math.max(...adds.map(({ end }) => end))
    const [remove] = removes.filter(({ outcome, start }) => outcome === 'ok' && start > added).toSorted((a, b) => a.end - b.end)
    if (remove === undefined) return undefined
    const last = showing.findLast(({ start }) => start > remove.end)
    if (last === undefined) return undefined
    // Seen for a while longer is stale; there at what was certainly the last look, it has risen from the dead.
    if (missing.some(({ end }) => end > last.start)) return { fate: 'stale', finding: this.#finding([remove, last], `${text} was removed${ofKey(this.#key)}, and process ${last.process} still saw it`) }
    return { fate: 'resurrected', finding: this.#finding([remove, last], `${text} was removed${ofKey(this.#key)}, which was acknowledged, and the last read by process ${last.process} shows it again`) }
  }

  #finding(operations: readonly ObjectOperation[], explanation: string): Finding {
    return { key: this.#key, operations, explanation }
  }
}

function byElement(operations: readonly ObjectOperation[]): Map<string, ObjectOperation[]> {
  const groups = new Map<string, ObjectOperation[]>()
  for (const operation of operations) {
    const text = JSON.stringify(operation.input)
    const group = groups.get(text)
    if (group === undefined) groups.set(text, [operation])
    else group.push(operation)
  }
  return groups
}

/** What is in a list more than once, as JSON text. */
function repeated(list: readonly Json[]): Set<string> {
  const [seen, twice] = [new Set<string>(), new Set<string>()]
  for (const text of list.map((one) => JSON.stringify(one))) (seen.has(text) ? twice : seen).add(text)
  return twice
}

function listOf(output: Json): readonly Json[] {
  return Array.isArray(output) ? (output as readonly Json[]) : []
}
