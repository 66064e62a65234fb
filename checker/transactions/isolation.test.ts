import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chance } from '../testing/chance.ts'
import { contradictionInLevels } from '../testing/monotone.ts'
import { isolationLevels, type IsolationLevel } from '../verdict.ts'
import { isolationOf } from './isolation.ts'
import { strongestLevels } from './levels.ts'
import { allowedLevels } from './testing/oracle.ts'
import { atOnce, historyOfTransactions, inOrder, randomTransactions, type Small } from './testing/small.ts'

/** What holds at most, which anomalies there are, and that the definitions agree. */
function judged(transactions: readonly Small[]): { strongest: IsolationLevel[]; anomalies: string[]; explanations: string[] } {
  const { levels, anomalies, reason } = isolationOf(historyOfTransactions(transactions))
  assert.is(reason, undefined)
  assert.is(contradictionInLevels(levels), undefined)
  const allowed = allowedLevels(transactions)
  for (const level of isolationLevels) if (levels[level] !== 'unknown') assert.is(levels[level] === 'holds', allowed.has(level), level)
  return { strongest: strongestLevels(isolationLevels.filter((level) => levels[level] === 'holds')), anomalies: [...new Set(anomalies.map(({ type }) => type))], explanations: anomalies.map(({ explanation }) => explanation) }
}

test('one transaction after the other is strictly serializable', () => {
  const { strongest, anomalies } = judged(inOrder([[['append', 'x', 1]], [['r', 'x', [1]], ['append', 'x', 2]], [['r', 'x', [1, 2]]]]))
  assert.equal(strongest, ['strict-serializable'])
  assert.equal(anomalies, [])
})

test('G0, dirty write: each of two transactions overwrote the other', () => {
  const { strongest, anomalies } = judged(atOnce([[['append', 'x', 1], ['append', 'y', 1]], [['append', 'x', 2], ['append', 'y', 2]], [['r', 'x', [1, 2]], ['r', 'y', [2, 1]]]]))
  assert.equal(strongest, [])
  assert.ok(anomalies.includes('G0'))
})

test('G1a, aborted read: a transaction that failed was seen', () => {
  const { strongest, anomalies } = judged([
    { process: 0, outcome: 'fail', start: 0, end: 2, micros: [['append', 'x', 1]] },
    { process: 1, outcome: 'ok', start: 1, end: 3, micros: [['r', 'x', [1]]] },
  ])
  assert.equal(strongest, ['read-uncommitted'])
  assert.equal(anomalies, ['G1a'])
})

test('a dirty update: committed data stands on aborted data', () => {
  const { anomalies } = judged([
    { process: 0, outcome: 'fail', start: 0, end: 1, micros: [['append', 'x', 1]] },
    ...inOrder([[['append', 'x', 2]], [['r', 'x', [1, 2]]]]).map((one) => ({ ...one, process: one.process + 1, start: one.start + 2, end: one.end + 2 })),
  ])
  assert.ok(anomalies.includes('dirty-update'))
})

test('G1b, intermediate read: a transaction was seen in the middle', () => {
  assert.equal(judged(atOnce([[['w', 'x', 1], ['w', 'x', 2]], [['r', 'x', 1]]])).anomalies, ['G1b'])
  assert.equal(judged(atOnce([[['append', 'x', 1], ['append', 'x', 2]], [['r', 'x', [1]]]])).anomalies[0], 'G1b')
})

test('G1c, circular information flow: each of two transactions saw the other', () => {
  const { strongest, anomalies } = judged(atOnce([[['w', 'x', 1], ['r', 'y', 2]], [['w', 'y', 2], ['r', 'x', 1]]]))
  assert.equal(strongest, ['read-uncommitted'])
  assert.equal(anomalies[0], 'G1c')
})

test('read skew (G-single): half of a transaction was seen', () => {
  const { strongest, explanations } = judged(atOnce([[['append', 'x', 1], ['append', 'y', 1]], [['r', 'x', []], ['r', 'y', [1]]]]))
  assert.equal(strongest, ['strong-session-read-committed'])
  assert.match(explanations.find((one) => one.startsWith('read skew'))!, /^read skew \(G-single\): T1 < T0 because T1 read x = \[\] and did not see that T0 appended 1 to x; T0 < T1 because T1 read y = \[1\], which T0 wrote: a contradiction$/)
})

test('a lost update: two increments continued from one value', () => {
  for (const model of ['w', 'append'] as const) {
    const value = (n: number): number | number[] => (model === 'w' ? n : [n])
    const { strongest, anomalies } = judged([...inOrder([[[model, 'x', 1]]]), ...atOnce([[['r', 'x', value(1)], [model, 'x', 2]], [['r', 'x', value(1)], [model, 'x', 3]]]).map((one) => ({ ...one, process: one.process + 1, start: one.start + 10, end: one.end + 10 }))])
    assert.ok(anomalies.includes('lost-update'), model)
    assert.equal(strongest, ['causal'], model)
  }
})

test('write skew is allowed under snapshot isolation, and not when serializable', () => {
  const { strongest, explanations } = judged(atOnce([[['r', 'x', []], ['append', 'y', 1]], [['r', 'y', []], ['append', 'x', 1]], [['r', 'x', [1]], ['r', 'y', [1]]]]))
  assert.equal(strongest, ['strong-snapshot-isolation'])
  assert.match(explanations[0]!, /^write skew \(G2-item\)/)
})

test('a long fork is allowed under parallel snapshot isolation, and not under snapshot isolation', () => {
  const { strongest, explanations } = judged(atOnce([[['w', 'x', 1]], [['w', 'y', 1]], [['r', 'x', 1], ['r', 'y', null]], [['r', 'x', null], ['r', 'y', 1]]]))
  assert.ok(strongest.includes('parallel-snapshot-isolation'))
  assert.not.ok(strongest.includes('snapshot-isolation'))
  assert.match(explanations[0]!, /^long fork/)
})

test('a view that went back: the cycle stands on the read of a third transaction, which the witness lists', () => {
  const { anomalies } = isolationOf(historyOfTransactions(atOnce([[['w', 'x', 1], ['w', 'y', 1]], [['r', 'x', 1], ['w', 'x', 2], ['w', 'y', 2]], [['r', 'x', 2], ['r', 'y', 1]]])))
  const [back] = anomalies
  assert.is(back!.type, 'non-monotonic-view')
  assert.equal(back!.transactions, [1, 0, 2])
  assert.equal(back!.edges!.map(({ kind }) => kind), ['forced', 'wr'])
})

test('a transaction that contradicts itself', () => {
  assert.equal(judged(inOrder([[['w', 'x', 1], ['r', 'x', null]]])).anomalies, ['internal'])
  assert.equal(judged(inOrder([[['append', 'x', 1], ['r', 'x', []]]])).anomalies.includes('internal'), true)
  assert.equal(judged(inOrder([[['r', 'x', [1]], ['append', 'x', 1]]])).anomalies.includes('internal'), true)
})

test('duplicates, values of nobody, and lists that fit no order break every level', () => {
  assert.ok(judged(inOrder([[['append', 'x', 1]], [['r', 'x', [1, 1]]]])).anomalies.includes('duplicate-elements'))
  assert.ok(judged(inOrder([[['r', 'x', 7]]])).anomalies.includes('thin-air'))
  const forked = judged(atOnce([[['append', 'x', 1]], [['append', 'x', 2]], [['r', 'x', [1]]], [['r', 'x', [2]]]]))
  assert.ok(forked.anomalies.includes('incompatible-order'))
  assert.equal(forked.strongest, [])
})

test('a stale read is serializable, but not strictly', () => {
  const { strongest, anomalies, explanations } = judged(inOrder([[['append', 'x', 1]], [['r', 'x', []]], [['r', 'x', [1]]]]))
  assert.equal(strongest, ['strong-session-serializable'])
  assert.equal(anomalies, ['G-single-realtime'])
  assert.match(explanations[0]!, /T0 was complete 0.000 ms before T2 began/)
})

test('one that forgets what its own session did is serializable, but not in the session\'s order', () => {
  const { strongest, anomalies } = judged(inOrder([[['append', 'x', 1]], [['r', 'x', []]], [['r', 'x', [1]]]], [5, 5, 6]))
  assert.equal(strongest, ['serializable', 'strong-session-read-committed'])
  assert.ok(anomalies.includes('G-single-process'))
})

test('what nobody knows counts as done when it was seen, and as not done otherwise', () => {
  const unknown: Small = { process: 9, outcome: 'info', start: 0, end: 0, micros: [['append', 'x', 1], ['append', 'y', 1]] }
  const seen = inOrder([[['r', 'x', [1]]], [['r', 'y', []]], [['r', 'y', [1]]]]).map((one) => ({ ...one, start: one.start + 1, end: one.end + 1 }))
  assert.ok(judged([unknown, ...seen]).anomalies.includes('G-single-realtime'))
  assert.equal(judged([unknown, ...seen.slice(1, 2)]).strongest, ['strict-serializable'])
})

test('a value that was written twice leaves everything unknown', () => {
  const { reason, levels } = isolationOf(historyOfTransactions(inOrder([[['w', 'x', 1]], [['w', 'x', 1]]])))
  assert.match(reason!, /a value was written twice to key "x" \(the second time by T2\)/)
  assert.is(levels['read-uncommitted'], 'unknown')
})

test('random small histories agree with the definitions', () => {
  const random = chance(11)
  for (let at = 0; at < 100; at++) judged(randomTransactions(random, { model: at % 2 === 0 ? 'list-append' : 'rw-register', transactions: 2 + random(3), keys: 1 + random(2), processes: 1 + random(3), noise: [0, 20, 50][random(3)]! }))
})

test.run()
