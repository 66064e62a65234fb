/** What a node of the store offers to strangers, on real processes: where it listens, and whom its ports for peers and for the harness let in. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { BlockList, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { realClock } from '../../harness/clock.ts'
import type { Log } from '../../harness/env.ts'
import { seededRandom } from '../../harness/random.ts'
import type { Cluster, Driver } from '../cluster.ts'
import { netnsDriver } from '../drivers/netns/driver.ts'
import { HUB } from '../drivers/netns/layout.ts'
import { processDriver } from '../drivers/process/driver.ts'
import { DIR_VARIABLE, processesWith } from '../drivers/process/proc.ts'
import { encodeFrames } from '../drivers/real/frames.ts'
import { parseAddress } from '../drivers/real/socket-stream.ts'
import { openSocketsOf } from '../drivers/testing/sockets.ts'
import type { OpenSocket } from '../drivers/testing/sockets.ts'
import { encodeCommand } from '../kv/resp.ts'
import { withProcesses } from '../kv/testing/processes.ts'
import type { NodeProcess } from '../kv/testing/processes.ts'
import { kvSystem } from './kv.ts'

const clock = realClock()
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
/** Long enough for a loaded machine; nothing waits for it when all is well. */
const PATIENCE_MS = 20_000
const NODES = ['n1', 'n2', 'n3']
/** For clients, for peers, for the harness. */
const PORTS = 3

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** The network that each run in namespaces has to itself. */
const ownNetwork = new BlockList()
ownNetwork.addSubnet(HUB, 24)

/** Runs `body` with three nodes on a driver, and removes everything. */
async function withCluster(make: (options: { readonly runsDir: string }) => Driver, body: (cluster: Cluster, dir: string) => Promise<void>): Promise<void> {
  const runsDir = await mkdtemp(join(tmpdir(), 'splitbrain-ports-'))
  const dir = join(runsDir, 'run')
  try {
    const cluster = await make({ runsDir }).start(kvSystem({ preset: 'abd' }), { runId: `ports-${process.pid}`, nodes: NODES, dir, seed: 1, random: seededRandom(1), log: silent })
    try {
      await body(cluster, dir)
    } finally {
      await cluster.stop()
    }
  } finally {
    await rm(runsDir, { recursive: true, force: true })
  }
}

/** Every socket that a process of the run is open at. */
async function openSockets(dir: string): Promise<readonly OpenSocket[]> {
  return (await Promise.all((await processesWith([`${DIR_VARIABLE}=${dir}`])).map(openSocketsOf))).flat()
}

/** Whether the nodes listen at all of their ports, and nothing of theirs anywhere else. */
async function listenOnlyIn(network: BlockList, dir: string): Promise<void> {
  const sockets = await openSockets(dir)
  assert.equal(sockets.filter(({ address, family }) => !network.check(address, family)), [])
  assert.is(sockets.filter(({ table }) => table.startsWith('tcp')).length, NODES.length * PORTS)
}

/** Says this to a port, and resolves to all that it answers until it closes, or until that is `enough`. */
function said(address: string, bytes: Uint8Array, enough: (heard: readonly Buffer[]) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const heard: Buffer[] = []
    const socket = connect(parseAddress(address), () => socket.write(bytes))
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('it was not closed')))
    // A socket that is closed before it was read to the end is reset.
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)))
    socket.on('data', (chunk) => {
      heard.push(chunk)
      if (enough(heard)) socket.destroy()
    })
    socket.on('close', () => resolve(Buffer.concat(heard).toString()))
  })
}

async function adminRefusesStrangers(cluster: Cluster): Promise<void> {
  const address = cluster.address('n1', 'admin')!
  const peek = encodeCommand(['PEEK', 'k'])
  assert.match(await said(address, peek), /^-NOAUTH [^\r]*\r\n$/, 'no token')
  assert.match(await said(address, Buffer.concat([encodeCommand(['AUTH', 'guess']), peek])), /^-WRONGPASS [^\r]*\r\n$/, 'a wrong token')
  const answered = await said(address, Buffer.concat([encodeCommand(['AUTH', cluster.token]), peek]), (heard) => heard.join('').split('\r\n').length > 2)
  assert.match(answered, /^\+OK\r\n\*1\r\n/, 'the token')
}

/** How a peer introduces itself. */
function hello(token: string, id: string): Buffer {
  return Buffer.concat([createHash('sha256').update(`splitbrain peer ${token}`).digest(), Buffer.from(id)])
}

/** Resolves when the node's log has so many lines with this text. */
function logSays({ child }: NodeProcess, text: string, times: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    const timer = clock.after(PATIENCE_MS, () => reject(new Error(`the log does not say "${text}" ${times} times: ${log}`)))
    child!.stderr!.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.split(text).length <= times) return
      timer.cancel()
      resolve()
    })
  })
}

if (process.platform === 'linux') {
  test('nodes as processes listen on loopback alone, and their admin ports refuse strangers', () =>
    withCluster(processDriver, async (cluster, dir) => {
      await listenOnlyIn(loopback, dir)
      await adminRefusesStrangers(cluster)
    }))
} else console.log('skipped: where processes listen is read from /proc, which Linux has')

const { cut } = await netnsDriver({ runsDir: tmpdir() }).capabilities()
if (cut.available) {
  test("nodes in network namespaces listen in the run's own network alone, and their admin ports refuse strangers", () =>
    withCluster(netnsDriver, async (cluster, dir) => {
      await listenOnlyIn(ownNetwork, dir)
      await adminRefusesStrangers(cluster)
    }))
} else console.log(`skipped: ${cut.reason}`)

test('the port for peers closes without an answer on whoever has no token or another, and the log says so', () =>
  withProcesses({ preset: 'abd', processes: 2, token: 'secret' }, async ([node]) => {
    const { peer } = node!.addresses.listen
    const strangers = [Buffer.from('let me in'), hello('guess', 'n2'), hello('secret', 'n3')]
    const logged = logSays(node!, 'a connection to the peer port was refused: its hello is not of this run', strangers.length)
    for (const first of strangers) assert.is(await said(peer, encodeFrames([first, Buffer.from('more')])), '')
    await logged
    assert.is.not(await said(peer, encodeFrames([hello('secret', 'n2')]), (heard) => heard.length > 0), '', 'a peer gets a receipt')
  }))

test.run()
