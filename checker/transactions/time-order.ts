/** The order of sessions and of real time, as edges: both linear in the transactions. */
import { NEVER } from '../registers.ts'
import { JOIN, REALTIME, SESSION, type Edges } from './graph.ts'
import type { Transactions } from './transactions.ts'

/** From each transaction that took place to the next one of its session. */
export function addSessions(edges: Edges, { count, sessions, session }: Transactions, happened: Uint8Array): void {
  const last = new Int32Array(sessions).fill(-1)
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    const before = last[session[t]!]!
    if (before >= 0) edges.add(before, t, SESSION, -1)
    last[session[t]!] = t
  }
}

/**
 * From each transaction to all that began after it was complete, by way of a chain of auxiliary nodes: each stands for
 * everything that was complete at some moment.
 */
export function addRealTime(edges: Edges, { count, start, end }: Transactions, happened: Uint8Array): void {
  let ranks = 0
  for (let t = 0; t < count; t++) ranks = Math.max(ranks, start[t]! + 1, end[t] === NEVER ? 0 : end[t]! + 1)
  const events = new Int32Array(ranks)
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    events[start[t]!] = t + 1
    if (end[t] !== NEVER) events[end[t]!] = -(t + 1)
  }
  let complete = -1
  let seen = false
  for (const event of events) {
    if (event > 0 && complete >= 0) {
      edges.add(complete, event - 1, JOIN, -1)
      seen = true
    } else if (event < 0) {
      if (complete < 0 || seen) {
        const node = edges.node()
        if (complete >= 0) edges.add(complete, node, JOIN, -1)
        complete = node
        seen = false
      }
      edges.add(-event - 1, complete, REALTIME, -1)
    }
  }
}
