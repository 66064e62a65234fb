import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { StoreError } from '../errors.ts'
import { Ledger } from '../ledger.ts'
import { partitioners } from '../partitioner.ts'
import { Storage } from '../storage.ts'
import { MemoryDisk } from '../testing/memory-disk.ts'
import { lastWriteWins } from '../versions.ts'
import { Participant } from './participant.ts'
import type { Transaction } from './participant.ts'

const DEADLINE_MS = 1_000
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const write = [{ type: 'write', key: 'k', value: Buffer.from('v') }] as const

const transaction = (id: string): Transaction => ({ id, coordinator: 'n2', participants: ['n1', 'n2'], epoch: 1, acceptors: ['n1', 'n2'] })

/** A participant that holds every key, and the disk that its votes lie on. */
function withParticipant(body: (participant: Participant, votes: MemoryDisk, ledger: Ledger, clock: VirtualClock) => Promise<void>): Promise<void> {
  const clock = new VirtualClock()
  const votes = new MemoryDisk()
  return clock.run(async () => {
    const storage = await Storage.open(new MemoryDisk(), clock, partitioners.murmur3, { sync: 'always', syncIntervalMs: 100, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] })
    const ledger = await Ledger.open(votes, 'votes', { clock, sync: true })
    const holding = { epoch: 1, assertOwn: () => undefined }
    const participant = new Participant({ self: 'n1', clock, log, storage, ledger, writer: 'n1.1', deadlineMs: DEADLINE_MS, bugs: [], holding, resolve: () => Promise.resolve(undefined) })
    await body(participant, votes, ledger, clock)
    participant.close()
  })
}

const refusal = (work: Promise<unknown>): Promise<string> => work.then(() => 'voted', (error: Error) => (error instanceof StoreError ? error.code : String(error)))

test('who hears of an abort while it waits for locks votes no more', () =>
  withParticipant(async (participant, _votes, ledger, clock) => {
    await participant.prepare(transaction('b'), write)
    const late = refusal(participant.prepare(transaction('a'), write))
    await sleep(clock, 1)
    await participant.finish('a', false)
    await participant.finish('b', true)
    assert.is(await late, 'ABORTED')
    assert.equal(participant.waits, [])
    assert.is(ledger.get('a'), undefined)
  }))

test('the same while its vote is on the way to the disk, and its locks are free again', () =>
  withParticipant(async (participant, votes, ledger, clock) => {
    votes.holding = true
    const late = refusal(participant.prepare(transaction('a'), write))
    await sleep(clock, 1)
    await participant.finish('a', false)
    votes.holding = false
    for (const held of votes.held) held.finish()
    assert.is(await late, 'ABORTED')
    assert.is(ledger.get('a'), undefined)
    assert.is(await refusal(participant.prepare(transaction('b'), write)), 'voted')
  }))

test('a request that comes after the abort gets no vote, and one of another transaction does', () =>
  withParticipant(async (participant) => {
    await participant.finish('a', false)
    assert.is(await refusal(participant.prepare(transaction('a'), write)), 'ABORTED')
    assert.is(await refusal(participant.prepare(transaction('b'), write)), 'voted')
  }))

test.run()
