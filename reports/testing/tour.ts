/**
 * A made-up CAP tour, for tests and for looking at the report: five replicas, ten clients, a partition, a crash
 * and a slow node, against three ways to replicate a register.
 *
 * It is a small model of the store on an event queue, not random noise, so that the histories show what real ones
 * show: with `one` stale reads, with `quorum` reads that go back in time while a write is still on its way
 * (Lamport 1986: regular, not atomic), with `abd` none of these but a minority that waits in vain.
 * Everything follows from the seed, and the verdicts are the checker's own.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { History } from '../../checker/history/index.ts'
import { judge, registerJudgements } from '../../checker/judge.ts'
import type { FaultWindow, Model, VerdictDocument } from '../../checker/verdict.ts'
import type { Event } from '../../checker/history/index.ts'

/** How a register is replicated. */
export type Replication = 'abd' | 'quorum' | 'one'

/** What is made up. */
export interface TourOptions {
  readonly seed: number
  readonly seconds: number
  readonly keys: number
  /** Operations per second and client, about. */
  readonly rate: number
}

/** One made-up run. */
export interface FakeRun {
  readonly name: string
  readonly document: VerdictDocument
  readonly history: History
}

const nodes = ['n1', 'n2', 'n3', 'n4', 'n5'] as const
const clientsPerNode = 2
const second = 1e9
const ms = 1e6

interface Cell {
  value: number | null
  stamp: number
}

/** A queue of things to do at a time, earliest first; ties in order of arrival. */
class Agenda {
  now = 0
  readonly #heap: { at: number; order: number; act: () => void }[] = []
  #order = 0

  at(time: number, act: () => void): void {
    const heap = this.#heap
    const item = { at: Math.max(time, this.now), order: this.#order++, act }
    let child = heap.push(item) - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!before(item, heap[parent]!)) break
      heap[child] = heap[parent]!
      child = parent
    }
    heap[child] = item
  }

  run(): void {
    for (let item = this.#take(); item !== undefined; item = this.#take()) {
      this.now = item.at
      item.act()
    }
  }

  #take(): { at: number; order: number; act: () => void } | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let parent = 0
    for (;;) {
      let child = parent * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (before(last, heap[child]!)) break
      heap[parent] = heap[child]!
      parent = child
    }
    heap[parent] = last
    return first
  }
}

function before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** The tour's faults for a run of this length. */
function schedule(seconds: number): FaultWindow[] {
  const at = (share: number) => Math.round(seconds * share * second)
  const none = {}
  return [
    { id: 1, fault: 'partition(majority-minority)', from_ns: at(0.2), to_ns: at(0.45), healed_ns: at(0.45) + 41 * ms, bit: true, evidence: 'n1 -> n4 and n4 -> n1 refused a message in 200 ms; n1 -> n2 carried one', targets: ['n4', 'n5'], sides: { majority: ['n1', 'n2', 'n3'], minority: ['n4', 'n5'] } },
    { id: 2, fault: 'kill(one)', from_ns: at(0.58), to_ns: at(0.68), healed_ns: at(0.68) + 312 * ms, bit: true, evidence: 'n2 is gone and refuses connections', targets: ['n2'], sides: none },
    { id: 3, fault: 'slow(one)', from_ns: at(0.78), to_ns: at(0.9), healed_ns: at(0.9) + 8 * ms, bit: true, evidence: 'n3 answered after 212 ms where it took 1 ms before', targets: ['n3'], sides: none },
  ]
}

/** One configuration of the tour, simulated. */
function fakeHistory(replication: Replication, options: TourOptions): History {
  const chance = xoroshiro128plus(options.seed + replication.length * 7919)
  const float = () => (chance.next() >>> 0) / 2 ** 32
  const faults = schedule(options.seconds)
  const [partition, kill, slow] = faults as [FaultWindow, FaultWindow, FaultWindow]
  const agenda = new Agenda()
  const history = new History()
  const replicas = nodes.map(() => new Map<number, Cell>())
  const held = (node: number, key: number): Cell => replicas[node]!.get(key) ?? { value: null, stamp: 0 }
  const within = (fault: FaultWindow) => agenda.now >= fault.from_ns && agenda.now < fault.to_ns
  const dead = (node: number) => node === 1 && within(kill)
  const cut = (a: number, b: number) => within(partition) && a < 3 !== b < 3
  const delay = (a: number, b: number): number => {
    const base = a === b ? 0.05 + 0.3 * float() ** 4 : 0.25 + 0.5 * float() ** 3 + (float() < 0.05 ? 18 * float() : 0)
    return (base + ((a === 2 || b === 2) && within(slow) ? 25 + 90 * float() : 0)) * ms
  }
  const apply = (node: number, key: number, cell: Cell) => {
    if (!dead(node) && cell.stamp > held(node, key).stamp) replicas[node]!.set(key, cell)
  }
  const record = (event: Event) => history.push({ ...event, time: Math.round(event.time) })

  /** Asks every replica; `done` gets the first three answers. Unreachable ones never answer. */
  const quorum = (from: number, ask: (node: number) => Cell, done: (answers: Cell[]) => void) => {
    const answers: Cell[] = []
    for (let node = 0; node < nodes.length; node++) {
      if (cut(from, node) || dead(node)) continue
      agenda.at(agenda.now + delay(from, node), () => {
        if (dead(node)) return
        const answer = ask(node)
        agenda.at(agenda.now + delay(node, from), () => {
          if (cut(from, node) || answers.length >= 3) return
          answers.push(answer)
          if (answers.length === 3) done(answers)
        })
      })
    }
  }
  const store = (key: number, cell: Cell) => (node: number) => {
    apply(node, key, cell)
    return cell
  }
  const newest = (cells: readonly Cell[]) => cells.reduce((a, b) => (b.stamp > a.stamp ? b : a))

  const read = (node: number, key: number, done: (value: number | null) => void) => {
    if (replication === 'one') return agenda.at(agenda.now + delay(node, node), () => done(held(node, key).value))
    quorum(node, (replica) => held(replica, key), (answers) => {
      const cell = newest(answers)
      if (replication === 'quorum' || cell.stamp === 0) return done(cell.value)
      quorum(node, store(key, cell), () => done(cell.value))
    })
  }
  const write = (node: number, key: number, value: number, done: () => void) => {
    const cell = { value, stamp: agenda.now + node / 10 }
    if (replication === 'one') {
      apply(node, key, cell)
      return agenda.at(agenda.now + delay(node, node), done)
    }
    const send = () => quorum(node, store(key, { value, stamp: agenda.now + node / 10 }), done)
    if (replication === 'quorum') return quorum(node, store(key, cell), done)
    quorum(node, (replica) => held(replica, key), send)
  }

  const until = options.seconds * second
  let written = 0
  const concurrency = nodes.length * clientsPerNode
  const client = (process: number): void => {
    if (agenda.now >= until) return
    const node = process % nodes.length
    const key = Math.floor(float() * options.keys)
    const writing = float() < 0.4
    const value = writing ? ++written : null
    const common = { f: writing ? 'write' : 'read', key: `k${key}`, node: nodes[node]! }
    record({ ...common, time: agenda.now, process, type: 'invoke', value })
    let open = true
    const end = (type: 'ok' | 'fail' | 'info', result: number | null, error?: string) => {
      if (!open) return
      open = false
      record({ ...common, time: agenda.now, process, type, value: result, ...(error === undefined ? {} : { error }) })
      const pause = ((0.5 + float()) * second) / options.rate
      agenda.at(agenda.now + pause, () => client(type === 'info' ? process + concurrency : process))
    }
    if (dead(node)) return agenda.at(agenda.now + 2 * ms, () => end('fail', value, 'connection-refused'))
    agenda.at(agenda.now + 900 * ms, () => end(writing ? 'info' : 'fail', value, 'timeout'))
    if (node === 1 && agenda.now < kill.from_ns) agenda.at(kill.from_ns + 3 * ms, () => end(writing ? 'info' : 'fail', value, 'connection-reset'))
    const back = delay(node, node)
    if (writing) write(node, key, value!, () => agenda.at(agenda.now + back, () => end('ok', value)))
    else read(node, key, (found) => agenda.at(agenda.now + back, () => end('ok', found)))
  }
  for (let process = 0; process < concurrency; process++) agenda.at((process * second) / options.rate / concurrency, () => client(process))

  for (const fault of faults) {
    const note = (f: string, time: number, took: number, evidence: string) => {
      const value = { id: fault.id, fault: fault.fault, targets: fault.targets, sides: fault.sides }
      agenda.at(time - took, () => record({ time: agenda.now, process: 'nemesis', type: 'invoke', f, value }))
      agenda.at(time, () => record({ time: agenda.now, process: 'nemesis', type: 'ok', f, value: { ...value, evidence } }))
    }
    note('inject', fault.from_ns, 30 * ms, fault.evidence)
    note('heal', fault.healed_ns!, fault.healed_ns! - fault.to_ns, 'everything answers again')
  }
  const settled = until + 2 * second
  agenda.at(until + 0.95 * second, () => record({ time: agenda.now, process: 'observer', type: 'info', f: 'quiesce' }))
  const gossip = (everyMs: number, link: () => boolean) => {
    for (let time = 0; time < settled; time += everyMs * ms) {
      agenda.at(time, () => {
        const a = Math.floor(float() * nodes.length)
        const b = (a + 1 + Math.floor(float() * (nodes.length - 1))) % nodes.length
        if (cut(a, b) || dead(a) || dead(b) || !link()) return
        for (let key = 0; key < options.keys; key++) {
          apply(a, key, held(b, key))
          apply(b, key, held(a, key))
        }
      })
    }
  }
  gossip(replication === 'one' ? 60 : 120, () => true)
  for (let time = 250 * ms; time < settled; time += 250 * ms) {
    agenda.at(time, () => {
      for (let key = 0; key < options.keys; key++) {
        const value = Object.fromEntries(nodes.flatMap((id, node) => (dead(node) ? [] : [[id, held(node, key).value]])))
        record({ time: agenda.now, process: 'observer', type: 'ok', f: 'peek', key: `k${key}`, value })
      }
    })
  }
  agenda.run()
  return history
}

/** Every judgement that is decided in linear time: the search for a sequential order is bounded, and slow where it fails. */
const judgements = registerJudgements().filter((judgement) => judgement.name !== 'sequential')

const promises: Readonly<Record<Replication, Model>> = { abd: 'linearizable', quorum: 'regular', one: 'eventual' }

/** Three configurations under the same faults, as `npm start` runs them. */
export async function fakeTour(options: Partial<TourOptions> = {}): Promise<FakeRun[]> {
  const all = { seed: 3, seconds: 20, keys: 8, rate: 60, ...options }
  const runs: FakeRun[] = []
  for (const name of ['abd', 'quorum', 'one'] as const) {
    const history = fakeHistory(name, all)
    const repeat = `npx splitbrain run --preset ${name} --workload register --nodes 5 --clients 10 --time ${all.seconds}s --seed ${all.seed}`
    const run = { name, started: '2026-01-02T03:04:05.000Z', system: 'kv', preset: name, workload: 'register', driver: 'process', nodes: [...nodes], clients: nodes.length * clientsPerNode, time_ms: all.seconds * 1000, seed: all.seed, version: '0.1.0', repeat }
    runs.push({ name, history, document: await judge(history, { run, promised: promises[name], judgements }) })
  }
  return runs
}
