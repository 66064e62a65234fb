import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { any, clients, cycle, delay, eachThread, flipFlop, limit, mix, nemesis, phases, repeat, reserve, sleep, stagger, timeLimit, type Generator } from './index.ts'
import { invocations, simulate, type SimulatedEvent } from './simulate.ts'

const MS = 1e6
const f = fc.constantFrom('a', 'b', 'c')
const ms = fc.integer({ min: 0, max: 20 })

/** Any generator over the client threads, made of up to four layers of combinators; it may never end. */
const { generator: anyGenerator } = fc.letrec<{ generator: Generator }>(tie => {
  const inner = tie('generator')
  return {
    generator: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      f.map(name => repeat({ f: name })),
      fc.tuple(inner, inner).map(([a, b]) => any(a, b)),
      fc.tuple(inner, inner).map(([a, b]) => mix(a, b)),
      fc.tuple(inner, inner).map(([a, b]) => flipFlop(a, b)),
      fc.tuple(inner, inner).map(([a, b]) => phases(a, b)),
      fc.tuple(inner, inner).map(([a, b]) => reserve([[1, a]], b)),
      inner.map(a => eachThread(a)),
      fc.tuple(fc.integer({ min: 1, max: 5 }), inner).map(([n, a]) => limit(n, a)),
      fc.tuple(fc.integer({ min: 1, max: 5 }), inner).map(([n, a]) => cycle(a, n)),
      fc.tuple(ms, inner).map(([t, a]) => stagger(t, a)),
      fc.tuple(ms, inner).map(([t, a]) => delay(t, a)),
      fc.tuple(ms, inner).map(([t, a]) => timeLimit(t, a)),
      fc.tuple(ms, inner).map(([t, a]) => phases(sleep(t), a)),
    ),
  }
})

interface Setting {
  readonly generator: Generator
  readonly threads: number
  readonly seed: number
  readonly latencyMs: number
}
const setting = fc.record<Setting>({ generator: anyGenerator, threads: fc.integer({ min: 1, max: 5 }), seed: fc.nat(), latencyMs: fc.integer({ min: 1, max: 10 }) })

function run({ generator, threads, seed, latencyMs }: Setting, operations = 200): SimulatedEvent[] {
  const chance = seededRandom(seed).fork('latency')
  return simulate(generator, { threads, nemesis: true, random: seededRandom(seed), latencyNs: () => 1 + chance.int(latencyMs * MS), operations })
}
function holds(property: (setting: Setting) => void): void {
  fc.assert(fc.property(setting, property), { numRuns: 300, seed: 20_251 })
}

test('every generator ends or goes on: none waits for ever for what cannot come', () => {
  holds(it => void run(it))
})

test('a generator is a value: the same seed gives the same events, however often it is run', () => {
  holds(it => assert.equal(run(it), run(it)))
})

test('a thread has at most one operation under way', () => {
  holds(it => {
    const busy = new Set<unknown>()
    for (const { type, thread } of run(it)) {
      assert.is(busy.has(thread), type !== 'invoke')
      if (type === 'invoke') busy.add(thread)
      else busy.delete(thread)
    }
  })
})

test('time never runs backwards, and nothing is invoked before it was meant to be', () => {
  holds(it => {
    let last = 0
    for (const { time, meant } of run(it)) {
      assert.ok(time >= last && (meant ?? time) <= time)
      last = time
    }
  })
})

test('limit n of an endless generator gives n operations', () => {
  fc.assert(
    fc.property(setting, fc.integer({ min: 1, max: 30 }), (it, n) => {
      const endless = any(it.generator, repeat({ f: 'z' }))
      assert.is(invocations(run({ ...it, generator: limit(n, endless) })).length, n)
    }),
    { numRuns: 300, seed: 20_252 },
  )
})

test('timeLimit never lets an operation start after its end', () => {
  fc.assert(
    fc.property(setting, ms, (it, t) => {
      const events = invocations(run({ ...it, generator: timeLimit(t, it.generator) }))
      for (const { time } of events) assert.ok(time < t * MS || t === 0)
    }),
    { numRuns: 300, seed: 20_253 },
  )
})

test('reserve keeps threads apart, whatever is inside', () => {
  fc.assert(
    fc.property(setting, fc.integer({ min: 0, max: 4 }), (it, n) => {
      const named = (name: string): Generator => any(limit(20, repeat({ f: name })))
      const events = invocations(run({ ...it, generator: clients(reserve([[n, named('first')]], named('rest'))) }))
      for (const { f: name, thread } of events) assert.is(name === 'first', (thread as number) < n)
    }),
    { numRuns: 200, seed: 20_254 },
  )
})

test('any never starves: beside anything, an endless generator gets its turn', () => {
  fc.assert(
    fc.property(setting, it => {
      const rival = any(it.generator, repeat({ f: 'rival' }))
      const events = invocations(run({ ...it, generator: clients(any(rival, repeat({ f: 'mine' }))) }, 100))
      assert.ok(events.filter(({ f: name }) => name === 'mine').length >= 50 - 1)
    }),
    { numRuns: 300, seed: 20_255 },
  )
})

test('clients and nemesis never take each other\'s operations', () => {
  holds(it => {
    const both = any(clients(it.generator), nemesis(limit(10, repeat({ f: 'fault' }))))
    for (const { f: name, thread } of run({ ...it, generator: both })) assert.is(name === 'fault', thread === 'nemesis')
  })
})

test.run()
