import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, realClock, sleep, withDeadline } from './clock.ts'

/** The message of the error that `promise` is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  return 'no error'
}

test('virtual time jumps to the next event and stands still while code runs', async () => {
  const clock = new VirtualClock()
  const seen = await clock.run(async () => {
    const times = [clock.now()]
    await sleep(clock, 3_600_000)
    times.push(clock.now())
    await sleep(clock, 0.25)
    times.push(clock.now())
    return times
  })
  assert.equal(seen, [0, 3.6e12, 3.6e12 + 250_000])
})

test('events run by time, and in the order of their scheduling when the time is the same', async () => {
  const clock = new VirtualClock()
  const order: string[] = []
  await clock.run(async () => {
    for (const [name, ms] of [['d', 5], ['a', 1], ['b', 1], ['e', 5], ['c', 2]] as const) clock.after(ms, () => order.push(name))
    await sleep(clock, 5)
  })
  assert.is(order.join(''), 'abcde')
})

test('every microtask of an instant has run before time moves on', async () => {
  const clock = new VirtualClock()
  const seen = await clock.run(async () => {
    let depth = 0
    clock.after(1, () => {
      void (async () => {
        for (; depth < 1000; depth++) await Promise.resolve()
      })()
    })
    return new Promise<number>((resolve) => clock.after(1.000001, () => resolve(depth)))
  })
  assert.is(seen, 1000)
})

test('a timer that was called off neither fires nor holds time up', async () => {
  const clock = new VirtualClock()
  let fired = false
  await clock.run(async () => {
    const timer = clock.after(10, () => (fired = true))
    clock.after(5, () => timer.cancel())
    await sleep(clock, 20)
  })
  assert.not.ok(fired)
  assert.is(clock.eventsRun, 2)
})

test('an event may call off another of the same instant', async () => {
  const clock = new VirtualClock()
  let fired = false
  await clock.run(async () => {
    const first = clock.after(1, () => second.cancel())
    const second = clock.after(1, () => (fired = true))
    await sleep(clock, 2)
    first.cancel()
  })
  assert.not.ok(fired)
})

test('a main that waits for nothing that can happen is a deadlock, named with its time', async () => {
  const clock = new VirtualClock()
  const message = await rejection(
    clock.run(async () => {
      await sleep(clock, 1500)
      clock.after(1, () => undefined).cancel()
      await new Promise(() => undefined)
    }),
  )
  assert.is(message, 'deadlock: nothing left to happen at t=1.500000 s, and main has not settled')
})

test('background timers do not hide a main that waits for ever', async () => {
  const clock = new VirtualClock({ limitMs: 1000 })
  const tick = (): void => void clock.after(100, tick)
  const message = await rejection(
    clock.run(async () => {
      tick()
      await new Promise(() => undefined)
    }),
  )
  assert.match(message, 'main has not settled by t=1.000000 s')
})

test('a callback that throws ends the run with its error', async () => {
  const clock = new VirtualClock()
  const message = await rejection(
    clock.run(async () => {
      clock.after(1, () => {
        throw new Error('broken invariant')
      })
      await sleep(clock, 2)
    }),
  )
  assert.is(message, 'broken invariant')
})

test('a clock runs again after a run, from where it stood, and never two at once', async () => {
  const clock = new VirtualClock()
  await clock.run(() => sleep(clock, 10))
  for (let again = 0; again < 3; again++) await clock.run(() => sleep(clock, 10))
  assert.is(clock.now(), 40e6)
  const running = clock.run(() => sleep(clock, 10))
  assert.throws(() => clock.run(() => sleep(clock, 10)), /already running/)
  await running
})

test('two runs of the same actors see the same interleaving', async () => {
  const interleaving = async (): Promise<string> => {
    const clock = new VirtualClock()
    const trace: string[] = []
    await clock.run(async () => {
      await Promise.all(
        [3, 5, 7].map(async (period) => {
          for (let turn = 0; turn < 50; turn++) {
            await sleep(clock, period)
            trace.push(`${period}@${clock.now()}`)
          }
        }),
      )
    })
    return trace.join(' ')
  }
  assert.is(await interleaving(), await interleaving())
})

test('a sleep ends at once, with the reason, when its signal aborts', async () => {
  const clock = new VirtualClock()
  const abort = new AbortController()
  const message = await clock.run(async () => {
    clock.after(5, () => abort.abort(new Error('enough')))
    return rejection(sleep(clock, 1000, abort.signal))
  })
  assert.is(message, 'enough')
  assert.is(clock.now(), 5e6)
  assert.is(await rejection(sleep(clock, 1, abort.signal)), 'enough')
})

test('a deadline replaces a late answer and leaves a timely one alone', async () => {
  const clock = new VirtualClock()
  await clock.run(async () => {
    const answer = async (ms: number): Promise<string> => {
      await sleep(clock, ms)
      return 'answer'
    }
    assert.is(await withDeadline(clock, 10, answer(5), () => 'late'), 'answer')
    assert.is(await withDeadline(clock, 10, answer(50), () => 'late'), 'late')
    const message = await rejection(
      withDeadline(clock, 10, answer(50), () => {
        throw new Error('no answer within 10 ms')
      }),
    )
    assert.is(message, 'no answer within 10 ms')
  })
})

test('real time moves on, and a real timer of 0 ms fires after the current work', async () => {
  const clock = realClock()
  const order: string[] = []
  const before = clock.now()
  await new Promise<void>((resolve) => {
    clock.after(2, resolve)
    clock.after(1, () => order.push('never')).cancel()
    clock.after(0, () => order.push('after'))
    order.push('before')
  })
  assert.equal(order, ['before', 'after'])
  assert.ok(clock.now() > before)
})

test('a real timer beyond what the event loop can count does not fire at once', async () => {
  const clock = realClock()
  let fired = false
  const timer = clock.after(2 ** 31 + 5, () => (fired = true))
  await sleep(clock, 5)
  timer.cancel()
  assert.not.ok(fired)
})

test.run()
