import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { Ledger } from '../ledger.ts'
import { TOKENS, partitioners } from '../partitioner.ts'
import { Storage } from '../storage.ts'
import { restOf, whole } from '../stretch.ts'
import type { Stretch } from '../stretch.ts'
import { MemoryDisk } from '../testing/memory-disk.ts'
import { lastWriteWins } from '../versions.ts'
import type { Cell, Version } from '../versions.ts'
import { Acceptor } from './acceptor.ts'
import type { Votes } from './acceptor.ts'
import { PromisedBallots } from './promised-ballots.ts'

const ballot = (counter: number, writer = 'n1.1'): Version => ({ counter, writer })
const cell = (counter: number): Cell => ({ ...ballot(counter), value: Buffer.from(`v${counter}`) })
const partitioner = partitioners.murmur3

/** An acceptor, and the disk that its promises lie on. */
function withAcceptor(body: (acceptor: Acceptor, promises: MemoryDisk, clock: VirtualClock) => Promise<void>, votesBytes = 1 << 20): Promise<void> {
  const clock = new VirtualClock()
  const promises = new MemoryDisk()
  return clock.run(async () => {
    const storage = await Storage.open(new MemoryDisk(), clock, partitioner, { sync: 'always', syncIntervalMs: 100, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] })
    const ledger = await Ledger.open(promises, 'promises', { clock, sync: true })
    await body(new Acceptor({ storage, partitioner, promises: new PromisedBallots(ledger, partitioner), ignoresBallots: false, votesBytes }), promises, clock)
  })
}

test('a request for a promise that comes twice is answered twice, and never before the promise is on disk', () =>
  withAcceptor(async (acceptor, promises, clock) => {
    promises.holding = true
    const answers: boolean[] = []
    const ask = (): Promise<number> => acceptor.prepare('k', ballot(3)).then(([granted]) => answers.push(granted))
    const both = [ask(), ask()]
    await sleep(clock, 1)
    assert.equal(answers, [])
    promises.holding = false
    for (const write of promises.held) write.finish()
    await Promise.all(both)
    assert.equal(answers, [true, true])
  }))

const told = ([votes]: Votes): string[] => votes.map(({ key, accepted, promised }) => `${key} ${accepted.counter}, promised ${promised.counter}`).sort()

test('votes tell what was accepted and promised, also of keys without a cell', () =>
  withAcceptor(async (acceptor) => {
    await acceptor.accept('accepted', cell(2))
    await acceptor.accept('promised', cell(2))
    await acceptor.prepare('promised', ballot(5))
    await acceptor.prepare('unknown', ballot(1))
    await acceptor.prepare('overtaken', ballot(1))
    await acceptor.accept('overtaken', cell(4))
    // The ballot that follows is promised by accepting: whoever asks for it is promised nothing more.
    await acceptor.prepare('accepted', ballot(3))
    const votes = await acceptor.votes(whole([[0, TOKENS]]))
    assert.is(votes[1], null)
    assert.equal(told(votes), ['accepted 2, promised 3', 'overtaken 4, promised 5', 'promised 2, promised 5', 'unknown 0, promised 1'])
    const token = partitioner.token('unknown')
    assert.equal(told(await acceptor.votes(whole([[token, token + 1]]))), ['unknown 0, promised 1'])
    assert.equal(told(await acceptor.votes(whole([[token + 1, token + 2]]))), [])
  }))

test('promises of a range are let go of, also on disk, and others stay', () =>
  withAcceptor(async (acceptor, promises) => {
    for (let i = 0; i < 100; i++) await acceptor.prepare(`k${i}`, ballot(5))
    const gone = (key: string): boolean => partitioner.token(key) < TOKENS / 3
    acceptor.letGo([0, TOKENS / 3])
    await acceptor.prepare('and one more', ballot(5))
    const kept = Array.from({ length: 100 }, (_, i) => `k${i}`).filter((key) => !gone(key))
    assert.ok(kept.length > 50 && kept.length < 80)
    const expected = [...kept, 'and one more'].map((key) => `${key} 0, promised 5`).sort()
    assert.equal(told(await acceptor.votes(whole([[0, TOKENS]]))), expected)
    assert.is(promises.entries.size, expected.length)
    for (let i = 0; i < 100; i++) assert.is((await acceptor.prepare(`k${i}`, ballot(4)))[0], gone(`k${i}`))
  }))

test('votes on many keys come page by page, each key once, whether it has a cell, a promise or both', () =>
  withAcceptor(async (acceptor) => {
    for (let i = 0; i < 60; i++) {
      if (i % 3 !== 0) await acceptor.accept(`k${i}`, cell(1))
      if (i % 3 !== 1) await acceptor.prepare(`k${i}`, ballot(5))
    }
    // Two ranges in no order, as segments are asked about.
    const ranges = [[TOKENS / 2, TOKENS], [0, TOKENS / 2]] as const
    const found: string[] = []
    let pages = 0
    for (let left: Stretch | undefined = whole(ranges); left !== undefined; pages++) {
      const votes = await acceptor.votes(left)
      assert.ok(votes[0].length <= 8, `${votes[0].length} votes in one page`)
      found.push(...told(votes))
      left = votes[1] === null ? undefined : restOf(left, votes[1], partitioner)
    }
    assert.ok(pages > 10)
    assert.equal(found.sort(), told(await acceptor.votes(whole([[0, TOKENS]]))).concat(found).filter((vote, i, all) => all.indexOf(vote) === i).sort())
    assert.is(found.length, 60)
  }, 200))

test.run()
