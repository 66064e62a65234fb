/**
 * Sequential consistency: is there one order of all operations that keeps each session's and in which every read
 * returns the last write? (Lamport, How to Make a Multiprocessor Computer That Correctly Executes Multiprocess
 * Programs, 1979.) Deciding it is NP-complete even when every value is written once (Gibbons and Korach 1997, for
 * any number of processes), so this is a search with a bound, *unknown* when the bound is reached.
 *
 * Three observations make most histories easy. What is not causal is not sequential, and that is decided first. A read
 * may be executed as soon as its session gets there and its value is the current one: it changes nothing. A write may
 * be executed only when everyone who is to read the value that it replaces has done so. What is left to choose is
 * which of the possible writes comes next. The search tries them in the order in which their zones begin (the first
 * completion or the last invocation among a write and its reads, whichever is earlier): of a linearizable history that
 * is a linearization (Gibbons and Korach), and the search never goes back. Where it is stuck it does, and remembers
 * the states from which there was no way on.
 */
import { INITIAL, NEVER, registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import { Sessions } from './session-walk.ts'
import { settled } from './freshness.ts'
import { causal } from './causal.ts'
import { describer } from './describe.ts'
import { shrunk } from './subset.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Registers } from './registers.ts'

/** Work that the search may do in vain: operations undone, and positions of sessions compared to recognize a state. */
const WASTE_MAX = 20_000_000
/** The same while a witness is made smaller. */
const WASTE_PART_MAX = 100_000
/** A longer witness is not told operation by operation. */
const TOLD_MAX = 12
/** States remembered as hopeless. */
const HOPELESS_MAX = 20_000

/** One order of all operations that keeps each session's. */
export const sequential: Judgement = {
  name: 'sequential',
  describes: "one order of all operations that keeps each session's order: refuted by causality or by exhaustive search, unknown when the search grows too large",
  judge,
}

const cache = new WeakMap<Registers, Promise<JudgementVerdict>>()

/** Kept with the history, because causal memory asks too. */
function judge(history: History, context: JudgeContext): Promise<JudgementVerdict> {
  const registers = registersOf(history, context)
  let known = cache.get(registers)
  if (known === undefined) cache.set(registers, (known = decide(history, registers, context)))
  return known
}

async function decide(history: History, registers: Registers, context: JudgeContext): Promise<JudgementVerdict> {
  const base = { judgement: 'sequential', model: 'sequential' as const, operations: registers.reads + registers.writes, witnesses: [], metrics: {} }
  const reason = (registers.foreign.length > 0 ? undefined : whyVacuous(registers)) ?? whyIncomplete(history, registers)
  const weaker = await causal.judge(history, context)
  if (weaker.verdict === 'violated') return { ...weaker, ...base, verdict: 'violated', witnesses: weaker.witnesses, summary: `Not even causal: ${weaker.summary}` }
  if (reason !== undefined) return { ...base, verdict: 'unknown', reason, summary: `Not judged: ${reason}.` }
  const search = new Search(registers, WASTE_MAX)
  const found = search.run(context)
  const metrics = { retreats: search.retreats }
  if (found === 'order') return { ...base, metrics, verdict: 'holds', summary: `One order explains all ${base.operations} operations.` }
  if (found === 'none') {
    const all = [...registers.row.keys()].slice(0, registers.count).filter((op) => registers.happened[op] === 1)
    const fewest = shrunk(registers, all, (part) => new Search(part, WASTE_PART_MAX).run(context) === 'none')
    const rows = [...new Set(fewest.map((op) => registers.row[op]!))]
    const describe = describer(history, registers)
    const told = fewest.length <= TOLD_MAX ? `: ${fewest.map(describe).join('; ')}` : ''
    return { ...base, metrics, verdict: 'violated', witnesses: [{ operations: rows, explanation: `no order of these ${rows.length} operations explains every read${told}` }], summary: `No order of these ${rows.length} operations explains every read${told}.` }
  }
  return { ...base, metrics, verdict: 'unknown', reason: found, summary: `Not decided: ${found}.` }
}

/** Depth-first, with a trail to undo. */
class Search {
  retreats = 0
  #waste = 0
  readonly #registers: Registers
  readonly #sessions: Sessions
  /** Where each session stands in `sessions.operations`. */
  readonly #at: Int32Array
  /** The last write of each key, or INITIAL. */
  readonly #current: Int32Array
  /** Reads still to come: of each write, and of each key's initial value. */
  readonly #awaited: Int32Array
  readonly #initialAwaited: Int32Array
  /** The sessions that read write w: `readers.subarray(readersFrom[w], readersFrom[w + 1])`. */
  readonly #readers: Int32Array
  readonly #readersFrom: Int32Array
  /** The place of each write in the order in which they are tried. */
  readonly #turn: Int32Array
  /** Sessions that write, by the earliest turn of their writes; all before `done` are finished. */
  readonly #writers: Int32Array
  readonly #firstTurn: Int32Array
  #done = 0
  /** Executed operations, and for each write what it replaced. */
  readonly #trail: number[] = []
  readonly #replaced: Int32Array
  /** Length of the trail before each chosen write. */
  readonly #choices: number[] = []
  readonly #hopeless = new States()
  /** Length of the longest trail that proved hopeless. */
  #deepest = -1
  readonly #total: number
  readonly #wasteMax: number

  constructor(registers: Registers, wasteMax: number) {
    this.#registers = registers
    this.#wasteMax = wasteMax
    this.#sessions = new Sessions(registers)
    const { count, keys, key, source, write, happened } = registers
    this.#at = this.#sessions.start.slice(0, -1)
    this.#current = new Int32Array(keys.length).fill(INITIAL)
    this.#awaited = new Int32Array(count)
    this.#initialAwaited = new Int32Array(keys.length)
    this.#replaced = new Int32Array(count)
    for (let op = 0; op < count; op++) {
      if (write[op] === 1 || happened[op] === 0) continue
      if (source[op] === INITIAL) this.#initialAwaited[key[op]!]!++
      else this.#awaited[source[op]!]!++
    }
    this.#readersFrom = new Int32Array(count + 1)
    for (let op = 0; op < count; op++) this.#readersFrom[op + 1] = this.#readersFrom[op]! + this.#awaited[op]!
    this.#readers = new Int32Array(this.#readersFrom[count]!)
    const filled = this.#readersFrom.slice()
    for (let op = 0; op < count; op++) {
      if (write[op] === 0 && happened[op] === 1 && source[op]! >= 0) this.#readers[filled[source[op]!]!++] = registers.session[op]!
    }
    this.#turn = turnsOf(registers)
    this.#firstTurn = new Int32Array(registers.processes.length).fill(NEVER)
    for (let op = 0; op < count; op++) {
      const session = registers.session[op]!
      if (write[op] === 1 && happened[op] === 1) this.#firstTurn[session] = Math.min(this.#firstTurn[session]!, this.#turn[op]!)
    }
    this.#writers = Int32Array.from(registers.processes.keys()).filter((session) => this.#firstTurn[session]! < NEVER).sort((a, b) => this.#firstTurn[a]! - this.#firstTurn[b]!)
    this.#total = this.#sessions.operations.length
  }

  run(context: JudgeContext): 'order' | 'none' | string {
    const begun = context.elapsedMs()
    this.#read(this.#at.keys())
    let after = -1
    while (this.#trail.length < this.#total) {
      const session = this.#nextWrite(after)
      if (session >= 0) {
        this.#choices.push(this.#trail.length)
        this.#write(session)
        after = -1
        continue
      }
      if (this.#hopeless.size < HOPELESS_MAX) this.#giveUp()
      const choice = this.#choices.pop()
      if (choice === undefined) return 'none'
      const chosen = this.#trail[choice]!
      after = this.#turn[this.#comparing(chosen) ? chosen + 1 : chosen]!
      this.#undo(choice)
      this.retreats++
      if (this.#waste > this.#wasteMax) return `the search went back ${this.retreats} times and grew too large`
      if ((this.retreats & 0xff) === 0 && context.elapsedMs() - begun > context.timeLimitMs) return `time limit of ${context.timeLimitMs / 1000} s`
    }
    return 'order'
  }

  /** The session whose next write is possible and whose turn is the first after `after`; -1 when there is none. */
  #nextWrite(after: number): number {
    const { key, write } = this.#registers
    if (after < 0 && this.#trail.length <= this.#deepest && this.#hopeless.has(this.#state)) return -1
    let best = -1
    let earliest = Infinity
    while (this.#done < this.#writers.length && this.#head(this.#writers[this.#done]!) < 0) this.#done++
    for (let place = this.#done; place < this.#writers.length; place++) {
      const session = this.#writers[place]!
      if (this.#firstTurn[session]! > earliest) break
      const op = this.#nextWriteOf(session)
      if (op < 0 || write[op] === 0 || this.#turn[op]! <= after || this.#turn[op]! >= earliest) continue
      const held = this.#current[key[op]!]!
      const awaited = held === INITIAL ? this.#initialAwaited[key[op]!]! : this.#awaited[held]!
      if (awaited > (this.#head(session) === op ? 0 : 1)) continue
      best = session
      earliest = this.#turn[op]!
    }
    return best
  }

  #head(session: number): number {
    const { start, operations } = this.#sessions
    return this.#at[session]! < start[session + 1]! ? operations[this.#at[session]!]! : -1
  }

  /** The write that a session can do next: its next operation, or the write half of a compare-and-set whose read half finds its value now. */
  #nextWriteOf(session: number): number {
    const op = this.#head(session)
    if (op < 0 || !this.#comparing(op)) return op
    return this.#registers.source[op] === this.#current[this.#registers.key[op]!] ? op + 1 : -1
  }

  /** Whether an operation is the read half of a compare-and-set: its write half follows, and nothing may come between. */
  #comparing(op: number): boolean {
    const { row, count } = this.#registers
    return op + 1 < count && row[op + 1] === row[op]
  }

  #write(session: number): void {
    if (this.#comparing(this.#head(session))) this.#execute(this.#head(session))
    const op = this.#head(session)
    const key = this.#registers.key[op]!
    this.#replaced[op] = this.#current[key]!
    this.#current[key] = op
    this.#at[session]!++
    this.#trail.push(op)
    this.#read([session])
    this.#read(this.#readers.subarray(this.#readersFrom[op], this.#readersFrom[op + 1]))
  }

  /** Executes every read that these sessions have come to and whose value is the current one. */
  #read(sessions: Iterable<number>): void {
    const { key, source, write } = this.#registers
    for (const session of sessions) {
      for (let op = this.#head(session); op >= 0 && write[op] === 0 && source[op] === this.#current[key[op]!] && !this.#comparing(op); op = this.#head(session)) this.#execute(op)
    }
  }

  /** A read that finds its value. */
  #execute(op: number): void {
    const { key, source, session } = this.#registers
    if (source[op] === INITIAL) this.#initialAwaited[key[op]!]!--
    else this.#awaited[source[op]!]!--
    this.#at[session[op]!]!++
    this.#trail.push(op)
  }

  #undo(length: number): void {
    const { key, source, write, session } = this.#registers
    this.#done = 0
    while (this.#trail.length > length) {
      const op = this.#trail.pop()!
      this.#waste++
      this.#at[session[op]!]!--
      if (write[op] === 1) this.#current[key[op]!] = this.#replaced[op]!
      else if (source[op] === INITIAL) this.#initialAwaited[key[op]!]!++
      else this.#awaited[source[op]!]!++
    }
  }

  #giveUp(): void {
    this.#hopeless.add(this.#state)
    this.#deepest = Math.max(this.#deepest, this.#trail.length)
  }

  /** Where every session stands, and what every key holds: two columns that go on changing. */
  get #state(): readonly [Int32Array, Int32Array] {
    this.#waste += this.#at.length + this.#current.length
    return [this.#at, this.#current]
  }
}

/** A set of states, each a pair of columns whose lengths never change: found by their hash, recognized by their numbers. */
class States {
  size = 0
  readonly #byHash = new Map<number, Int32Array[]>()

  add(state: readonly [Int32Array, Int32Array]): void {
    const copy = new Int32Array(state[0].length + state[1].length)
    copy.set(state[0])
    copy.set(state[1], state[0].length)
    const hash = hashOf(state)
    const alike = this.#byHash.get(hash)
    if (alike === undefined) this.#byHash.set(hash, [copy])
    else if (alike.some((known) => isCopy(known, state))) return
    else alike.push(copy)
    this.size++
  }

  has(state: readonly [Int32Array, Int32Array]): boolean {
    return this.#byHash.get(hashOf(state))?.some((known) => isCopy(known, state)) === true
  }
}

/** FNV-1a over numbers instead of bytes. */
function hashOf(state: readonly [Int32Array, Int32Array]): number {
  let hash = 0x811c9dc5
  for (const column of state) for (let at = 0; at < column.length; at++) hash = Math.imul(hash ^ column[at]!, 0x01000193)
  return hash
}

function isCopy(known: Int32Array, [first, second]: readonly [Int32Array, Int32Array]): boolean {
  for (let at = 0; at < first.length; at++) if (known[at] !== first[at]) return false
  for (let at = 0; at < second.length; at++) if (known[first.length + at] !== second[at]) return false
  return true
}

/** Writes in the order in which their zones begin. */
function turnsOf(registers: Registers): Int32Array {
  const { count, start, write, source, happened } = registers
  const begins = settled(registers)
  const latest = start.slice(0, count)
  for (let op = 0; op < count; op++) {
    const from = source[op]!
    if (write[op] === 0 && from >= 0 && happened[op] === 1 && start[op]! > latest[from]!) latest[from] = start[op]!
  }
  for (let op = 0; op < count; op++) begins[op] = Math.min(begins[op]!, latest[op]!)
  const turn = new Int32Array(count)
  const order = Int32Array.from({ length: count }, (_, op) => op).filter((op) => write[op] === 1).sort((a, b) => begins[a]! - begins[b]! || a - b)
  for (let at = 0; at < order.length; at++) turn[order[at]!] = at
  return turn
}
