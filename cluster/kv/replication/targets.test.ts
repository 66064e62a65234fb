import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Quorum } from '../gather.ts'
import type { PreferenceLists } from '../ring.ts'
import { majorities, successionOf, votersOf } from './targets.ts'

const isQuorum = ({ need, enough }: Quorum, from: readonly string[]): boolean => from.length >= need && (enough === undefined || enough(from))
const lists = (now: readonly string[], soon?: readonly string[]): PreferenceLists => ({ replicas: () => now, successors: () => [], incoming: () => soon }) as unknown as PreferenceLists

test('where all members hold every key, a majority of them decides', () => {
  const quorum = majorities(votersOf(lists(['n1', 'n2', 'n3', 'n4', 'n5'])))
  assert.equal(quorum.to, ['n1', 'n2', 'n3', 'n4', 'n5'])
  assert.ok(isQuorum(quorum, ['n2', 'n3', 'n5']))
  assert.not.ok(isQuorum(quorum, ['n2', 'n3']))
})

test('while members change, a majority of the old ones and one of the next ones are needed at the same time', () => {
  const quorum = majorities(votersOf(lists(['n1', 'n2', 'n3'], ['n3', 'n4', 'n5'])))
  assert.equal(quorum.to, ['n1', 'n2', 'n3', 'n4', 'n5'])
  assert.not.ok(isQuorum(quorum, ['n3', 'n4', 'n5']), 'of the next members alone')
  assert.not.ok(isQuorum(quorum, ['n1', 'n2', 'n3']), 'of the old members alone')
  assert.ok(isQuorum(quorum, ['n1', 'n3', 'n5']))
  assert.ok(isQuorum(quorum, ['n1', 'n2', 'n4', 'n5']))
})

test('so many have to give what they have that every majority has one of them, and so many of those who stay have to have it', () => {
  const succession = successionOf({ replication: 'primary', replicas: 5, read_quorum: 3, write_quorum: 3 })!
  for (let members = 1; members <= 9; members++) {
    assert.ok(succession.givers(members) + succession.quorum(members) > members)
    assert.is(succession.heirs(members, members + 1), 0)
    if (members > 1) assert.ok(succession.heirs(members, members - 1) + succession.quorum(members - 1) > members - 1)
  }
})

test.run()
