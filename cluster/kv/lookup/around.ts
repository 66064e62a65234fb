/**
 * Going around a ring that nobody knows as a whole: from node to node, until the way leads back.
 */
import type { NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'

/** How to get on. */
export interface Way {
  readonly self: NodeId
  /** Who stands after `self`, the nearest first; nobody: it is alone. */
  readonly first: readonly NodeId[]
  /** Who stands after another, the nearest first; undefined when it does not answer. */
  readonly after: (node: NodeId) => Promise<readonly NodeId[] | undefined>
}

/** One who answered, and who stands after it. */
interface Step {
  readonly node: NodeId
  readonly after: readonly NodeId[]
}

/** Everyone on the ring, `self` first; silent nodes are passed over. Fails with UNAVAILABLE where the way does not lead back. */
export async function goAround(way: Way): Promise<readonly NodeId[]> {
  const { self, first } = way
  const ring = [self]
  for (let step = await nextOf(first.length === 0 ? [self] : first, way); step?.node !== self; step = await nextOf(step.after, way)) {
    if (step === undefined || ring.includes(step.node)) throw new StoreError('UNAVAILABLE', `definite: the way around the ring does not lead back from ${ring.join(', ')} to ${self}`)
    ring.push(step.node)
  }
  return ring
}

/** The first of these that answers; `self` need not. */
async function nextOf(candidates: readonly NodeId[], { self, after }: Way): Promise<Step | undefined> {
  for (const node of candidates) {
    if (node === self) return { node, after: [] }
    const behind = await after(node)
    if (behind !== undefined) return { node, after: behind }
  }
  return undefined
}
