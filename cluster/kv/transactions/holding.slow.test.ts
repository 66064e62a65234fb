import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Completion, Json } from '../../../checker/history/index.ts'
import type { NodeId } from '../../../harness/env.ts'
import { RespConnection } from '../../systems/resp-connection.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

const DEADLINE_MS = 30_000
const keys = Array.from({ length: 40 }, (_, i) => `key${i}`)
const ACCOUNTS = keys.slice(0, 12)

const txn = (bench: Bench, id: NodeId, ...steps: Json[]): Promise<Completion> => bench.client(id).invoke({ f: 'txn', value: steps })
const writeAll = (bench: Bench, id: NodeId, names: readonly string[], value: number): Promise<Completion> => txn(bench, id, ...names.map((key) => ['w', key, value]))
/** The same until it is done: whoever is younger than a transaction that has not given its locks back yet gives way. */
const writeAllAtLast = (bench: Bench, id: NodeId, names: readonly string[], value: number): Promise<number> => bench.until(async () => (await writeAll(bench, id, names, value)).type === 'ok', 5_000)
const readAll = async (bench: Bench, id: NodeId, names: readonly string[]): Promise<readonly Json[] | undefined> => {
  const { type, value } = await txn(bench, id, ...names.map((key) => ['r', key, null]))
  return type === 'ok' ? (value as Json[][]).map(([, , found]) => found!) : undefined
}
const readAllAtLast = async (bench: Bench, id: NodeId, names: readonly string[]): Promise<readonly Json[] | undefined> => {
  let found: readonly Json[] | undefined
  await bench.until(async () => (found = await readAll(bench, id, names)) !== undefined, 5_000)
  return found
}

/** Who the members are by the word of one of them; undefined while they change. */
const membersBy = (bench: Bench, id: NodeId): Promise<readonly NodeId[] | undefined> => bench.cluster.membership!.members(id, 1000).catch(() => undefined)
const isMember = async (bench: Bench, asked: NodeId, id: NodeId): Promise<boolean> => (await membersBy(bench, asked))?.includes(id) ?? false

async function waits(bench: Bench, id: NodeId): Promise<string> {
  const connection = await RespConnection.open(bench.cluster, id, 'admin', 1000)
  const lines = (await connection.ask(['WAITS'], 1000)) as Uint8Array[]
  connection.close()
  return lines.map((line) => Buffer.from(line).toString()).join('\n')
}

/**
 * Cuts n1 from n2 when n2 has voted for a transaction of n1, and has not heard the decision. Resolves to its keys and to
 * what its client was told.
 */
async function leaveInDoubt(bench: Bench): Promise<{ readonly names: readonly string[]; readonly told: Completion }> {
  for (let i = 0; i < 100; i++) {
    const names = Array.from({ length: 8 }, (_, n) => `${i}-${n}`)
    const pending = writeAll(bench, 'n1', names, 1)
    await bench.sleep(1 + (i % 40) * 0.25)
    await bench.partition(['n1'], ['n2'])
    const told = await pending
    if (told.type === 'ok' && (await bench.stats('n2'))['in_doubt']! > 0) return { names, told }
    await bench.cluster.links.heal()
    await bench.until(async () => (await bench.stats('n2'))['in_doubt'] === 0, 10_000)
  }
  throw new Error('n2 was never left in doubt')
}

for (const preset of ['2pc', 'paxos-commit']) {
  test(`${preset}: what was written before a node joins or leaves is read after it, through any node`, () =>
    simulate({ preset, spares: 1 }, async (bench) => {
      const { join, leave } = bench.cluster.membership!
      await writeAllAtLast(bench, 'n1', keys, 1)
      await join('n6', DEADLINE_MS)
      for (const id of bench.ids) assert.equal(await readAllAtLast(bench, id, keys), keys.map(() => 1))
      await writeAllAtLast(bench, 'n6', keys, 2)
      await leave('n2', DEADLINE_MS)
      assert.equal(await readAllAtLast(bench, 'n3', keys), keys.map(() => 2))
      await join('n2', DEADLINE_MS)
      await leave('n1', DEADLINE_MS)
      assert.equal(await readAllAtLast(bench, 'n2', keys), keys.map(() => 2))
      await writeAllAtLast(bench, 'n2', keys, 3)
      await bench.until(() => bench.agree(keys), 10_000)
    }))

  for (const seed of [1, 2, 3]) {
    test(`${preset}: what is written together is read together, also while members change and nodes die in the middle of it, seed ${seed}`, () =>
      simulate({ preset, seed, spares: 1 }, async (bench) => {
        const { join, leave } = bench.cluster.membership!
        const clients = { stopped: false }
        const [written, read] = [[0], [0]] as [number[], number[]]
        let last = -1
        const writer = async (id: NodeId, offset: number): Promise<void> => {
          for (let i = offset; !clients.stopped; i += 10) {
            if ((await writeAll(bench, id, ACCOUNTS, i)).type === 'ok') written[0]!++
            await bench.sleep(20)
          }
        }
        const reader = async (id: NodeId): Promise<void> => {
          while (!clients.stopped) {
            const found = await readAll(bench, id, ACCOUNTS)
            await bench.sleep(10)
            if (found === undefined) continue
            read[0]!++
            last = found[0] as number
            assert.is(new Set(found.map((value) => JSON.stringify(value))).size, 1, JSON.stringify(found))
          }
        }
        const working = [writer('n1', 1), writer('n2', 2), reader('n3'), reader('n4')]
        await bench.sleep(500)
        const joining = join('n6', DEADLINE_MS)
        await bench.sleep(60 * seed)
        // An old holder, and the new one.
        await bench.node('n2').powerLoss()
        await bench.sleep(300)
        await bench.node('n2').start()
        await bench.sleep(40 * seed)
        await bench.node('n6').kill()
        await bench.sleep(200)
        await bench.node('n6').start()
        await joining
        const leaving = leave('n5', DEADLINE_MS)
        await bench.sleep(70 * seed)
        await bench.node('n5').powerLoss()
        await bench.sleep(300)
        await bench.node('n5').start()
        await leaving
        await leave('n1', DEADLINE_MS)
        await bench.sleep(1000)
        clients.stopped = true
        await Promise.all(working)
        assert.ok(written[0]! > 10 && read[0]! > 10 && last >= 0, `${written[0]} written, ${read[0]} read`)
      }))
  }
}

test('2pc: a change waits for what is in doubt, and nobody serves a key meanwhile that is about to move', () =>
  simulate({ preset: '2pc', spares: 1 }, async (bench) => {
    await writeAllAtLast(bench, 'n3', keys, 1)
    const { names } = await leaveInDoubt(bench)
    const joined = bench.cluster.membership!.join('n6', DEADLINE_MS)
    await bench.sleep(5_000)
    assert.not.ok(await isMember(bench, 'n3', 'n6'))
    assert.match(await waits(bench, 'n2'), /of n1 since \d+ ms.*; a change of members waits for that/)
    const reads = await Promise.all(keys.map((key) => bench.client('n3').invoke({ f: 'read', key })))
    const refused = reads.filter(({ type }) => type === 'fail')
    assert.ok(refused.length > 0 && refused.length < keys.length && refused.every(({ error }) => error === 'TRYAGAIN'), JSON.stringify(reads))
    await bench.cluster.links.heal()
    await joined
    assert.equal(await readAllAtLast(bench, 'n6', names), names.map(() => 1))
    assert.equal(await readAllAtLast(bench, 'n6', keys), keys.map(() => 1))
  }))

test('2pc: a coordinator stays as long as a participant may ask it, so that no commit is presumed aborted', () =>
  simulate({ preset: '2pc' }, async (bench) => {
    const { names } = await leaveInDoubt(bench)
    const left = bench.cluster.membership!.leave('n1', DEADLINE_MS)
    await bench.sleep(2_000)
    // Not even a new life of it forgets.
    await bench.node('n1').powerLoss()
    await bench.node('n1').start()
    await bench.sleep(3_000)
    assert.is(await membersBy(bench, 'n3'), undefined)
    await bench.cluster.links.heal()
    await left
    assert.equal(await membersBy(bench, 'n3'), ['n2', 'n3', 'n4', 'n5'])
    assert.equal(await readAllAtLast(bench, 'n3', names), names.map(() => 1))
  }))

test('paxos-commit: a change waits for nobody who was cut off after the votes', () =>
  simulate({ preset: 'paxos-commit', spares: 1 }, async (bench) => {
    const { names } = await leaveInDoubt(bench)
    await bench.cluster.membership!.join('n6', DEADLINE_MS)
    assert.equal(await readAllAtLast(bench, 'n6', names), names.map(() => 1))
    await bench.cluster.links.heal()
    await bench.cluster.membership!.leave('n1', DEADLINE_MS)
    assert.equal(await readAllAtLast(bench, 'n6', names), names.map(() => 1))
  }))

test('paxos-commit: votes are counted among the members of the day', () =>
  simulate({ preset: 'paxos-commit', spares: 2 }, async (bench) => {
    const { join, leave } = bench.cluster.membership!
    for (const id of ['n3', 'n4', 'n5']) await leave(id, DEADLINE_MS)
    await writeAllAtLast(bench, 'n1', keys, 1)
    for (const id of ['n6', 'n7']) await join(id, DEADLINE_MS)
    for (const id of ['n1', 'n2']) await leave(id, DEADLINE_MS)
    await writeAllAtLast(bench, 'n6', keys, 2)
    assert.equal(await readAllAtLast(bench, 'n7', keys), keys.map(() => 2))
  }))

test.run()
