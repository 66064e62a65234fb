import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../harness/clock.ts'
import { dialAddress } from '../drivers/real/socket-stream.ts'
import { kvSystem } from '../systems/kv.ts'
import { ReplyError, RespConnection } from '../systems/resp-connection.ts'
import type { NodeAddresses } from '../system.ts'

const ids = ['n1', 'n2', 'n3']
const token = 'the secret of this test'

/** As many ports as are asked for, all free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

interface RunningProcess {
  readonly child: ChildProcess
  readonly addresses: NodeAddresses
  connect(port: 'client' | 'admin'): Promise<RespConnection>
}

async function startProcess(id: string, addresses: NodeAddresses): Promise<RunningProcess> {
  const spec = kvSystem({ preset: 'abd' }).nodes(ids).find((node) => node.id === id)!
  const { file, args, env } = spec.command(addresses)
  const child = spawn(file, args, { env: { ...process.env, ...env, SPLITBRAIN_PARENT: '1' }, stdio: ['pipe', 'pipe', 'ignore'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  assert.is(line.toString(), 'ready\n')
  child.stdout.resume()
  return { child, addresses, connect: async (port) => new RespConnection(await dialAddress(addresses.listen[port], 2000), realClock()) }
}

async function withCluster(body: (nodes: RunningProcess[]) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'kv-main-'))
  const ports = await freePorts(9)
  const host = (port: number): string => `127.0.0.1:${port}`
  const peers = Object.fromEntries(ids.map((id, i) => [id, host(ports[3 * i]!)]))
  const addresses = ids.map((id, i): NodeAddresses => ({
    listen: { peer: peers[id]!, client: host(ports[3 * i + 1]!), admin: host(ports[3 * i + 2]!) },
    peers,
    dataDir: join(dir, id),
    token,
  }))
  const nodes: RunningProcess[] = []
  try {
    nodes.push(...(await Promise.all(ids.map((id, i) => startProcess(id, addresses[i]!)))))
    await body(nodes)
  } finally {
    await Promise.all(nodes.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }))
    await rm(dir, { recursive: true, force: true })
  }
}

test('three processes serve one register, keep it over kill -9 of all of them, and end with their parent or when told to', () =>
  withCluster(async (nodes) => {
    const [a, b] = await Promise.all([nodes[0]!.connect('client'), nodes[1]!.connect('client')])
    assert.is(await a.ask(['SET', 'k', 'v'], 2000), 'OK')
    assert.equal(Buffer.from((await b.ask(['GET', 'k'], 2000)) as Uint8Array).toString(), 'v')
    const stranger = await nodes[2]!.connect('admin')
    const refusal = await stranger.ask(['PEEK', 'k'], 2000).catch((error: unknown) => error)
    assert.instance(refusal, ReplyError)
    assert.match((refusal as ReplyError).message, /^NOAUTH/)
    for (const connection of [a, b, stranger]) connection.close()

    await Promise.all(nodes.map(async ({ child }) => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }))
    nodes.push(...(await Promise.all(nodes.splice(0).map(({ addresses }, i) => startProcess(ids[i]!, addresses)))))
    const again = await nodes[2]!.connect('client')
    assert.equal(Buffer.from((await again.ask(['GET', 'k'], 5000)) as Uint8Array).toString(), 'v')
    again.close()

    nodes[0]!.child.stdin!.end()
    nodes[1]!.child.kill('SIGTERM')
    assert.equal(await Promise.all([once(nodes[0]!.child, 'exit'), once(nodes[1]!.child, 'exit')]), [[0, null], [0, null]])
  }))

test.run()
