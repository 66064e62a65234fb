import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { suite, test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../../../harness/random.ts'
import type { NodeId } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { Cluster, ClusterPlan, Link, Node } from '../../cluster.ts'
import { dockerDriver } from './driver.ts'
import type { DockerDriverOptions } from './driver.ts'
import { connectEngines } from './engine.ts'
import { labels } from './labels.ts'
import { containerNamespace } from './namespace.ts'
import type { Mechanism } from './namespace.ts'
import { noteSystem, passes, request } from './testing/note-system.ts'
import { HERE, whyNoEngines, withEngine } from './testing/own-engine.ts'

const PROBE_MS = 400
const engineMissing = await connectEngines().then((engines) => engines.forEach((engine) => engine.close())).catch((error: Error) => error.message)
const required = process.env['SPLITBRAIN_REQUIRE_DOCKER'] === '1'

let runs = 0
const plan = (nodes: readonly NodeId[], runId = `test-${process.pid}-${++runs}`): ClusterPlan => ({
  runId,
  nodes,
  dir: '',
  seed: runs,
  random: seededRandom(process.pid + runs),
  log: { info: () => undefined, warn: (line) => console.warn(line), error: (line) => console.error(line) },
})

/** Everything on the engine that carries this run's label. */
async function leftOf(runId: string, hosts: readonly string[] = []): Promise<string[]> {
  const filters = { label: [`${labels.run}=${runId}`] }
  const left: string[] = []
  for (const { docker, close } of await connectEngines(hosts)) {
    const [containers, networks, volumes] = await Promise.all([docker.listContainers({ all: true, filters }), docker.listNetworks({ filters }), docker.listVolumes({ filters })])
    left.push(...containers.map(({ Names }) => Names.join()), ...networks.map(({ Name }) => Name), ...volumes.Volumes.map(({ Name }) => Name))
    close()
  }
  return left
}

/** Clusters that several tests share: a start and a stop in containers take seconds. */
const shared = new Map<Mechanism, Promise<Cluster>>()

function sharedCluster(mechanism: Mechanism): Promise<Cluster> {
  const started = shared.get(mechanism) ?? dockerDriver({ mechanism }).start(noteSystem(), plan(['n1', 'n2', 'n3']))
  shared.set(mechanism, started)
  return started
}

const node = (cluster: Cluster, id: NodeId): Node => cluster.nodes.find((candidate) => candidate.id === id)!
const both = (a: NodeId, b: NodeId): Link[] => [{ from: a, to: b }, { from: b, to: a }]

/** Which of these links pass a message now, as "n1>n2". */
async function passing(cluster: Cluster, ...pairs: [NodeId, NodeId][]): Promise<string[]> {
  const seen = await Promise.all(pairs.map(([from, to]) => passes(cluster, from, to, PROBE_MS)))
  return pairs.filter((_, index) => seen[index]).map(([from, to]) => `${from}>${to}`)
}

async function until(claim: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await holds())) assert.ok(performance.now() < deadline, `${claim}, within ${deadlineMs} ms`)
}

async function partitionsAreReal(cluster: Cluster): Promise<void> {
  const all: [NodeId, NodeId][] = [['n1', 'n2'], ['n2', 'n1'], ['n1', 'n3'], ['n3', 'n1'], ['n2', 'n3'], ['n3', 'n2']]
  assert.is((await passing(cluster, ...all)).length, 6, 'all links pass before')

  await cluster.links.cut([...both('n1', 'n2'), ...both('n1', 'n3')])
  assert.equal(await passing(cluster, ...all), ['n2>n3', 'n3>n2'], 'n1 is alone')
  assert.ok(await node(cluster, 'n1').answers(1000), 'and still answers clients')
  await cluster.links.heal()
  assert.is((await passing(cluster, ...all)).length, 6, 'all links pass after')

  await cluster.links.cut([{ from: 'n1', to: 'n2' }])
  assert.equal(await passing(cluster, ['n1', 'n2'], ['n2', 'n1'], ['n1', 'n3']), ['n2>n1', 'n1>n3'], 'one way is really one way')
  await node(cluster, 'n2').kill()
  await node(cluster, 'n2').start()
  assert.equal(await passing(cluster, ['n1', 'n2'], ['n2', 'n1']), ['n2>n1'], 'a restart does not open a cut link')
  await cluster.links.heal([{ from: 'n1', to: 'n2' }])
  assert.equal(await passing(cluster, ['n1', 'n2']), ['n1>n2'])

  await cluster.links.cut([{ from: 'clients', to: 'n3' }])
  assert.not(await node(cluster, 'n3').answers(PROBE_MS), 'clients are cut off')
  assert.equal(await passing(cluster, ['n1', 'n2'], ['n2', 'n1']), ['n1>n2', 'n2>n1'], 'and only they')
  await cluster.links.heal()
  assert.ok(await node(cluster, 'n3').answers(1000))
}

const containers = suite('docker')

containers('a partition bites, is directed, outlives a restart, and heals (nsenter)', async () => partitionsAreReal(await sharedCluster('nsenter')))
containers('a partition bites, is directed, outlives a restart, and heals (through the engine)', async () => partitionsAreReal(await sharedCluster('exec')))

containers('a killed node keeps its data and nothing else; a paused one answers nobody', async () => {
  const cluster = await sharedCluster('nsenter')
  const n1 = node(cluster, 'n1')
  assert.is(await request(cluster, 'n1', 'WRITE kept over death'), 'written')
  await n1.kill()
  assert.is(await n1.state(), 'stopped')
  assert.not(await n1.answers(PROBE_MS))
  assert.not(await passes(cluster, 'n2', 'n1', PROBE_MS))
  await n1.start()
  assert.is(await n1.state(), 'running')
  assert.is(await request(cluster, 'n1', 'READ'), 'kept over death')
  assert.is(await request(cluster, 'n2', 'READ'), '', 'the other node has a disk of its own')

  await n1.pause!()
  assert.is(await n1.state(), 'paused')
  assert.not(await n1.answers(PROBE_MS))
  await n1.resume!()
  assert.ok(await n1.answers(1000))

  await n1.pause!()
  await n1.kill()
  assert.is(await n1.state(), 'stopped', 'a paused node can be killed')
  await n1.start()

  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-test-'))
  await cluster.collectLogs(dir)
  assert.is(await readFile(join(dir, 'n1.log'), 'utf8'), 'ready\nready\nready\n', "a node's log covers all its lives")
  await rm(dir, { recursive: true })
})

containers('a throttled node and a limited link are as slow as asked', async () => {
  const cluster = await sharedCluster('nsenter')
  const n1 = node(cluster, 'n1')
  if (n1.throttle !== undefined) {
    await n1.throttle(0.1)
    const share = Number(await request(cluster, 'n1', 'WORK 5000000'))
    assert.ok(share < 0.2, `given ${share} of a processor`)
    await n1.throttle(1)
  }

  const bytes = 100_000
  const perSecond = 200_000
  await cluster.links.limit!([{ from: 'n1', to: 'n2' }], perSecond)
  const started = performance.now()
  await request(cluster, 'n1', `FLOOD n2 ${bytes}`)
  await until('the bytes arrive', 10_000, async () => Number(await request(cluster, 'n2', 'FLOODED')) >= bytes)
  const tookMs = performance.now() - started
  assert.ok(tookMs > (0.7 * 1000 * bytes) / perSecond, `${bytes} bytes at ${perSecond} per second took ${tookMs} ms`)

  await cluster.links.heal()
  await cluster.links.lose!([{ from: 'n1', to: 'n2' }], 1)
  assert.equal(await passing(cluster, ['n1', 'n2'], ['n2', 'n1']), ['n2>n1'], 'a link that loses everything passes nothing')
  await cluster.links.lose!([{ from: 'n1', to: 'n2' }], 0)
  assert.equal(await passing(cluster, ['n1', 'n2']), ['n1>n2'])
})

/** Starts a controller of its own that cuts n1 from n2, and kills it with SIGKILL. Hands back its clients' addresses. */
async function killedController(runId: string, leaseMs: number): Promise<Record<string, string>> {
  const program = fileURLToPath(new URL(`./testing/doomed-controller${extname(import.meta.url)}`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, runId, String(leaseMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const addresses = await new Promise<Record<string, string>>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as Record<string, string>))
    child.once('exit', () => reject(new Error('the controller ended before it was killed')))
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  return addresses
}

containers("a killed controller's cuts end by themselves, and clean removes its run and no other", async () => {
  const beside = await sharedCluster('nsenter')
  const runId = `test-${process.pid}-doomed`
  const addresses = await killedController(runId, 3000)
  const orphan = { address: (id: NodeId) => addresses[id] } as unknown as Cluster
  assert.not(await passes(orphan, 'n1', 'n2', PROBE_MS), 'the cut outlives the controller')
  await until('the cut ends with its lease', 10_000, () => passes(orphan, 'n1', 'n2', PROBE_MS))

  assert.is((await leftOf(runId)).length, 7, 'two nodes: four containers, two volumes, one network')
  const removed = await dockerDriver().clean()
  assert.is(removed.filter((line) => line.includes(runId)).length, 7)
  assert.equal(await leftOf(runId), [])
  assert.ok(await node(beside, 'n1').answers(1000), 'a run whose controller lives is not touched')
  assert.not(removed.some((line) => line.includes(beside.runId)))
})

containers('a start that fails says why in a sentence and leaves nothing', async () => {
  const failing = async (options: DockerDriverOptions, image: Parameters<typeof noteSystem>[0], code: string, words: RegExp): Promise<void> => {
    const attempt = plan(['n1'])
    try {
      await dockerDriver(options).start(noteSystem(image), attempt)
      assert.unreachable('it started')
    } catch (error) {
      assert.instance(error, ClusterError)
      assert.is((error as ClusterError).code, code)
      assert.match((error as ClusterError).message, words)
    }
    assert.equal(await leftOf(attempt.runId), [])
  }
  await failing({}, 'splitbrain.invalid/none:1', 'image-missing', /Build it or pull it/)
  await failing({}, { program: '/nowhere/main.js' }, 'program-missing', /npm run build/)
  await failing({}, { executables: [] }, 'node-ended', /Its last words/)
})

/** What the kernel lets a container have, read inside it: control groups of the first kind or of the second. */
const INSIDE = `cd /sys/fs/cgroup
for file in memory/memory.limit_in_bytes memory.max; do [ -e $file ] && read memory <$file; done
for file in pids/pids.max pids.max; do [ -e $file ] && read pids <$file; done
echo $memory $pids`

containers('a node gets the resources that it is granted and no more', async () => {
  const cluster = await dockerDriver({ limits: { cpus: 0.5, memoryMb: 200, pids: 60 } }).start(noteSystem(), plan(['n1']))
  const [engine] = await connectEngines()
  try {
    const container = engine!.docker.getContainer(`splitbrain-${cluster.runId}-n1`)
    const { HostConfig } = await container.inspect()
    assert.is(HostConfig.Memory, 200 * 2 ** 20)
    assert.is(HostConfig.PidsLimit, 60)
    assert.is(HostConfig.CpuQuota! / HostConfig.CpuPeriod!, 0.5)
    assert.is((await containerNamespace(container).feed(['sh', '-c', INSIDE], '')).trim(), `${200 * 2 ** 20} 60`, 'inside')
    const share = Number(await request(cluster, 'n1', 'WORK 20000000'))
    assert.ok(share < 0.65, `given ${share} of a processor`)
  } finally {
    engine!.close()
    await cluster.stop()
  }
})

containers('two runs of one name do not mix', async () => {
  const cluster = await sharedCluster('nsenter')
  try {
    await dockerDriver().start(noteSystem(), plan(['n1'], cluster.runId))
    assert.unreachable('it started')
  } catch (error) {
    assert.is((error as ClusterError).code, 'name-clash')
    assert.match((error as ClusterError).message, /splitbrain clean/)
  }
  assert.ok(await node(cluster, 'n1').answers(1000), 'the first run goes on')
})

containers('a stopped cluster leaves nothing', async () => {
  const clusters = (await Promise.allSettled(shared.values())).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  assert.is(clusters.length, 2)
  await Promise.all(clusters.map((cluster) => cluster.stop()))
  for (const { runId } of clusters) assert.equal(await leftOf(runId), [])
})

containers('a cluster spread over several engines can be partitioned like one on a single engine', async () => {
  const obstacle = await whyNoEngines()
  if (obstacle !== undefined) return console.log(`skip: ${obstacle}`)
  await withEngine([], async (second) => {
    const hosts = [HERE, second]
    const cluster = await dockerDriver({ hosts }).start(noteSystem(), plan(['n1', 'n2', 'n3']))
    try {
      await partitionsAreReal(cluster)
    } finally {
      await cluster.stop()
    }
    assert.equal(await leftOf(cluster.runId, hosts), [])
  })
})

containers('what can be done is found out by trying', async () => {
  const report = await dockerDriver().capabilities()
  for (const name of ['kill', 'restart', 'pause', 'cut', 'lose', 'limit'] as const) assert.ok(report[name].available, `${name}: ${report[name].reason}`)
  for (const { reason } of Object.values(report)) assert.ok(reason.length > 5)
})

test('containers can be tested here', () => {
  if (engineMissing === undefined) return
  assert.not(required, `SPLITBRAIN_REQUIRE_DOCKER=1, but: ${engineMissing}`)
  console.log(`skip: ${engineMissing}`)
})

test.run()
if (engineMissing === undefined) containers.run()
