import { createServer } from 'node:net'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { realClock, sleep } from '../../../harness/clock.ts'
import type { Log } from '../../../harness/env.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { Cluster, ClusterPlan, Node } from '../../cluster.ts'
import type { System } from '../../system.ts'
import { dialAddress, parseAddress } from '../real/socket-stream.ts'
import { startController, survivors } from '../testing/controllers.ts'
import { ToyConnection, ask, toySystem } from '../testing/toy.ts'
import { processDriver } from './driver.ts'
import { look } from './proc.ts'

const clock = realClock()
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
/** Long enough for a loaded machine; nothing waits for it when all is well. */
const PATIENCE_MS = 10_000

const runsDir = await mkdtemp(join(tmpdir(), 'splitbrain-process-'))
const driver = processDriver({ runsDir })

function start(name: string, nodes: readonly string[], system: System = toySystem()): Promise<Cluster> {
  const plan: ClusterPlan = { runId: `test-${name}-${process.pid}`, nodes, dir: join(runsDir, name), seed: 1, random: seededRandom(1), log: silent }
  return driver.start(system, plan)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const since = clock.now(); !(await condition()); await sleep(clock, 10)) {
    if (clock.now() - since > PATIENCE_MS * 1e6) throw new Error(`this did not come true: ${condition.toString()}`)
  }
}

async function fails(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'no error', (error: Error) => error.message)
}

/** The process that a run has written down last for a node. Nodes start at once, so the order among them says nothing. */
async function pidOf(dir: string, id: string): Promise<number> {
  const recorded = JSON.parse(await readFile(join(dir, 'pids.json'), 'utf8')) as { node: string; pid: number }[]
  return recorded.findLast((one) => one.node === id)!.pid
}

const test = suite<{ cluster: Cluster }>('nodes as processes')
const node = (cluster: Cluster, id: string): Node => cluster.nodes.find((one) => one.id === id)!
const heard = async (cluster: Cluster, id: string): Promise<string[]> => JSON.parse(await ask(cluster, id, 'HEARD', PATIENCE_MS)) as string[]

test.before(async (context) => {
  context.cluster = await start('shared', ['n1', 'n2', 'n3'])
})

test.after(async ({ cluster }) => {
  await cluster.stop()
  assert.equal(await readdir(join(runsDir, 'shared', 'nodes')), ['n1.log', 'n2.log', 'n3.log'], 'the logs stay, the data goes')
  assert.equal(await driver.clean(), [])
  await rm(runsDir, { recursive: true })
})

test('nodes answer on both ports, and the admin port refuses who does not know the token', async ({ cluster }) => {
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS), 'PONG')
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS, 'admin'), 'PONG')
  const stranger = new ToyConnection(await dialAddress(cluster.address('n1', 'admin')!, PATIENCE_MS), clock)
  assert.match(await fails(stranger.ask('PING', PATIENCE_MS)), 'closed')
})

test('a cut is directed, and what was sent into it arrives late, after the heal', async ({ cluster }) => {
  const { links } = cluster
  await links.cut([{ from: 'n1', to: 'n2' }])
  await ask(cluster, 'n1', 'SEND n2 into the cut', PATIENCE_MS)
  assert.not.ok(await links.probe({ from: 'n1', to: 'n2' }, 200))
  assert.ok(await links.probe({ from: 'n2', to: 'n1' }, PATIENCE_MS))
  assert.ok(await links.probe({ from: 'n1', to: 'n3' }, PATIENCE_MS))
  assert.not.ok((await heard(cluster, 'n2')).includes('n1:into the cut'))
  await links.heal([{ from: 'n1', to: 'n2' }])
  assert.ok(await links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS))
  assert.ok((await heard(cluster, 'n2')).includes('n1:into the cut'))
  assert.match(await fails(links.cut([{ from: 'n1', to: 'n9' }])), 'there is no link n1 -> n9')
})

test('a system without a probe of its own is probed through the same links', async ({ cluster }) => {
  const { probe: _, ...mute } = toySystem()
  const other = await start('mute', ['n1', 'n2'], mute)
  await other.links.cut([{ from: 'n1', to: 'n2' }])
  assert.not.ok(await other.links.probe({ from: 'n1', to: 'n2' }, 200))
  assert.ok(await other.links.probe({ from: 'n2', to: 'n1' }, PATIENCE_MS))
  await other.links.heal()
  assert.ok(await other.links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS))
  await other.nodes[1]!.kill()
  assert.not.ok(await other.links.probe({ from: 'n1', to: 'n2' }, 200))
  await other.stop()
  assert.ok(await node(cluster, 'n1').answers(PATIENCE_MS), 'the other cluster is undisturbed')
})

test('clients cut from a node wait, by our own streams and by sockets of their own; the admin port does not care', async ({ cluster }) => {
  const ours = await ToyConnection.open(cluster, 'n1', 'client', PATIENCE_MS)
  const theirs = new ToyConnection(await dialAddress(cluster.address('n1', 'client')!, PATIENCE_MS), clock)
  assert.is(await theirs.ask('PING', PATIENCE_MS), 'PONG')
  await cluster.links.cut([{ from: 'clients', to: 'n1' }])
  const answers = [ours.ask('PING', 60_000), theirs.ask('PING', 60_000)]
  assert.is(await Promise.race([...answers, sleep(clock, 200).then(() => 'nothing')]), 'nothing')
  assert.match(await fails(cluster.dial('n1', 'client', 100)), 'no connection')
  assert.not.ok(await node(cluster, 'n1').answers(100))
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS, 'admin'), 'PONG')
  await cluster.links.heal()
  assert.equal(await Promise.all(answers), ['PONG', 'PONG'])
  ours.close()
  theirs.close()
})

test('a killed node is gone, refuses, and comes back from its disk at the same address', async ({ cluster }) => {
  const n2 = node(cluster, 'n2')
  const address = cluster.address('n2', 'client')
  await ask(cluster, 'n2', 'PUT key value', PATIENCE_MS)
  const connection = await ToyConnection.open(cluster, 'n2', 'client', PATIENCE_MS)
  await n2.kill()
  assert.is(await n2.state(), 'stopped')
  assert.not.ok(await n2.answers(200))
  assert.not.match(await fails(connection.ask('PING', PATIENCE_MS)), 'no error')
  assert.match(await fails(cluster.dial('n2', 'client', PATIENCE_MS)), 'ECONNREFUSED')
  await n2.kill()
  await n2.start()
  assert.is(await n2.state(), 'running')
  assert.is(cluster.address('n2', 'client'), address)
  assert.is(await ask(cluster, 'n2', 'GET key', PATIENCE_MS), 'value')
  assert.ok(await cluster.links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS), 'its peers find it again')
  assert.ok(await cluster.links.probe({ from: 'n2', to: 'n1' }, PATIENCE_MS))
})

test('a node whose port was taken while it was dead comes back on another', async ({ cluster }) => {
  const n3 = node(cluster, 'n3')
  const taken = cluster.address('n3', 'admin')!
  await n3.kill()
  const squatter = createServer()
  await new Promise<void>((resolve) => void squatter.listen(parseAddress(taken), resolve))
  await n3.start()
  assert.is.not(cluster.address('n3', 'admin'), taken)
  assert.is(await ask(cluster, 'n3', 'PING', PATIENCE_MS, 'admin'), 'PONG')
  assert.ok(await cluster.links.probe({ from: 'n1', to: 'n3' }, PATIENCE_MS))
  await new Promise((resolve) => squatter.close(resolve))
})

test('a paused node is seen stopped by the operating system, answers nobody, and goes on where it stood', async ({ cluster }) => {
  const n1 = node(cluster, 'n1')
  const connection = await ToyConnection.open(cluster, 'n1', 'client', PATIENCE_MS)
  await n1.pause!()
  assert.is(await n1.state(), 'paused')
  assert.not.ok(await n1.answers(200))
  const answer = connection.ask('PING', 60_000)
  await n1.resume!()
  assert.is(await n1.state(), 'running')
  assert.is(await answer, 'PONG')
  await n1.pause!()
  await n1.kill()
  assert.is(await n1.state(), 'stopped', 'a paused node can be killed')
  await n1.start()
})

test('a slow node stands still most of the time but counts as running', async ({ cluster }) => {
  const pid = await pidOf(join(runsDir, 'shared'), 'n1')
  const standsStill = async (): Promise<boolean> => (await look(pid))!.state === 'T'
  await node(cluster, 'n1').throttle!(0.1)
  let still = 0
  for (let i = 0; i < 60; i++, await sleep(clock, 3)) if (await standsStill()) still++
  assert.ok(still > 20, `it stood still in ${still} of 60 looks`)
  assert.is(await node(cluster, 'n1').state(), 'running')
  assert.ok(await node(cluster, 'n1').answers(PATIENCE_MS))
  await node(cluster, 'n1').throttle!(1)
  assert.not.ok(await standsStill())
  assert.is(await node(cluster, 'n1').state(), 'running')
})

test('links can be slow: bytes wait, keep their order, and the heal lets them go', async ({ cluster }) => {
  const { links } = cluster
  const link = { from: 'n1', to: 'n2' }
  await links.delay!([link], 60_000, 10)
  assert.not.ok(await links.probe(link, 200))
  await links.heal([link])
  assert.ok(await links.probe(link, PATIENCE_MS))
  await links.limit!([link], 500)
  for (const part of ['first', 'second', 'third']) await ask(cluster, 'n1', `SEND n2 ${part} ${'x'.repeat(1_000)}`, PATIENCE_MS)
  assert.not.ok(await links.probe(link, 200))
  await links.heal([link])
  assert.ok(await links.probe(link, PATIENCE_MS))
  const order = (await heard(cluster, 'n2')).map((text) => text.split(' ')[0]!).filter((text) => /first|second|third/.test(text))
  assert.equal(order, ['n1:first', 'n1:second', 'n1:third'])
})

test('a program that is not there, or dies at once, is one sentence with the end of its log', async () => {
  const broken = (file: string, args: string[]): System => {
    const toy = toySystem()
    return { ...toy, nodes: (ids) => toy.nodes(ids).map((spec) => ({ ...spec, command: () => ({ file, args }) })) }
  }
  assert.match(await fails(start('missing', ['n1'], broken('/no/such/program', []))), /n1 cannot be started: .*ENOENT/)
  const dies = fails(start('dying', ['n1'], broken(process.execPath, ['-e', 'console.error("no license"); process.exit(3)'])))
  assert.match(await dies, 'n1 died while it was starting. Its log ends:\nno license')
  assert.equal(await driver.clean(), [])
})

test('what a killed controller left is ended, stopped nodes too, and a living one is let alone', async ({ cluster }) => {
  const dir = join(runsDir, 'killed', 'then')
  const controller = startController('process', dir, 'killed')
  await controller.up
  const stopped = await pidOf(dir, 'n2')
  await controller.kill()
  await until(async () => (await survivors(dir)).length <= 2)
  assert.ok((await survivors(dir)).includes(stopped), 'a stopped process cannot see that its parent is gone')
  const removed = await driver.clean()
  assert.ok(removed.some((line) => line.includes(`process ${stopped} (n2 of run killed)`)), removed.join('\n'))
  assert.equal(await survivors(dir), [])
  assert.equal(await readdir(join(dir, 'nodes')), ['n1.log', 'n2.log', 'n3.log'])
  assert.equal(await driver.clean(), [])
  assert.match(await fails(driver.clean(cluster.runId)), 'still going on')
  assert.ok(await node(cluster, 'n1').answers(PATIENCE_MS))
})

test.run()
