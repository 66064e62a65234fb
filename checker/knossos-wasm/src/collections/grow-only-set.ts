/**
 * Sets that only grow, every element added once, read as a whole. The reads must form a chain by inclusion. That
 * fixes an order of blocks: what the smallest read saw, that read, what the next one saw besides, that read, ..., what
 * nobody saw. Such an order is possible iff no operation ended before one of an earlier block began. A crashed
 * addition counts iff its element was seen.
 *
 * `contains`, additions that say whether they changed anything, and elements added twice: the general engine decides.
 */
import { canonical } from '../values.ts'
import { violated } from './elements.ts'
import type { Placed } from '../problem.ts'
import type { Json } from '../values.ts'
import type { CollectionResult } from './elements.ts'

interface Read {
  readonly span: Placed
  readonly elements: ReadonlySet<string>
}

/** Decides a set that only grows, or leaves it to the general engine. */
export function checkGrowOnlySet(operations: readonly Placed[]): CollectionResult | undefined {
  const adds = new Map<string, Placed>()
  const reads: Read[] = []
  for (const span of operations) {
    const { f, input, output } = span.operation
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
function inBlocks(adds: ReadonlyMap<string, Placed>, reads: readonly Read[]): CollectionResult {
  const withAdds = (read: Read): Placed[] => [read.span, ...[...read.elements].flatMap((element) => adds.get(element) ?? [])]
  const placed = new Set<string>()
  let latest: Placed | undefined
  let latestRead: Read | undefined // the first read behind `latest`: it says that `latest` stands before what follows
  let before: Read | undefined
  for (const read of reads) {
    if (before !== undefined) for (const element of before.elements) if (!read.elements.has(element)) return violated([...withAdds(before), ...withAdds(read)])
    const fresh: Placed[] = []
    for (const element of read.elements) {
      if (placed.has(element)) continue
      const add = adds.get(element)
      if (add === undefined) return violated([read.span])
      placed.add(element)
      fresh.push(add)
    }
    const block = [...fresh, read.span]
    for (const span of fresh) if (latest !== undefined && span.ret < latest.inv) return violated([...withAdds(latestRead!), ...withAdds(read), latest, span])
    for (const span of fresh) if (latest === undefined || span.inv > latest.inv) [latest, latestRead] = [span, read]
    if (latest !== undefined && read.span.ret < latest.inv) return violated([...withAdds(latestRead!), ...withAdds(read), latest])
    for (const span of block) if (latest === undefined || span.inv > latest.inv) [latest, latestRead] = [span, read]
    before = read
  }
  for (const [element, span] of adds) {
    if (!placed.has(element) && latest !== undefined && span.ret < latest.inv) return violated([...withAdds(latestRead!), latest, span])
  }
  return { type: 'holds' }
}
