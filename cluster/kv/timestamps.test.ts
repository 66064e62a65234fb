import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock } from '../../harness/clock.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'
import { Timestamps } from './timestamps.ts'

const issuer = (kind: 'wall' | 'hybrid'): Timestamps => new Timestamps({ clock: new VirtualClock({}), node: 'n1', incarnation: 1, kind })

test('a hybrid clock issues nothing before what it has seen; a wall clock looks at nobody', () => {
  const future = { counter: 2 ** 51, writer: 'n2.1' }
  const hybrid = issuer('hybrid')
  hybrid.witness(future)
  assert.equal(hybrid.version(), { counter: future.counter + 1, writer: 'n1.1' })
  const wall = issuer('wall')
  wall.witness(future)
  assert.ok(wall.version().counter < future.counter)
})

test('within one tick a hybrid clock counts, and is never more than a tick ahead of the clock', () => {
  const clock = new VirtualClock({})
  const hybrid = new Timestamps({ clock, node: 'n1', incarnation: 1, kind: 'hybrid' })
  const counters = Array.from({ length: 1000 }, () => hybrid.version().counter)
  assert.equal(counters, Array.from({ length: 1000 }, (_, i) => counters[0]! + i))
  assert.ok(counters.at(-1)! - clock.wall() * 1000 < 2 * 1024)
})

/** A client reads what a node with a fast clock wrote, writes through another one, and reads again. */
async function readThenWrite(bench: Bench): Promise<unknown> {
  bench.node('n1').skewWall(60_000)
  await bench.write('n1', 'k', 'first')
  assert.equal(await bench.read('n2', 'k'), { type: 'ok', value: 'first' })
  assert.equal(await bench.write('n2', 'k', 'second'), { type: 'ok' })
  return (await bench.read('n2', 'k')).value
}

test('under a skewed clock an update by wall clock is lost although it was confirmed', () => simulate({ preset: 'quorum' }, async (bench) => assert.is(await readThenWrite(bench), 'first')))

test('under a skewed clock an update by hybrid clock replaces what its writer had read', () =>
  simulate({ preset: 'quorum', overrides: { timestamps: 'hybrid' } }, async (bench) => assert.is(await readThenWrite(bench), 'second')))

test('a restart with a clock that went back does not forget what the disk has seen', () =>
  simulate({ preset: 'one', nodes: 1, overrides: { timestamps: 'hybrid' } }, async (bench) => {
    bench.node('n1').skewWall(60_000)
    await bench.write('n1', 'k', 'first')
    await bench.node('n1').kill()
    bench.node('n1').skewWall(0)
    await bench.node('n1').start()
    await bench.write('n1', 'k', 'second')
    assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: 'second' })
  }))

test.run()
