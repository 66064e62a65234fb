import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { Ledger } from '../ledger.ts'
import { TOKENS, partitioners } from '../partitioner.ts'
import { Storage } from '../storage.ts'
import { MemoryDisk } from '../testing/memory-disk.ts'
import { lastWriteWins } from '../versions.ts'
import type { Cell, Version } from '../versions.ts'
import { Acceptor } from './acceptor.ts'
import type { Vote } from './acceptor.ts'

const ballot = (counter: number, writer = 'n1.1'): Version => ({ counter, writer })
const cell = (counter: number): Cell => ({ ...ballot(counter), value: Buffer.from(`v${counter}`) })
const partitioner = partitioners.murmur3

/** An acceptor, and the disk that its promises lie on. */
function withAcceptor(body: (acceptor: Acceptor, promises: MemoryDisk, clock: VirtualClock) => Promise<void>): Promise<void> {
  const clock = new VirtualClock()
  const promises = new MemoryDisk()
  return clock.run(async () => {
    const storage = await Storage.open(new MemoryDisk(), clock, partitioner, { sync: 'always', syncIntervalMs: 100, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] })
    const ledger = await Ledger.open(promises, 'promises', { clock, sync: true })
    await body(new Acceptor(storage, ledger, { ignoresBallots: false }), promises, clock)
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

const told = (votes: readonly Vote[]): string[] => votes.map(({ key, accepted, promised }) => `${key} ${accepted.counter}, promised ${promised.counter}`).sort()

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
    const votes = await acceptor.votes([[0, TOKENS]], partitioner)
    assert.equal(told(votes), ['accepted 2, promised 3', 'overtaken 4, promised 5', 'promised 2, promised 5', 'unknown 0, promised 1'])
    const token = partitioner.token('unknown')
    assert.equal(told(await acceptor.votes([[token, token + 1]], partitioner)), ['unknown 0, promised 1'])
    assert.equal(told(await acceptor.votes([[token + 1, token + 2]], partitioner)), [])
  }))

test.run()
