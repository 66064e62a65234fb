/**
 * What nodes ask of each other to find keys.
 */
import { count, flag, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'

/** Longer lists of nodes than this are not sent by anyone. */
const NODES_MAX = 1024

function nodeList(input: unknown): readonly string[] {
  const nodes = list(input)
  if (nodes.length > NODES_MAX) list(input, NODES_MAX)
  return nodes.map(text)
}

const nothing = plain(() => null)

/** One step of a Chord lookup: is the token yours to tell? With `found`, the token lies between the node that answers and `nodes`, its successors; otherwise `nodes` are closer to it, the closest first. */
export const CHORD_STEP: Kind<number, readonly [found: boolean, nodes: readonly string[]]> = {
  code: 40,
  request: plain(count),
  reply: plain(input => {
    const [found, nodes] = list(input, 2)
    return [flag(found), nodeList(nodes)] as const
  }),
}

/** Who stands before you ('' if you do not know), and who after you? */
export const CHORD_NEIGHBOURS: Kind<null, readonly [predecessor: string, successors: readonly string[]]> = {
  code: 41,
  request: nothing,
  reply: plain(input => {
    const [predecessor, successors] = list(input, 2)
    return [text(predecessor), nodeList(successors)] as const
  }),
}

/** I believe that I stand right before you. */
export const CHORD_NOTIFY: Kind<null, null> = { code: 42, request: nothing, reply: nothing }

/** Where does this token belong? Pass it on if you do not know; you have so many milliseconds. Replies with the replicas and the arc (after, upTo]. */
export const LEAF_ROUTE: Kind<readonly [token: number, budgetMs: number], readonly [replicas: readonly string[], after: number, upTo: number, hops: number]> = {
  code: 43,
  request: plain(input => {
    const [token, budgetMs] = list(input, 2)
    return [count(token), count(budgetMs)] as const
  }),
  reply: plain(input => {
    const [replicas, after, upTo, hops] = list(input, 4)
    return [nodeList(replicas), count(after), count(upTo), count(hops)] as const
  }),
}

/** Whom do you know? */
export const LEAF_KNOWN: Kind<null, readonly string[]> = { code: 44, request: nothing, reply: plain(nodeList) }

/** I leave: forget me. */
export const LEAVING: Kind<null, null> = { code: 49, request: nothing, reply: nothing }

/** What the directory says of one tablet: who holds it, under a version. */
export type TabletEntry = readonly [tablet: number, counter: number, writer: string, nodes: readonly string[]]

function tabletEntry(input: unknown): TabletEntry {
  const [tablet, counter, writer, nodes] = list(input, 4)
  return [count(tablet), count(counter), text(writer), nodeList(nodes)]
}

/** Who holds this tablet? Whoever is asked decides if nobody has yet. */
export const DIRECTORY_LOCATE: Kind<number, readonly string[]> = { code: 45, request: plain(count), reply: plain(nodeList) }

/** These are my entries; replies with those of its own that are newer or that I did not send, among the tablets of the second list. */
export const DIRECTORY_EXCHANGE: Kind<readonly [entries: readonly TabletEntry[], asked: readonly number[]], readonly TabletEntry[]> = {
  code: 46,
  request: plain(input => {
    const [entries, asked] = list(input, 2)
    return [list(entries).map(tabletEntry), list(asked).map(count)] as const
  }),
  reply: plain(input => list(input).map(tabletEntry)),
}
