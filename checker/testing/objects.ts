/**
 * Small histories of sets, counters, queues, banks and snapshots, drawn at random: as plain deeds, which the definitions in
 * `object-oracles.ts` read, and as columns, which the judgements read. Each is of real objects with slips; in some nothing slips.
 * Times are whole and few, so that deeds overlap and touch.
 */
import { History } from '../history/index.ts'
import type { Event, Json } from '../history/index.ts'
import type { Chance } from './chance.ts'

/** What a client did. Deeds are listed in order of invocation. */
export interface Deed {
  readonly f: string
  readonly key: string | null
  /** What was asked for; null for a read, a dequeue and a drain. */
  readonly input: Json
  /** What came back; null unless `ok`. */
  readonly output: Json
  /** Milliseconds. */
  readonly start: number
  /** Infinity where no completion was recorded. */
  readonly end: number
  readonly outcome: 'ok' | 'fail' | 'info'
}

/** What a kind of object is asked, and what it answers. */
interface Kind {
  readonly functions: readonly string[]
  readonly keys: readonly (string | null)[]
  input(random: Chance, f: string): Json
  /** The answer to `deed`. `before`: what had begun by its end, with the answers given so far. */
  output(random: Chance, deed: Deed, before: readonly Deed[]): Json
}

/** The same deeds as a history, each of a process of its own. */
export function historyOfDeeds(deeds: readonly Deed[]): History {
  const events: Event[] = []
  for (const [process, { f, key, input, output, start, end, outcome }] of deeds.entries()) {
    events.push({ process, type: 'invoke', f, key, value: input, time: start * 1e6 })
    if (end < Infinity) events.push({ process, type: outcome, f, key, value: outcome === 'ok' ? (output ?? input) : input, time: end * 1e6 })
  }
  const history = new History()
  for (const event of events.sort((a, b) => a.time - b.time)) history.push(event)
  return history
}

const pick = <T>(random: Chance, list: readonly T[]): T => list[random(list.length)]!
const keysFor = (random: Chance): readonly string[] => ['x', 'y'].slice(0, 1 + random(2))
/** How often in a hundred something slips: never, seldom, often. */
const slipsFor = (random: Chance): (() => boolean) => {
  const percent = pick(random, [0, 5, 30])
  return () => random(100) < percent
}

function drawDeeds(random: Chance, { functions, keys, input, output }: Kind): Deed[] {
  const moments = pick(random, [14, 30])
  const asked = Array.from({ length: 2 + random(8) }, (): Deed => {
    const f = pick(random, functions)
    const start = random(moments)
    const luck = random(14)
    return { f, key: pick(random, keys), input: input(random, f), output: null, start, end: luck === 2 ? Infinity : start + random(5), outcome: luck === 0 ? 'fail' : luck < 3 ? 'info' : 'ok' }
  }).sort((a, b) => a.start - b.start)
  for (const [at, deed] of asked.entries()) {
    if (deed.outcome === 'ok') asked[at] = { ...deed, output: output(random, deed, asked.filter((one) => one !== deed && one.key === deed.key && one.start <= deed.end)) }
  }
  return asked
}

/** Elements added and removed, some more than once; whole reads and questions about one element. */
export function drawSet(random: Chance): Deed[] {
  const slips = slipsFor(random)
  const elements = pick(random, [1, 2, 4])
  const holds = (element: Json, before: readonly Deed[]): boolean => {
    const last = before.findLast(({ f, input, outcome }) => (f === 'add' || f === 'remove') && input === element && outcome !== 'fail')
    return (last?.f === 'add') !== slips()
  }
  return drawDeeds(random, {
    functions: pick(random, [['add', 'read'], ['add', 'add', 'read', 'contains'], ['add', 'read', 'read', 'remove'], ['add', 'contains', 'remove']]),
    keys: keysFor(random),
    input: (_, f) => (f === 'read' ? null : 1 + random(elements)),
    output: (_, { f, input }, before) => {
      if (f === 'contains') return holds(input, before)
      if (f !== 'read') return null
      if (random(200) === 0) return 7
      const held = [1, 2, 3, 4].filter((one) => before.some((add) => add.f === 'add' && add.input === one) && holds(one, before))
      if (held.length === 0 && random(2) === 0) return null
      return slips() ? [...held, pick(random, [9, ...held])] : held
    },
  })
}

/** Numbers added and taken away, negative ones and nothing at all among them. */
export function drawCounter(random: Chance): Deed[] {
  const slips = slipsFor(random)
  return drawDeeds(random, {
    functions: pick(random, [['add', 'read'], ['add', 'decrement', 'read', 'read']]),
    keys: keysFor(random),
    input: (_, f) => (f === 'read' ? null : random(8) - 2),
    output: (_, { f, start }, before) => {
      if (f !== 'read') return null
      if (random(200) === 0) return 'many'
      const counted = before.filter((one) => one.f !== 'read' && one.outcome !== 'fail' && (one.outcome === 'ok' && one.end < start || random(2) === 0))
      const sum = counted.reduce((all, { f: way, input }) => all + (way === 'add' ? 1 : -1) * (input as number), 0)
      return slips() ? sum + random(7) - 3 : sum === 0 && random(2) === 0 ? null : sum
    },
  })
}

/** Elements put in, some more than once, and taken out one by one or all at once. */
export function drawQueue(random: Chance): Deed[] {
  const slips = slipsFor(random)
  return drawDeeds(random, {
    functions: pick(random, [['enqueue', 'dequeue'], ['enqueue', 'enqueue', 'dequeue', 'drain'], ['enqueue', 'drain']]),
    keys: keysFor(random),
    input: (_, f) => (f === 'enqueue' ? 1 + random(5) : null),
    output: (_, { f }, before) => {
      if (f === 'enqueue') return null
      const put = before.filter((one) => one.f === 'enqueue' && one.outcome !== 'fail').map(({ input }) => input)
      const taken = before.flatMap(({ output }) => output)
      const held = put.filter((one) => !taken.includes(one) || slips())
      if (f === 'drain') return slips() ? held.slice(1) : held
      return slips() ? 1 + random(6) : (held[0] ?? null)
    },
  })
}

/** Balances of two accounts, mostly ten in all; reads of nothing, or of one account only. */
export function drawBank(random: Chance): Deed[] {
  const slips = slipsFor(random)
  return drawDeeds(random, {
    functions: ['transfer', 'read', 'read'],
    keys: keysFor(random),
    input: (_, f) => (f === 'read' ? null : { from: random(2), to: random(2), amount: 1 + random(4) }),
    output: (_, { f }) => {
      if (f !== 'read' || random(12) === 0) return null
      if (random(20) === 0) return pick<Json>(random, [{ 0: 10, 1: null }, [10, 0]])
      const first = slips() ? random(16) - 3 : random(11)
      return { 0: first, 1: (slips() ? 9 : 10) - first }
    },
  })
}

/** Writes of keys and reads of several of them together, and transactions that do both. */
export function drawSnapshots(random: Chance): Deed[] {
  const slips = slipsFor(random)
  const some = (): string[] => ['a', 'b', 'c'].filter(() => random(4) > 0).sort(() => random(2) * 2 - 1)
  return drawDeeds(random, {
    functions: ['txn', 'txn', 'txn', 'read'],
    keys: [null],
    input: () => (random(3) === 0 ? [['w', pick(random, ['a', 'b', 'c']), 1]] : [...some().map((key): Json => ['r', key, null]), ...(random(12) === 0 ? [['w', 'd', 1]] : [])]),
    output: (_, { input, start }, before) => {
      const seen = (key: Json): boolean => before.some((one) => one.outcome !== 'fail' && one.start <= start && (one.input as Json[][]).some(([f, written]) => f === 'w' && written === key)) !== slips()
      return (input as Json[][]).map(([f, key, value]): Json => [f!, key!, f === 'w' ? value! : seen(key!) ? 1 : null])
    },
  })
}
