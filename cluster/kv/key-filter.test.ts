import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { murmur3 } from './hash.ts'
import { KeyFilter } from './key-filter.ts'

test('a full filter holds every key that was added, and takes at most one of a hundred others for one of them', () => {
  for (const capacity of [1_000, 100_000]) {
    const filter = new KeyFilter(capacity)
    let keys = 0
    while (!filter.isFull) filter.add(murmur3(`key:${keys++}`))
    assert.ok(keys <= capacity * 1.01, 'those that it took for present do not count')
    for (let i = 0; i < keys; i++) assert.ok(filter.mayHold(murmur3(`key:${i}`)))
    let mistaken = 0
    for (let i = 0; i < 100_000; i++) if (filter.mayHold(murmur3(`other:${i}`))) mistaken++
    assert.ok(mistaken > 0 && mistaken <= 1_000, `${mistaken} of 100,000`)
  }
})

test('a key that is added again takes no room', () => {
  const filter = new KeyFilter(1_000)
  for (let i = 0; i < 10_000; i++) filter.add(murmur3(`key:${i % 500}`))
  assert.not.ok(filter.isFull)
})

test.run()
