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
import { DIR_VARIABLE, processesWith } from '../process/proc.ts'
import { dialAddress } from '../real/socket-stream.ts'
import { startController } from '../testing/controllers.ts'
import { ToyConnection, ask, toySystem } from '../testing/toy.ts'
import { netnsDriver } from './driver.ts'

const clock = realClock()
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
/** Long enough for a loaded machine; nothing waits for it when all is well. */
const PATIENCE_MS = 10_000

const runsDir = await mkdtemp(join(tmpdir(), 'splitbrain-netns-'))
const driver = netnsDriver({ runsDir })
const { cut, lose, limit } = await driver.capabilities()

function start(name: string, system: System = toySystem()): Promise<Cluster> {
  const plan: ClusterPlan = { runId: `test-${name}`, nodes: ['n1', 'n2', 'n3'], dir: join(runsDir, name), seed: 1, random: seededRandom(1), log: silent }
  return driver.start(system, plan)
}

async function fails(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'no error', (error: Error) => error.message)
}

/** Processes of a run, wherever they are. */
const processesOf = (name: string): Promise<number[]> => processesWith([`${DIR_VARIABLE}=${join(runsDir, name)}`])

const test = suite<{ cluster: Cluster }>('nodes in network namespaces')
const node = (cluster: Cluster, id: string): Node => cluster.nodes.find((one) => one.id === id)!
const heard = async (cluster: Cluster, id: string): Promise<string[]> => JSON.parse(await ask(cluster, id, 'HEARD', PATIENCE_MS, 'admin')) as string[]
/** A claim that needs the machine to have network namespaces. */
const claim = cut.available ? test : test.skip

if (cut.available) {
  test.before(async (context) => {
    context.cluster = await start('shared', { ...toySystem(), oneWayConnections: true })
  })
  test.after(async ({ cluster }) => {
    await cluster.stop()
    assert.equal(await readdir(join(runsDir, 'shared', 'nodes')), ['n1.log', 'n2.log', 'n3.log'], 'the logs stay, the data goes')
    assert.equal(await processesOf('shared'), [])
    assert.equal(await driver.clean(), [])
    await rm(runsDir, { recursive: true })
  })
} else {
  console.log(`skipped: ${cut.reason}`)
  test('a machine that cannot make network namespaces is refused with the reason', async () => {
    assert.match(await fails(start('refused')), cut.reason)
  })
}

claim('nodes answer on both ports, through handed-over sockets and through doors on 127.0.0.1', async ({ cluster }) => {
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS), 'PONG')
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS, 'admin'), 'PONG')
  const outside = new ToyConnection(await dialAddress(cluster.address('n1', 'client')!, PATIENCE_MS), clock)
  assert.is(await outside.ask('PING', PATIENCE_MS), 'PONG')
  outside.close()
})

claim('a cut is directed, leaves other links alone, and heals', async ({ cluster }) => {
  const { links } = cluster
  await links.cut([{ from: 'n1', to: 'n2' }])
  await ask(cluster, 'n1', 'SEND n2 into the cut', PATIENCE_MS)
  assert.not.ok(await links.probe({ from: 'n1', to: 'n2' }, 200))
  assert.ok(await links.probe({ from: 'n2', to: 'n1' }, PATIENCE_MS))
  assert.ok(await links.probe({ from: 'n1', to: 'n3' }, PATIENCE_MS))
  assert.not.ok((await heard(cluster, 'n2')).includes('n1:into the cut'))
  await links.heal([{ from: 'n1', to: 'n2' }])
  assert.ok(await links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS))
  assert.ok((await heard(cluster, 'n2')).includes('n1:into the cut'), 'TCP has retransmitted it')
})

claim('a system without a probe of its own is probed by connections between the namespaces', async () => {
  const { probe: _, ...mute } = toySystem()
  const other = await start('mute', mute)
  await other.links.cut([{ from: 'n1', to: 'n2' }, { from: 'n2', to: 'n1' }])
  assert.not.ok(await other.links.probe({ from: 'n1', to: 'n2' }, 300))
  assert.ok(await other.links.probe({ from: 'n3', to: 'n1' }, PATIENCE_MS))
  await other.links.heal()
  assert.ok(await other.links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS))
  await other.stop()
})

claim('clients cut from a node get nothing through; the admin port does not care', async ({ cluster }) => {
  const connection = await ToyConnection.open(cluster, 'n1', 'client', PATIENCE_MS)
  await cluster.links.cut([{ from: 'clients', to: 'n1' }])
  const answer = connection.ask('PING', 60_000)
  assert.match(await fails(cluster.dial('n1', 'client', 200)), 'no connection')
  assert.is(await ask(cluster, 'n1', 'PING', PATIENCE_MS, 'admin'), 'PONG')
  await node(cluster, 'n2').kill()
  await cluster.links.cut([{ from: 'clients', to: 'n2' }])
  await node(cluster, 'n2').start()
  await cluster.links.heal()
  assert.is(await answer, 'PONG')
  assert.ok(await node(cluster, 'n2').answers(PATIENCE_MS))
})

claim('a killed node is gone, refuses, and comes back from its disk at the same address', async ({ cluster }) => {
  const n2 = node(cluster, 'n2')
  await ask(cluster, 'n2', 'PUT key value', PATIENCE_MS)
  await n2.kill()
  assert.is(await n2.state(), 'stopped')
  assert.match(await fails(cluster.dial('n2', 'client', PATIENCE_MS)), 'ECONNREFUSED')
  await n2.start()
  assert.is(await ask(cluster, 'n2', 'GET key', PATIENCE_MS), 'value')
  assert.ok(await cluster.links.probe({ from: 'n1', to: 'n2' }, PATIENCE_MS))
})

claim('a paused node does not answer and goes on where it stood; a slow one counts as running', async ({ cluster }) => {
  const n1 = node(cluster, 'n1')
  const connection = await ToyConnection.open(cluster, 'n1', 'client', PATIENCE_MS)
  await n1.pause!()
  assert.is(await n1.state(), 'paused')
  assert.not.ok(await n1.answers(200))
  const answer = connection.ask('PING', 60_000)
  await n1.resume!()
  assert.is(await answer, 'PONG')
  await n1.throttle!(0.2)
  assert.is(await n1.state(), 'running')
  await n1.throttle!(1)
  assert.ok(await n1.answers(PATIENCE_MS))
})

claim('links lose packets and are limited where the kernel can', async ({ cluster }) => {
  const link = { from: 'n1', to: 'n3' }
  if (lose.available) {
    await cluster.links.lose!([link], 1)
    assert.not.ok(await cluster.links.probe(link, 200))
    await cluster.links.heal([link])
    assert.ok(await cluster.links.probe(link, PATIENCE_MS))
  }
  if (limit.available) {
    await cluster.links.limit!([link], 2_000)
    for (let i = 0; i < 4; i++) await ask(cluster, 'n1', `SEND n3 ${'x'.repeat(5_000)}`, PATIENCE_MS)
    assert.not.ok(await cluster.links.probe(link, 500))
    await cluster.links.heal([link])
    assert.ok(await cluster.links.probe(link, PATIENCE_MS))
  }
})

claim('a program that is not there, or dies at once, is one sentence with the end of its log', async () => {
  const broken = (file: string, args: string[]): System => {
    const toy = toySystem()
    return { ...toy, nodes: (ids) => toy.nodes(ids).map((spec) => ({ ...spec, command: () => ({ file, args }) })) }
  }
  assert.match(await fails(start('missing', broken('/no/such/program', []))), /n1 died while it was starting.*No such file/s)
  assert.match(await fails(start('dying', broken(process.execPath, ['-e', 'console.error("no license"); process.exit(3)']))), 'Its log ends:\nno license')
  assert.equal([...(await processesOf('missing')), ...(await processesOf('dying'))], [])
})

claim('everything ends with a killed controller, stopped nodes too', async ({ cluster }) => {
  const dir = join(runsDir, 'killed')
  const controller = startController('netns', dir, 'killed')
  await controller.up
  assert.ok((await processesOf('killed')).length > 3)
  await controller.kill()
  for (const since = clock.now(); (await processesOf('killed')).length > 0; await sleep(clock, 10)) {
    assert.ok(clock.now() - since < PATIENCE_MS * 1e6, 'processes are left')
  }
  assert.ok((await driver.clean()).every((line) => line.startsWith('data of')), 'only its data was left')
  assert.ok(await node(cluster, 'n1').answers(PATIENCE_MS))
})

claim('a killed controller takes a warden with it that hears nothing', async () => {
  const dir = join(runsDir, 'deaf')
  const controller = startController('netns', dir, 'deaf')
  await controller.up
  const [recorded] = JSON.parse(await readFile(join(dir, 'pids.json'), 'utf8')) as { pid: number }[]
  const [warden] = (await readFile(`/proc/${recorded!.pid}/task/${recorded!.pid}/children`, 'utf8')).split(' ')
  process.kill(Number(warden), 'SIGSTOP')
  await controller.kill()
  for (const since = clock.now(); (await processesOf('deaf')).length > 0; await sleep(clock, 10)) {
    assert.ok(clock.now() - since < PATIENCE_MS * 1e6, 'processes are left')
  }
  await driver.clean()
})

test.run()
