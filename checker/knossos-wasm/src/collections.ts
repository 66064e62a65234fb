/**
 * Queues and sets whose elements are unique: linearizability from pairs of operations, in O(n log n).
 *
 * - FIFO queue (Henzinger, Sezgin, Vafeiadis, "Aspect-oriented linearizability proofs", CONCUR 2013): without takes
 *   from the empty queue a history is linearizable iff every element taken was put before its take ended, none is
 *   taken twice, and no y was taken strictly before x (or x never) although x was put strictly before y.
 * - Unordered queue: the same without the last condition, since elements do not influence each other.
 * - Grow-only set read as a whole: the reads must form a chain by inclusion. That fixes an order of blocks: what the
 *   smallest read saw, that read, what the next one saw besides, that read, ..., what nobody saw. Such an order is
 *   possible iff no operation ended before one of an earlier block began.
 *
 * A crashed put counts iff its element was seen. What these conditions do not cover (a take that found nothing, a
 * crashed take, an element put twice, `contains`) is `undefined`: the general engine decides.
 */
import { NEVER } from './register.ts'
import { operationAt } from './problem.ts'
import { canonical } from './values.ts'
import type { History } from './history.ts'
import type { Model } from './model.ts'
import type { KeyRows } from './order.ts'
import type { Json } from './values.ts'

/** `rows`: operations that are a violation by themselves. */
export type CollectionResult = { readonly type: 'holds' } | { readonly type: 'violated'; readonly rows: readonly number[] }

interface Span {
  readonly row: number
  readonly inv: number
  readonly ret: number
}

/** Decides the operations of one key, or leaves them to the general engine. */
export function checkCollection(history: History, key: KeyRows, rank: Int32Array | null, model: Model): CollectionResult | undefined {
  if (model.name === 'fifo-queue' || model.name === 'unordered-queue') return checkQueue(history, key, rank, model)
  if (model.name === 'grow-only-set') return checkGrowOnlySet(history, key, rank, model)
  return undefined
}

function spanAt(history: History, rank: Int32Array | null, row: number, crashed: boolean): Span {
  const end = history.pair[row]!
  return { row, inv: rank === null ? row : rank[row]!, ret: crashed ? NEVER : rank === null ? end : rank[end]! }
}

interface Element {
  put: Span | undefined
  take: Span | undefined
}

function checkQueue(history: History, key: KeyRows, rank: Int32Array | null, model: Model): CollectionResult | undefined {
  const elements = new Map<string, Element>()
  const of = (value: Json): Element => {
    const text = canonical(value)
    const known = elements.get(text)
    if (known !== undefined) return known
    const fresh: Element = { put: undefined, take: undefined }
    elements.set(text, fresh)
    return fresh
  }
  let twice: readonly number[] | undefined
  for (const row of key.rows) {
    const { f, input, output, outcome } = operationAt(history, row, model)
    if (outcome === 'fail') continue
    const span = spanAt(history, rank, row, outcome === 'info')
    if (f === 'enqueue') {
      const element = of(input)
      if (element.put !== undefined) return undefined
      element.put = span
      continue
    }
    if (output === undefined || output === null) return undefined
    const element = of(output)
    if (element.take !== undefined) twice ??= [element.take.row, row]
    element.take ??= span
  }
  for (const { put, take } of elements.values()) {
    if (take !== undefined && (put === undefined || take.ret < put.inv)) return violated([take, put])
  }
  if (twice !== undefined) {
    const element = [...elements.values()].find(({ take }) => take?.row === twice[0])!
    return { type: 'violated', rows: [element.put!.row, ...twice].sort((a, b) => a - b) }
  }
  return model.name === 'fifo-queue' ? overtaken([...elements.values()]) : { type: 'holds' }
}

/** Whether some y was taken before x although x was put before y: over all y by time of their put, the latest take among the x before. */
function overtaken(elements: readonly Element[]): CollectionResult {
  const puts = elements.filter(({ put, take }) => put !== undefined && (take !== undefined || put.ret !== NEVER))
  const byEnd = puts.filter(({ put }) => put!.ret !== NEVER).sort((a, b) => a.put!.ret - b.put!.ret)
  let latest: Element | undefined
  let next = 0
  for (const y of [...puts].sort((a, b) => a.put!.inv - b.put!.inv)) {
    for (; next < byEnd.length && byEnd[next]!.put!.ret < y.put!.inv; next++) {
      if (latest === undefined || takenFrom(byEnd[next]!) > takenFrom(latest)) latest = byEnd[next]!
    }
    if (latest !== undefined && y.take !== undefined && takenFrom(latest) > y.take.ret) return violated([latest.put, latest.take, y.put, y.take])
  }
  return { type: 'holds' }
}

const takenFrom = ({ take }: Element): number => take?.inv ?? NEVER

function violated(spans: readonly (Span | undefined)[]): CollectionResult {
  return { type: 'violated', rows: spans.flatMap((span) => span?.row ?? []).sort((a, b) => a - b) }
}

interface Read {
  readonly span: Span
  readonly elements: ReadonlySet<string>
}

function checkGrowOnlySet(history: History, key: KeyRows, rank: Int32Array | null, model: Model): CollectionResult | undefined {
  const adds = new Map<string, Span>()
  const reads: Read[] = []
  for (const row of key.rows) {
    const { f, input, output, outcome } = operationAt(history, row, model)
    if (outcome === 'fail' || (outcome === 'info' && f !== 'add')) continue
    const span = spanAt(history, rank, row, outcome === 'info')
    if (f === 'add') {
      const text = canonical(input)
      if (adds.has(text) || typeof output === 'boolean') return undefined
      adds.set(text, span)
    } else {
      if (f !== 'read' || !Array.isArray(output)) return undefined
      const elements = new Set((output as readonly Json[]).map(canonical))
      if (elements.size !== output.length) return undefined
      reads.push({ span, elements })
    }
  }
  reads.sort((x, y) => x.elements.size - y.elements.size || x.span.inv - y.span.inv)
  return inBlocks(adds, reads)
}

/** Goes over the blocks with the latest invocation so far; whatever ended before that began stands in the wrong place. */
function inBlocks(adds: ReadonlyMap<string, Span>, reads: readonly Read[]): CollectionResult {
  const withAdds = (read: Read): Span[] => [read.span, ...[...read.elements].flatMap((element) => adds.get(element) ?? [])]
  const placed = new Set<string>()
  let latest: Span | undefined
  let latestRead: Read | undefined // the first read behind `latest`: it says that `latest` stands before what follows
  let before: Read | undefined
  for (const read of reads) {
    if (before !== undefined) for (const element of before.elements) if (!read.elements.has(element)) return violated([...new Set([...withAdds(before), ...withAdds(read)])])
    const fresh: Span[] = []
    for (const element of read.elements) {
      if (placed.has(element)) continue
      const add = adds.get(element)
      if (add === undefined) return violated([read.span])
      placed.add(element)
      fresh.push(add)
    }
    const block = [...fresh, read.span]
    for (const span of fresh) if (latest !== undefined && span.ret < latest.inv) return violated([...new Set([...withAdds(latestRead!), ...withAdds(read), latest, span])])
    for (const span of fresh) if (latest === undefined || span.inv > latest.inv) [latest, latestRead] = [span, read]
    if (latest !== undefined && read.span.ret < latest.inv) return violated([...new Set([...withAdds(latestRead!), ...withAdds(read), latest])])
    for (const span of block) if (latest === undefined || span.inv > latest.inv) [latest, latestRead] = [span, read]
    before = read
  }
  for (const [element, span] of adds) {
    if (!placed.has(element) && latest !== undefined && span.ret < latest.inv) return violated([...new Set([...withAdds(latestRead!), latest, span])])
  }
  return { type: 'holds' }
}
