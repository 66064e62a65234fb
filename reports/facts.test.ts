import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { capMapOf } from './cap-svg.ts'
import { availabilitySentence, factsOf, strongestText, tradeOffSentence } from './facts.ts'
import { formatShare } from './format.ts'
import { fakeTour } from './testing/tour.ts'
import type { Facts } from './facts.ts'

const tour = await fakeTour({ seconds: 4 })
const facts = tour.map((run) => factsOf(run.name, run.document))
const changed = (change: Partial<Facts>): Facts => ({ ...facts[0]!, ...change })
const side = (share: number): NonNullable<Facts['minority']> => ({ side: 'minority', attempted: 100, ok: 100 * share, fail: 0, info: 0, share })

test('the numbers are the document’s own', () => {
  for (const [index, { document }] of tour.entries()) {
    const row = document.availability.find((one) => one.period === '1:partition(majority-minority)' && one.group === 'minority')!
    assert.is(facts[index]!.minority?.share, row.share)
    assert.is(facts[index]!.lost, document.durability.lost)
    assert.is(facts[index]!.latency?.p99_ms, document.latency.find((one) => one.period === 'all' && one.group === 'all')!.p99_ms)
  }
})

test('several partitions are added up, not averaged', () => {
  const [first] = tour
  const document = structuredClone(first!.document)
  const again = { ...document.faults[0]!, id: 9 }
  document.faults.push(again)
  document.availability.push({ period: `9:${again.fault}`, group: 'minority', attempted: 900, ok: 900, fail: 0, info: 0, share: 1 })
  const before = factsOf('abd', first!.document).minority!
  const after = factsOf('abd', document).minority!
  assert.is(after.attempted, before.attempted + 900)
  assert.is(after.share, (before.ok + 900) / (before.attempted + 900))
})

test('a partition that did not bite says nothing about availability', () => {
  const document = structuredClone(tour[0]!.document)
  document.faults[0]!.bit = false
  assert.is(factsOf('abd', document).minority, undefined)
  assert.is(availabilitySentence(factsOf('abd', document)), '')
})

test('the trade-off is told for each corner', () => {
  assert.match(tradeOffSentence(changed({ strongest: 'linearizable', minority: side(0) })), 'stayed linearizable')
  assert.match(tradeOffSentence(changed({ strongest: 'regular', minority: side(0) })), 'the strongest model seen to hold was regular')
  assert.match(tradeOffSentence(changed({ strongest: 'sequential', minority: side(0.7) })), 'refused a part of the operations on the minority side, and the strongest model seen to hold was sequential')
  assert.match(tradeOffSentence(changed({ strongest: 'eventual', minority: side(1) })), 'gave up consistency')
  assert.match(tradeOffSentence(changed({ strongest: 'linearizable', minority: side(1) })), 'too little was tried')
  assert.match(tradeOffSentence(changed({ minority: undefined })), 'nothing about the choice')
})

test('a store that refuses both sides made no choice, and one that answered nothing shows nothing', () => {
  const [none, few] = [{ ...side(0), side: 'majority' }, { ...side(0.4), side: 'majority' }]
  for (const majority of [none, few]) {
    const text = tradeOffSentence(changed({ strongest: 'linearizable', majority, minority: side(0) }))
    assert.match(text, `It answered ${formatShare(majority.share)} on the majority side and ${formatShare(0)} on the minority side: that is no choice`)
    assert.not.match(text, 'linearizable')
  }
  const silent = structuredClone(tour[0]!.document)
  silent.operations.ok = 0
  const seen = factsOf('abd', silent)
  assert.equal([seen.strongest, strongestText(seen)], [null, '–'])
  assert.match(tradeOffSentence(seen), /^No operation succeeded, so this run says nothing/)
  assert.equal(capMapOf([seen]).entries, [])
})

test.run()
