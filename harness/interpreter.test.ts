import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History, type Completion, type Event, type Invocation } from '../checker/history/index.ts'
import type { Client } from '../cluster/system.ts'
import { realClock, sleep, VirtualClock } from './clock.ts'
import type { Clock } from './env.ts'
import { any, clients, concat, cycle, delay, eachThread, from, limit, log, mix, nemesis, phases, repeat, sleep as pause, stagger, timeLimit } from './generator/index.ts'
import { interpret, type InterpreterOptions, type Progress } from './interpreter.ts'
import { seededRandom } from './random.ts'

const MS = 1e6
const reads = repeat({ f: 'read', key: 'k0' })

/** An operation that a client is to answer; `nth` counts the clients that were opened before and with this one. */
interface Call {
  readonly op: Invocation
  readonly nth: number
  readonly clock: Clock
}
type Answer = (call: Call) => Completion | Promise<Completion>

/** Answers `ok` after so many milliseconds. */
const okAfter = (ms: number): Answer => async ({ clock }) => {
  await sleep(clock, ms)
  return { type: 'ok' }
}
const never: Answer = () => new Promise(() => undefined)

/** A clock whose timers are late, as those of an event loop are. */
function lateTimers(clock: Clock, byMs: number): Clock {
  return { now: () => clock.now(), wall: () => clock.wall(), after: (ms, callback) => clock.after(ms > 0 ? ms + byMs : 0, callback) }
}

interface Trial extends Partial<Omit<InterpreterOptions, 'clock'>> {
  /** What clients answer; `ok` after 1 ms when absent. */
  readonly answer?: Answer
  readonly seed?: number
}

interface Outcome {
  readonly events: Event[]
  readonly opened: [thread: number, node: string][]
  readonly closed: number
  readonly endedAt: number
  readonly error: Error | undefined
}

/** Interprets on a virtual clock, with clients that answer after 1 ms of it. */
async function interpreted(generator: InterpreterOptions['generator'], trial: Trial = {}): Promise<Outcome> {
  const clock = new VirtualClock()
  return clock.run(() => interpretedOn(clock, generator, trial))
}

async function interpretedOn(clock: Clock, generator: InterpreterOptions['generator'], trial: Trial = {}): Promise<Outcome> {
  const { answer = okAfter(1), seed = 1, ...options } = trial
  const events: Event[] = []
  const history = new History()
  const opened: [number, string][] = []
  let closed = 0
  const openClient = (thread: number, node: string): Client => {
    const nth = opened.push([thread, node])
    return { invoke: async op => answer({ op, nth, clock }), close: () => void closed++ }
  }
  const record = (event: Event): void => {
    history.push(event)
    events.push(JSON.parse(JSON.stringify(event)) as Event)
  }
  const error = await interpret({ generator, clock, random: seededRandom(seed), threads: 2, nodes: ['n1', 'n2', 'n3'], openClient, opTimeoutMs: 100, record, ...options }).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  )
  return { events, opened, closed, endedAt: clock.now(), error }
}

/** `type process` of each event. */
const outline = (events: readonly Event[]): string[] => events.map(({ type, process }) => `${type} ${process}`)

test('an operation is an invocation and a completion, with key, value, node and time', async () => {
  const { events } = await interpreted({ f: 'write', key: 'k0', value: 7 }, { threads: 1 })
  assert.equal(events, [
    { time: 0, process: 0, type: 'invoke', f: 'write', key: 'k0', value: 7, node: 'n1' },
    { time: MS, process: 0, type: 'ok', f: 'write', key: 'k0', value: 7, node: 'n1' },
  ])
})

test("a read's value is what was read, also when that is nothing", async () => {
  const { events } = await interpreted(from(({ time }) => (time < 2 * MS ? { f: 'read', key: 'k0' } : null)), { threads: 1, answer: async call => ({ ...(await okAfter(1)(call)), value: call.clock.now() === MS ? null : 3 }) })
  assert.equal(events.map(({ value }) => value), [undefined, null, undefined, 3])
})

test('thread i is bound to node i modulo the number of nodes', async () => {
  const { opened } = await interpreted(eachThread(limit(3, reads)), { threads: 5 })
  assert.equal(opened.toSorted(([a], [b]) => a - b), [[0, 'n1'], [1, 'n2'], [2, 'n3'], [3, 'n1'], [4, 'n2']])
})

test('threads work at the same time', async () => {
  const { endedAt } = await interpreted(limit(30, reads), { threads: 10 })
  assert.is(endedAt, 3 * MS)
})

test('an operation whose outcome is unknown ends its process; the thread goes on as another, with a new client', async () => {
  const { events, opened, closed } = await interpreted(limit(3, reads), { threads: 1, answer: ({ nth }) => ({ type: nth === 2 ? 'ok' : 'info', error: 'conn-reset' }) })
  assert.equal(outline(events), ['invoke 0', 'info 0', 'invoke 1', 'ok 1', 'invoke 1', 'ok 1'])
  assert.is(events[1]!.error, 'conn-reset')
  assert.equal([opened.length, closed], [2, 2])
})

test('a new process takes its number from the old one and the number of threads', async () => {
  const { events } = await interpreted(limit(12, reads), { threads: 4, answer: () => ({ type: 'info' }) })
  assert.equal([...new Set(events.map(({ process }) => process as number))].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

test('a failed operation ends nothing', async () => {
  const { events, opened } = await interpreted(limit(2, reads), { threads: 1, answer: () => ({ type: 'fail', error: 'refused' }) })
  assert.equal(outline(events), ['invoke 0', 'fail 0', 'invoke 0', 'fail 0'])
  assert.is(opened.length, 1)
})

test('an operation without an answer is unknown after its time-out, to the nanosecond', async () => {
  const { events } = await interpreted({ f: 'write', value: 1 }, { answer: never })
  assert.equal(events.map(({ type, time, error, value }) => [type, time, error, value]), [['invoke', 0, undefined, 1], ['info', 100 * MS, 'timeout', 1]])
})

test('each operation has a time-out of its own', async () => {
  const { events } = await interpreted(delay(30, limit(4, reads)), { threads: 4, answer: never })
  assert.equal(events.filter(({ type }) => type === 'info').map(({ time }) => time / MS), [100, 130, 160, 190])
})

test('an answer that comes after the time-out is ignored', async () => {
  const { events } = await interpreted(limit(3, reads), { threads: 1, answer: okAfter(150) })
  assert.equal(outline(events), ['invoke 0', 'info 0', 'invoke 1', 'info 1', 'invoke 2', 'info 2'])
})

test('an exception means that nobody knows, and its code is kept', async () => {
  const answer = (): never => {
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  }
  const { events } = await interpreted({ f: 'read' }, { answer })
  assert.equal([events[1]!.type, events[1]!.error], ['info', 'ECONNRESET'])
})

test('a client that throws instead of rejecting is no exception to that', async () => {
  const openClient = (): Client => ({
    invoke: () => {
      throw new Error('boom')
    },
    close: () => {
      throw new Error('and again')
    },
  })
  const { events, error } = await interpreted({ f: 'read' }, { openClient })
  assert.is(error, undefined)
  assert.equal([events[1]!.type, events[1]!.error], ['info', 'boom'])
})

test('an answer that is no answer means that nobody knows', async () => {
  const nonsense = [{ type: 'maybe' }, undefined, 7]
  for (const answer of nonsense) {
    const openClient = (): Client => ({ invoke: () => answer as unknown as Promise<Completion>, close: () => undefined })
    const { events } = await interpreted({ f: 'read' }, { openClient })
    assert.equal([events[1]!.type, events[1]!.error], ['info', 'malformed-completion'])
  }
})

test('an operation for which no client could be opened certainly did not happen', async () => {
  const openClient = (): Client => {
    throw new Error('no such node')
  }
  const { events } = await interpreted({ f: 'write', value: 1 }, { openClient })
  assert.equal([events[1]!.type, events[1]!.error], ['fail', 'no-client: no such node'])
})

test('closed loop: operations start when they are wanted', async () => {
  const { events } = await interpreted(limit(50, reads))
  assert.ok(events.every(({ intended }) => intended === undefined))
})

test('open loop: an operation that had to wait for a thread carries its intended start', async () => {
  const { events } = await interpreted(limit(4, delay(1, reads)), { threads: 1, answer: okAfter(3) })
  assert.equal(events.filter(({ type }) => type === 'invoke').map(({ time, intended }) => [time / MS, intended === undefined ? null : intended / MS]), [[0, null], [3, 1], [6, 2], [9, 3]])
})

test('open loop: an operation that found a free thread was not late, even if its timer was', async () => {
  const clock = new VirtualClock()
  const { events } = await clock.run(() => interpretedOn(lateTimers(clock, 0.4), limit(20, delay(2, reads)), { threads: 2 }))
  assert.ok(events.every(({ intended }) => intended === undefined))
  assert.is(events.at(-2)!.time, 38.4 * MS)
})

test('the nemesis is a thread of its own, and what it does stands in the history', async () => {
  const nemesisOps: Invocation[] = []
  const trial: Trial = {
    nemesis: async op => (nemesisOps.push(op), { type: nemesisOps.length === 1 ? 'info' : 'ok', value: ['n1'] }),
  }
  const { events } = await interpreted(phases(nemesis([{ f: 'kill', value: 'one' }, { f: 'start' }]), clients({ f: 'read' })), trial)
  assert.equal(outline(events.slice(0, 4)), ['invoke nemesis', 'info nemesis', 'invoke nemesis', 'ok nemesis'])
  assert.equal(events.slice(4).map(({ f }) => f), ['read', 'read'])
  assert.equal(events.slice(0, 2).map(({ f, value }) => [f, value]), [['kill', 'one'], ['kill', ['n1']]])
  assert.is(events[0]!.node, undefined)
})

test('clients go on while the nemesis works', async () => {
  const trial: Trial = { nemesis: async () => ({ type: 'ok' }) }
  const faults = cycle([pause(10), { f: 'start' }, pause(10), { f: 'stop' }])
  const { events } = await interpreted(timeLimit(45, clients(stagger(1, reads), faults)), trial)
  assert.equal(events.filter(({ process, type }) => process === 'nemesis' && type === 'invoke').map(({ f, time }) => [f, time / MS]), [['start', 10], ['stop', 20], ['start', 30], ['stop', 40]])
  assert.ok(events.length > 40)
})

test('a nemesis that hangs is given up after its own time-out', async () => {
  const { events } = await interpreted(nemesis([{ f: 'kill' }, { f: 'start' }]), { nemesis: ({ f }) => (f === 'kill' ? new Promise(() => undefined) : Promise.resolve({ type: 'ok' })), nemesisTimeoutMs: 5000 })
  assert.equal(events.map(({ type, f, time }) => `${type} ${f} ${time / MS}`), ['invoke kill 0', 'info kill 5000', 'invoke start 5000', 'ok start 5000'])
})

test('phases wait for what is open, and words for the log come at their time', async () => {
  const said: [string, number][] = []
  const clock = new VirtualClock()
  const { events } = await clock.run(() => interpretedOn(clock, clients(phases(limit(4, reads), log('half way'), { f: 'write', value: 1 })), { log: message => said.push([message, clock.now() / MS]) }))
  assert.equal(said, [['half way', 2]])
  assert.is(events.at(-2)!.time, 2 * MS)
  assert.is(events.length, 10)
})

test('a thread rests after a failure when it is told to', async () => {
  const { events } = await interpreted(limit(3, reads), { threads: 1, restAfterFailureMs: 20, answer: () => ({ type: 'fail' }) })
  assert.equal(events.filter(({ type }) => type === 'invoke').map(({ time }) => time / MS), [0, 20, 40])
})

test('the other threads go on while one rests', async () => {
  const { events } = await interpreted(limit(20, reads), { restAfterFailureMs: 5, answer: async call => (call.nth === 1 ? { type: 'fail' } : okAfter(1)(call)) })
  const failed = events.find(({ type }) => type === 'fail')!.process
  const starts = (mine: boolean): number[] => events.filter(({ type, process }) => type === 'invoke' && (process === failed) === mine).map(({ time }) => time / MS)
  assert.equal(starts(true), [0, 5, 10, 15])
  assert.equal(starts(false), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
})

test('an abort starts nothing more, and waits for what is open', async () => {
  const clock = new VirtualClock()
  const controller = new AbortController()
  clock.after(10.5, () => controller.abort())
  const { events, endedAt, error } = await clock.run(() => interpretedOn(clock, reads, { signal: controller.signal }))
  assert.is(error, undefined)
  assert.is(endedAt, 11 * MS)
  assert.equal(outline(events.slice(-2)).sort(), ['ok 0', 'ok 1'])
})

test('an abort waits no longer than an operation may take; what is open then is unknown', async () => {
  const clock = new VirtualClock()
  const controller = new AbortController()
  clock.after(50, () => controller.abort())
  const trial: Trial = { signal: controller.signal, threads: 1, answer: never, nemesis: () => new Promise(() => undefined) }
  const { events, endedAt, closed } = await clock.run(() => interpretedOn(clock, any(clients({ f: 'read' }), nemesis({ f: 'kill' })), trial))
  assert.equal(events.slice(2).map(({ process, type, error, time }) => [process, type, error, time / MS]), [[0, 'info', 'timeout', 100], ['nemesis', 'info', 'aborted', 150]])
  assert.equal([endedAt / MS, closed], [150, 1])
})

test('an abort before the start starts nothing', async () => {
  const { events, error } = await interpreted(reads, { signal: AbortSignal.abort() })
  assert.equal([events.length, error], [0, undefined])
})

test('an error of the recorder ends everything and closes the clients', async () => {
  let left = 5
  const record = (): void => {
    if (left-- === 0) throw new Error('no space left on device')
  }
  const { error, opened, closed } = await interpreted(reads, { record })
  assert.match(error!.message, 'no space left')
  assert.is(closed, opened.length)
})

test('an error of the generator does likewise', async () => {
  const { error } = await interpreted(concat({ f: 'read' }, () => {
    throw new Error('bad workload')
  }))
  assert.match(error!.message, 'bad workload')
})

test('an operation for a busy thread is refused', async () => {
  const stubborn = { op: () => ({ type: 'op' as const, op: { f: 'read', time: 0, thread: 0 }, next: stubborn }), update: () => stubborn }
  const { error } = await interpreted(stubborn)
  assert.match(error!.message, 'thread 0, which is busy')
})

test('a generator that waits for what cannot come is an error, not a hang', async () => {
  const patient = { op: () => ({ type: 'pending' as const, next: patient, wakeAt: Infinity, starved: false }), update: () => patient }
  assert.match((await interpreted(patient)).error!.message, 'waits for ever')
})

test('progress counts what happened, at most every 100 ms and at the end', async () => {
  const seen: Progress[] = []
  await interpreted(limit(1000, reads), { threads: 2, onProgress: progress => seen.push(progress) })
  assert.equal(seen.map(({ time }) => time / MS), [0, 100, 200, 300, 400, 500, 500])
  assert.equal(seen.at(-1), { time: 500 * MS, invoked: 1000, ok: 1000, fail: 0, info: 0 })
})

test('clients that answer at once do not keep timers from their turn', async () => {
  const clock = realClock()
  const controller = new AbortController()
  clock.after(5, () => controller.abort())
  const { error, events } = await interpretedOn(clock, reads, { signal: controller.signal, answer: () => ({ type: 'ok' }) })
  assert.is(error, undefined)
  assert.ok(events.length > 100)
})

test('the same seed gives the same history', async () => {
  const trial = (seed: number): Trial => ({ seed, threads: 7, answer: ({ op }) => ({ type: op.f === 'read' ? 'ok' : 'info' }) })
  const generator = limit(500, stagger(0.1, mix(reads, repeat({ f: 'write', value: 1 }))))
  assert.equal((await interpreted(generator, trial(4))).events, (await interpreted(generator, trial(4))).events)
  assert.not.equal((await interpreted(generator, trial(4))).events, (await interpreted(generator, trial(5))).events)
})

test('whatever clients do, the history obeys the process model and every invocation completes', async () => {
  const outcome = fc.record({ type: fc.constantFrom('ok' as const, 'fail' as const, 'info' as const), ms: fc.integer({ min: 0, max: 120 }), throws: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(outcome, { minLength: 1 }), fc.integer({ min: 1, max: 5 }), fc.boolean(), async (outcomes, threads, rests) => {
      let calls = 0
      const answer: Answer = async ({ clock }) => {
        const { type, ms, throws } = outcomes[calls++ % outcomes.length]!
        if (ms > 0) await sleep(clock, ms)
        if (throws) throw new Error('broken')
        return { type }
      }
      const { events, error, opened, closed } = await interpreted(limit(40, reads), { threads, answer, restAfterFailureMs: rests ? 3 : 0 })
      assert.is(error, undefined)
      assert.is(events.length, 80)
      assert.is(closed, opened.length)
    }),
    { numRuns: 100, seed: 7 },
  )
})

test.run()
