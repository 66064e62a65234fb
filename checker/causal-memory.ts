/**
 * Causal memory: every session applies all writes one after the other, in an order of its own that keeps causes before
 * effects, and each of its reads returns the last write applied (Ahamad, Neiger, Burns, Kohli and Hutto, Causal Memory,
 * 1995; CM of Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017).
 *
 * A session's reads put writes in order, and that order makes more writes come before its other reads, and so on. For
 * each session we follow that to its end (their relation hb): a read of w that has another write u to the key before it
 * puts u before w, and from then on whatever had w before it has u, and u's causes, before it. The model is refuted if
 * a read of the initial value comes to have a write before it, or if the order comes round. What stands before an
 * operation is closed under causes, so a vector clock holds it.
 *
 * A history that is not `causal` has no causal memory, and one that is sequential has it; both are asked first, because
 * the closure costs O(operations x sessions) for each round of each session, and is given up beyond a bound.
 */
import { causalOrder } from './causal-order.ts'
import { CausalClocks } from './clocks.ts'
import { examine } from './visibility.ts'
import { INITIAL } from './registers.ts'
import { judgeBetween } from './judge-causes.ts'
import { shrunk } from './subset.ts'
import type { Arbitrated } from './causal-order.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { Registers } from './registers.ts'
import type { Refutation } from './judge-causes.ts'
import type { Visibility } from './visibility.ts'

/** Entries of clocks kept at once (four bytes each), and entries compared, beyond which the closure is given up. */
const KEPT_MAX = 60_000_000
const WORK_MAX = 3_000_000_000

/** Every session applies all writes one after the other, causes before effects. */
export const causalMemory: Judgement = {
  name: 'causal-memory',
  describes: 'every session applies all writes one after the other, causes before effects; exact for values written once, unknown when the closure grows too large',
  judge: (history, context) =>
    judgeBetween(history, context, {
      model: 'causal-memory',
      promise: 'For every session one order of all writes, causes before effects, explains its reads',
      refute: (visibility) => refutation(visibility, context),
    }),
}

function refutation(visibility: Visibility, context: JudgeContext): Refutation | undefined {
  const found = refutedSession(visibility)
  if (found === undefined || typeof found === 'string') return found === undefined ? undefined : { type: 'exhausted', reason: found }
  const { registers, order } = visibility
  const breaks = (part: Registers): boolean => {
    const inner = examine(part, context)
    return inner.breaches.length > 0 || inner.cycle.length > 0 || typeof refutedSession(inner) === 'number'
  }
  const operations = shrunk(registers, [...order], breaks)
  return { type: 'refuted', operations, explain: (d) => `no order of the writes that process ${registers.processes[registers.session[found]!]} can have applied explains these ${operations.length} operations: ${operations.map(d).join('; ')}` }
}

/** An operation of the first session that no order explains; a text when the search ended early; undefined when all are explained. */
function refutedSession(visibility: Visibility): number | string | undefined {
  const { registers, sessions } = visibility
  const width = registers.processes.length
  if (registers.count * width > KEPT_MAX) return `${registers.count} operations of ${width} sessions are too many for the orders that each session may have applied`
  const clocks = clocksOf(visibility)
  let work = 0
  for (let session = 0; session < width; session++) {
    const closure = new Closure(visibility, clocks, sessions.of(session))
    const refuted = closure.run(WORK_MAX - work)
    work += closure.work
    if (refuted >= 0) return refuted
    if (work >= WORK_MAX) return 'the orders that each session may have applied grew too large'
  }
  return undefined
}

/** What happened before each operation, itself included if it is a write: `clocks.subarray(op * width, (op + 1) * width)`. */
function clocksOf({ registers, order }: Visibility): Int32Array {
  const { source, session, write, count, processes } = registers
  const all = new Int32Array(count * processes.length)
  const clocks = new CausalClocks(registers, source)
  for (const op of order) {
    if (write[op] === 1) clocks.wrote(op)
    else if (source[op]! >= 0) clocks.read(session[op]!, source[op]!)
    all.set(clocks.ofSession(session[op]!), op * processes.length)
  }
  return all
}

/** What must have been applied before each operation of one session. */
class Closure implements Arbitrated {
  work = 0
  readonly head: Int32Array
  readonly next: number[] = []
  readonly earlier: number[] = []
  readonly #later: number[] = []
  readonly #visibility: Visibility
  readonly #width: number
  /** What happened before, of every operation. */
  readonly #clocks: Int32Array
  readonly #operations: Int32Array
  /** What was applied before, of each operation of the session. */
  readonly #applied: Int32Array[]

  constructor(visibility: Visibility, clocks: Int32Array, operations: Int32Array) {
    this.#visibility = visibility
    this.#width = visibility.registers.processes.length
    this.#clocks = clocks
    this.#operations = operations
    this.#applied = Array.from(operations, (op) => clocks.slice(op * this.#width, (op + 1) * this.#width))
    this.head = new Int32Array(visibility.registers.count).fill(-1)
  }

  /** The operation at which the session is refuted; -1 when it is not, or `workMax` was spent. */
  run(workMax: number): number {
    const { write, source } = this.#visibility.registers
    for (let more = true; more; ) {
      more = false
      for (const [at, op] of this.#operations.entries()) {
        if (write[op] === 1 || source[op]! < INITIAL) continue
        if (this.#applied[at]![this.#visibility.registers.session[op]!]! > op) return op
        const pairs = this.next.length
        if (this.#order(at, op)) return op
        if (this.next.length > pairs) more = true
        if (this.work > workMax) return -1
      }
      if (more) this.#spread()
    }
    return this.next.length > 0 ? this.#cyclic() : -1
  }

  /** Puts what must be applied before the write that a read returned in its place. True: a read of the initial value has a write before it. */
  #order(at: number, op: number): boolean {
    const { registers, sessions } = this.#visibility
    const from = registers.source[op]!
    const applied = this.#applied[at]!
    const heads = sessions.heads[registers.key[op]!]!
    this.work += heads.length
    for (const head of heads) {
      const writer = registers.session[head]!
      const write = sessions.lastOfChain(sessions.chain[head]!, applied[writer]!)
      if (write < 0 || write === from) continue
      if (from === INITIAL) return true
      if (write > this.#clocks[from * this.#width + writer]!) this.#add(write, from)
    }
    return false
  }

  #add(earlier: number, later: number): void {
    for (let pair = this.head[later]!; pair >= 0; pair = this.next[pair]!) if (this.earlier[pair] === earlier) return
    this.next.push(this.head[later]!)
    this.earlier.push(earlier)
    this.#later.push(later)
    this.head[later] = this.next.length - 1
  }

  /** Whatever has the later write of a pair before it has the earlier one, and its causes, before it. */
  #spread(): void {
    const { session } = this.#visibility.registers
    for (let changed = true; changed; ) {
      changed = false
      for (let pair = 0; pair < this.next.length; pair++) {
        const [earlier, later] = [this.earlier[pair]!, this.#later[pair]!]
        for (let at = this.#firstWith(session[later]!, later); at < this.#applied.length && this.#join(this.#applied[at]!, earlier); at++) changed = true
      }
    }
  }

  /** The place of the first operation that has a write before it (or is it). What stands before only grows along the session. */
  #firstWith(writer: number, write: number): number {
    let low = 0
    let high = this.#applied.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#applied[middle]![writer]! >= write) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Whether anything was new. */
  #join(applied: Int32Array, write: number): boolean {
    let grew = false
    this.work += this.#width
    for (let at = 0, from = write * this.#width; at < this.#width; at++, from++) {
      if (this.#clocks[from]! <= applied[at]!) continue
      applied[at] = this.#clocks[from]!
      grew = true
    }
    return grew
  }

  #cyclic(): number {
    const { registers, position } = this.#visibility
    this.work += this.next.length
    if (this.earlier.every((earlier, pair) => position[earlier]! < position[this.#later[pair]!]!)) return -1
    this.work += registers.count
    return causalOrder(registers, registers.source, this).type === 'cycle' ? this.#operations[0]! : -1
  }
}
