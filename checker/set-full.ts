/**
 * Sets: what became of each element? As Jepsen's set-full checker asks (Kingsbury, jepsen.checker/set-full): an element is
 * *known* from the moment its add was acknowledged or a read showed it. From then on every read that begins should show
 * it. One that the last such read misses is *lost*; one that was missed and came back is *stale*, for as long as it was
 * missed. An element acknowledged and never seen by any read is lost when reads could have shown it, otherwise *never
 * read*. An element twice in a read is *duplicated*, one that nobody added, or only an add that failed, is *unexpected*.
 *
 * A `remove` ends what is asked, so that an element missed before it is stale, not lost; an element that a read shows
 * after an acknowledged one, though no add overlaps or follows the remove, is *resurrected*. `contains` reads one element: its input, or the key's only one.
 *
 * O(reads x elements of a key).
 */
import type { Json } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import { objectUnknown, objectVerdict, ofKey, operationsByKey, type Finding, type ObjectOperation } from './object-operations.ts'
import { NEVER } from './registers.ts'

/** One element's life. */
interface Element {
  readonly text: string
  readonly add: ObjectOperation
  readonly remove: ObjectOperation | undefined
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
    const removes = new Map(operations.filter(({ f, outcome }) => f === 'remove' && outcome !== 'fail').map((one) => [text(one), one]))
    const adds = operations.filter(({ f }) => f === 'add')
    this.#failed = new Set(adds.filter(({ outcome }) => outcome === 'fail').map(text))
    this.#elements = adds.filter(({ outcome }) => outcome !== 'fail').map((add) => ({ text: text(add), add, remove: removes.get(text(add)) }))
    this.#shown = this.reads.map((read) => new Set(read.f === 'contains' ? (read.output === true ? [text(read)] : []) : listOf(read.output).map((one) => JSON.stringify(one))))
  }

  *findings(): Generator<Finding> {
    for (const element of this.#elements) yield* this.#follow(element)
    const known = new Set(this.#elements.map(({ text }) => text))
    for (const [at, read] of this.reads.entries()) {
      const list = listOf(read.output)
      if (read.f === 'read' && this.#shown[at]!.size < list.length) {
        this.#counts.duplicated++
        const twice = list.find((one, position) => list.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) < position)
        yield this.#finding([read], `process ${read.process} read ${JSON.stringify(twice)} twice in one set${ofKey(this.#key)}`)
      }
      for (const text of this.#shown[at]!) {
        if (known.has(text)) continue
        this.#counts.unexpected++
        yield this.#finding([read], `process ${read.process} read ${text}${ofKey(this.#key)}, ${this.#failed.has(text) ? 'whose add certainly failed' : 'which nobody added'}`)
      }
    }
  }

  *#follow(element: Element): Generator<Finding> {
    const { text, add, remove } = element
    this.#counts.added++
    if (add.outcome === 'ok') this.#counts.acknowledged++
    const asked = (read: ObjectOperation): boolean => read.f === 'read' || JSON.stringify(read.input) === text
    const showing = this.reads.filter((read, at) => asked(read) && this.#shown[at]!.has(text))
    const known = Math.min(add.outcome === 'ok' ? add.end : NEVER, ...showing.map(({ end }) => end))
    const knownNs = Math.min(add.outcome === 'ok' ? add.to : Infinity, ...showing.map(({ to }) => to))
    if (remove !== undefined) yield* this.#afterRemove(element, showing)
    if (known === NEVER) return
    // A remove that may have taken effect ends what can be asked.
    const until = remove === undefined ? NEVER : remove.start
    const due = this.reads.filter((read) => asked(read) && read.start > known && read.end < until)
    const missing = due.filter((read) => !showing.includes(read))
    if (due.length === 0) {
      if (showing.length === 0) this.#counts.never_read++
      return
    }
    const last = missing.reduce<ObjectOperation | undefined>((latest, read) => (latest === undefined || read.start > latest.start ? read : latest), undefined)
    this.#delays.push(last === undefined ? 0 : (last.from - knownNs) / 1e6)
    if (last === undefined) return
    // One that was removed afterwards had no time to come back: then it was only missed.
    if (remove === undefined && !showing.some((read) => read.end > last.start)) {
      this.#counts.lost++
      yield this.#finding([add, last], `${text} was ${add.outcome === 'ok' ? `added${ofKey(this.#key)} and acknowledged` : `seen${ofKey(this.#key)}`}, and the last read by process ${last.process} misses it`)
    } else {
      this.#counts.stale++
      if (this.#strict) yield this.#finding([add, last], `${text} was known${ofKey(this.#key)}, and process ${last.process} missed it ${((last.from - knownNs) / 1e6).toFixed(1)} ms later`)
    }
  }

  *#afterRemove({ text, remove }: Element, showing: readonly ObjectOperation[]): Generator<Finding> {
    if (remove!.outcome !== 'ok') return
    // An add that had not certainly ended before the remove began may have put it back.
    if (this.#elements.some((other) => other.text === text && other.add.end >= remove!.start)) return
    const again = showing.filter(({ start }) => start > remove!.end)
    const last = again.at(-1)
    if (last === undefined) return
    const later = this.reads.some((read) => read.start > last.end && !showing.includes(read) && (read.f === 'read' || JSON.stringify(read.input) === text))
    // Seen for a while longer is stale; still there at the last look, it has risen from the dead.
    if (later) {
      this.#counts.stale++
      if (this.#strict) yield this.#finding([remove!, last], `${text} was removed${ofKey(this.#key)}, and process ${last.process} still saw it`)
      return
    }
    this.#counts.resurrected++
    yield this.#finding([remove!, last], `${text} was removed${ofKey(this.#key)}, which was acknowledged, and the last read by process ${last.process} shows it again`)
  }

  #finding(operations: readonly ObjectOperation[], explanation: string): Finding {
    return { key: this.#key, operations, explanation }
  }
}

function listOf(output: Json): readonly Json[] {
  return Array.isArray(output) ? (output as readonly Json[]) : []
}
