import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import type { NodeId } from '../../../harness/env.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { TokenRange } from '../partitioner.ts'
import { findPreset, presetConfigs } from '../presets.ts'
import type { Reconciled, Reconciler } from '../repair/reconcile.ts'
import type { Replication } from '../replication/replication.ts'
import { successionOf } from '../replication/targets.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import { Moving } from './moving.ts'
import { admitting, changesBetween, firstView, ringOf } from './view.ts'
import type { Segment } from './view.ts'
import type { Views } from './views.ts'

const [config] = presetConfigs(findPreset('paxos'), ['n1', 'n2', 'n3'], 'token', { virtual_nodes: 4 })
const view = admitting(firstView(['n1', 'n2', 'n3']), 'n4', null)
const [serving, next] = [ringOf(view.members, config!), ringOf(view.next!, config!)]
const segments = changesBetween(serving, next).filter(({ after }) => after.includes('n4'))
const own = segments.map(({ range }) => range)
/** All three held everything; they are asked in this order. */
const sources = segments[0]!.before

/** Has n4 join, with what a source answers to one exchange and what is left when segments are taken over; resolves to what was asked of whom, exchange by exchange, when it has all. */
async function join(answer: (source: NodeId, ranges: readonly TokenRange[], turn: number) => Reconciled['left'], takeOver?: Replication['takeOver']): Promise<(readonly [source: NodeId, ranges: readonly TokenRange[]])[]> {
  const clock = new VirtualClock()
  const asked: (readonly [NodeId, readonly TokenRange[]])[] = []
  let progress: (epoch: number) => Promise<readonly [number, boolean, boolean]> = async () => [0, false, false]
  const reconciler = {
    reconcile: async (source: NodeId, ranges: readonly TokenRange[]): Promise<Reconciled> => {
      asked.push([source, ranges])
      return { repaired: 1, left: answer(source, ranges, asked.filter(([node]) => node === source).length) }
    },
  } as unknown as Reconciler
  return clock.run(async () => {
    const moving = new Moving({
      self: 'n4',
      views: { view, serving, next } as unknown as Views,
      rpc: { serve: (_: unknown, handler: typeof progress) => (progress = handler) } as unknown as Rpc,
      storage: { flushed: async () => undefined } as unknown as Storage,
      reconciler,
      succession: successionOf(config!),
      takeOver,
      ended: undefined,
      clock,
      random: seededRandom(1),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    })
    moving.enter(view)
    for (let looks = 0; !(await progress(view.epoch))[1]; looks++) {
      assert.ok(looks < 100, 'it never has all')
      await sleep(clock, 100)
    }
    moving.stop()
    return asked
  })
}

test('everything is asked for once of every old holder, when all goes well', async () => {
  assert.equal(await join(() => []), sources.map((source) => [source, own]))
})

test('of a segment with one open key that key alone is fetched again', async () => {
  const [from] = own[1]!
  let attempts = 0
  const taken: Segment[] = []
  const exchanges = await join(() => [], async (some) => {
    taken.push(...some)
    return attempts++ < 2 ? [{ ...some.find(({ range }) => range[0] <= from && from < range[1])!, range: [from, from + 1] }] : []
  })
  assert.equal(exchanges.slice(3), [1, 2].flatMap(() => segments[1]!.before.map((source) => [source, [[from, from + 1]]])))
  assert.equal(taken.slice(own.length).map(({ range }) => range), [[from, from + 1], [from, from + 1]])
})

test('who falls silent is asked again for what it has not given, and nobody else', async () => {
  const [[firstFrom, firstTo], [secondFrom, secondTo]] = [own[0]!, own[1]!]
  const middle = Math.floor((secondFrom + secondTo) / 2)
  // n2 and n3 say nothing more after the first half of the second segment, as often as they are asked in one round.
  const asked = await join((source, ranges, turn) => (source === 'n1' || turn > 3 ? [] : [[middle, secondTo], ...ranges.filter(([from]) => from >= secondTo)]))
  assert.ok(firstTo <= secondFrom && firstFrom < firstTo)
  const rest = [[middle, secondTo], ...own.slice(2)]
  assert.equal(asked.filter(([source]) => source === 'n1'), [['n1', own]])
  for (const silent of ['n2', 'n3']) assert.equal(asked.filter(([source]) => source === silent).map(([, ranges]) => ranges), [own, rest, rest, rest])
})

test.run()
