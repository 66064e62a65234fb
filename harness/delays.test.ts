import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { oneWay } from './delays.ts'

const test = suite('delays between nodes')

test("a peer's clock may begin anywhere: the fastest message there was as fast as the fastest back", () => {
  for (const ahead of [0, 5_000_000, -70]) {
    const exchange = (asked: number, there: number, back: number) => ({ peer: 'n2', asked, said: asked + there + ahead, returned: asked + there + back })
    assert.equal(oneWay([exchange(0, 100, 300), exchange(1_000, 400, 100)]), { there: [100, 400], back: [300, 100] })
  }
})

test.run()
