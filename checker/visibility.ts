/**
 * What must a session have seen? The definitions behind the session guarantees, PRAM and causal consistency, and
 * the search for what breaks them.
 *
 * An *explanation* of a session gives each of its reads r a set V(r) of visible writes, and each key an order of its
 * writes (the arbitration, as this session sees it), such that r returns the last write to its key in V(r), or the
 * initial value when there is none. The arbitration keeps every session's own writes to a key in their order. V(r)
 * never contains what the session writes after r. This is the axiomatic form of Terry et al., Session Guarantees
 * (1994), given by Burckhardt, Principles of Eventual Consistency (2014), and Viotti and Vukolic, Consistency in
 * Non-Transactional Distributed Storage Systems (2016), with one difference: they have one arbitration for all
 * sessions, we have one for each, because PRAM and causal memory let two sessions see concurrent writes in opposite
 * orders. The guarantees say what V(r) contains at least:
 *
 * - read your writes: what the session wrote before r;
 * - monotonic reads: all that was visible to the session's earlier reads;
 * - monotonic writes: with a write, whatever its session wrote before it;
 * - writes follow reads: with a write, whatever its session read before writing it; and then the arbitration keeps
 *   happens-before (session order and reads-from, transitively), which must have no cycle.
 *
 * Clients do not see replicas, so a guarantee is judged from the reads of sessions, together with those that the
 * same session can be shown to uphold: each session is asked for read your writes; for monotonic reads (with read
 * your writes, if it upholds that); for monotonic writes, if its own reads are monotonic; for writes follow reads,
 * if it upholds the other three. A session breaks the first guarantee that leaves it without an explanation; a
 * session that already breaks what a guarantee rests on is no evidence about that guarantee. PRAM is the first three
 * at once for every session, causal all four (Brzezinski et al., From Session Causality to Causal Consistency, 2004).
 *
 * Since the smallest V(r) is the best one, existence comes down to three patterns at each read r of a write b:
 * nothing visible to r is later than b by the arbitration known so far; b was not already visible at the session's
 * previous read of the key, if that returned another write; and a read of the initial value sees no write at all.
 * `testing/oracles.ts` holds the definition itself, by brute force; the two are compared on random histories.
 */
import { causalOrder, tightened } from './causal-order.ts'
import { causalBreaches } from './causal-walk.ts'
import { Sessions, walkSession } from './session-walk.ts'
import { THIN_AIR, registersOf } from './registers.ts'
import { describer } from './describe.ts'
import type { History } from './history/index.ts'
import type { JudgeContext } from './judgement.ts'
import type { Describe } from './describe.ts'
import type { Registers } from './registers.ts'
import type { Breach, Guarantee } from './breach.ts'

/** What was found in a history. */
export interface Visibility {
  readonly registers: Registers
  /** For each session and guarantee the first breach. */
  readonly breaches: readonly Breach[]
  /** The first breach of weak causal consistency in every session; empty when there is a cycle. */
  readonly weak: readonly Breach[]
  /** False: the order of the walk puts every read's write after the read's other causes, and so is an arbitration for all. */
  readonly contested: boolean
  /** Operations after their causes, with the place of each; empty when there is a cycle. */
  readonly order: Int32Array
  readonly position: Int32Array
  readonly sessions: Sessions
  /** How many sessions were evidence about each guarantee. */
  readonly judged: Readonly<Record<Guarantee, number>>
  /** A cycle in happens-before, when there is one: writes follow reads is broken by no single session. */
  readonly cycle: readonly number[]
  /** Why the search for breaches of writes-follow-reads ended early, if it did. */
  readonly exhausted: string | undefined
}

/** Source of a read that nothing explains: below every other, so that no one looks at it again. */
const UNEXPLAINED = -100

const cache = new WeakMap<Registers, Visibility>()

/** Finds what breaks the session guarantees. Kept with the history, because five rungs ask. */
export function visibilityOf(history: History, context: JudgeContext): Visibility {
  const registers = registersOf(history, context)
  let known = cache.get(registers)
  if (!known) {
    known = examine(registers, context, describer(history, registers))
    cache.set(registers, known)
  }
  return known
}

/** The same for registers that stand by themselves, as when a witness is made smaller. Not kept. */
export function examine(registers: Registers, context: JudgeContext, describe: Describe = () => ''): Visibility {
  const sessions = new Sessions(registers)
  const { source, breaches } = unexplained(registers, describe)
  const nowhere = [...breaches]
  const broken = new Set(breaches.map((b) => b.session))
  const judged = { 'read-your-writes': 0, 'monotonic-reads': 0, 'monotonic-writes': 0, 'writes-follow-reads': 0 }
  const upheld = new Uint8Array(registers.processes.length)
  for (let session = 0; session < registers.processes.length; session++) {
    if (broken.has(session)) continue
    const own = walkSession(sessions, source, session, describe)
    breaches.push(...own.breaches)
    judged['read-your-writes']++
    judged['monotonic-reads']++
    if (own.monotonic) judged['monotonic-writes']++
    upheld[session] = own.breaches.length === 0 ? 1 : 0
  }
  const causes = causalOrder(registers, source)
  const found = { registers, sessions, judged }
  if (causes.type === 'cycle') return { ...found, breaches, weak: nowhere, contested: true, order: new Int32Array(0), position: new Int32Array(0), cycle: tightened(registers, causes.operations), exhausted: undefined }
  const { order, position } = causes
  const causal = causalBreaches({ registers, source, sessions, order, position, upheld, describe, context })
  judged['writes-follow-reads'] = causal.judged
  return { ...found, breaches: [...breaches, ...causal.breaches], weak: [...nowhere, ...causal.weak], contested: causal.contested, order, position, cycle: [], exhausted: causal.exhausted }
}

/** Reads of values that no write, or only a later one of the same session, can have written. They carry no further weight. */
function unexplained(registers: Registers, describe: Describe): { source: Int32Array; breaches: Breach[] } {
  const source = Int32Array.from(registers.source)
  const breaches: Breach[] = []
  for (let op = 0; op < registers.count; op++) {
    const from = source[op]!
    const session = registers.session[op]!
    const key = registers.key[op]!
    if (from === THIN_AIR && registers.happened[op] === 1) {
      breaches.push({ breaks: 'every', session, key, operations: [op], explanation: `${describe(op)}, a value that no write can have written` })
    } else if (from > op && registers.session[from] === session) {
      breaches.push({ breaks: 'every', session, key, operations: [op, from], explanation: `${describe(op)} before the same session wrote it` })
    } else continue
    source[op] = UNEXPLAINED
  }
  return { source, breaches }
}
