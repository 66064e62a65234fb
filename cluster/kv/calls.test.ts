import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from './testing/simulate.ts'

test('an operation whose carrier dies after it and before its answer is not carried out again by the next life', () =>
  simulate({ preset: '2pc', nodes: 2, overrides: { deadline_ms: 1_500, resend_ms: 50 }, clientDeadlineMs: 5_000 }, async (bench) => {
    let keys = 0
    for (let i = 0; i < 40; i++) {
      const key = `k${i}`
      // n1 learns which life n2 lives; where n2 holds the key, the append below is carried out over there.
      await bench.client('n1').invoke({ f: 'txn', value: [['append', key, 0]] })
      const appending = bench.client('n1').invoke({ f: 'txn', value: [['append', key, 1]] })
      await bench.sleep(4 + (i % 20) * 0.1)
      await bench.node('n2').kill()
      await bench.node('n2').start()
      const { type } = await appending
      await bench.until(async () => (await bench.read('n2', key)).type === 'ok', 10_000)
      const list = JSON.stringify((await bench.read('n2', key)).value)
      assert.is(list.split('1').length <= 2, true, `${key}: ${list}`)
      if (type !== 'ok') keys++
    }
    assert.ok(keys > 0, 'none was cut short')
  }))

test.run()
