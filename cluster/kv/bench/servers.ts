/**
 * Servers to be measured side by side: nodes of our store, of etcd, or one Redis, as processes on loopback, each with
 * its data in the same file system; and what processor time they have used.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../drivers/real/ports.ts'
import { dialAddress } from '../../drivers/real/socket-stream.ts'
import { etcdSystem } from '../../systems/etcd.ts'
import { kvSystem } from '../../systems/kv.ts'
import type { KvOptions } from '../../systems/kv.ts'
import type { Command, NodeAddresses } from '../../system.ts'

/** Servers that run: where clients connect, and how much processor time all of them have used, in seconds. */
export interface Servers {
  readonly addresses: readonly string[]
  readonly pids: readonly number[]
  cpuSeconds(): Promise<number>
}

const READY_TRIES = 200
const READY_PAUSE_MS = 50
/** A node that has just begun to listen may still have to elect a leader. */
const SETTLE_MS = 2_000
const CLOCK_TICKS = 100

/** Runs `body` with so many nodes of the store. */
export function withStore(options: KvOptions & { readonly processes: number }, body: (servers: Servers) => Promise<void>): Promise<void> {
  return withNodes(options.processes, (ids) => kvSystem(options).nodes(ids).map((spec) => (addresses) => spec.command(addresses)), body)
}

/** Runs `body` with an etcd of so many members. It syncs its log before it confirms, and reads are linearizable. */
export function withEtcd(processes: number, body: (servers: Servers) => Promise<void>): Promise<void> {
  return withNodes(processes, (ids) => etcdSystem('linearizable').nodes(ids).map((spec) => (addresses) => spec.command(addresses)), body)
}

/** Runs `body` with one Redis in memory: no snapshots, no log. */
export function withRedis(body: (servers: Servers) => Promise<void>): Promise<void> {
  const command = ({ listen }: NodeAddresses): Command => ({ file: 'redis-server', args: ['--port', listen.client.split(':').pop()!, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'] })
  return withNodes(1, () => [command], body)
}

async function withNodes(count: number, commands: (ids: readonly string[]) => ((addresses: NodeAddresses) => Command)[], body: (servers: Servers) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-bench-'))
  const ids = Array.from({ length: count }, (_, i) => `n${i + 1}`)
  const ports = await freePorts(3 * count)
  const at = (index: number): string => `127.0.0.1:${ports[index]!}`
  const listen = ids.map((_, i) => ({ peer: at(3 * i), client: at(3 * i + 1), admin: at(3 * i + 2) }))
  const peers = Object.fromEntries(ids.map((id, i) => [id, listen[i]!.peer]))
  const shared = Object.fromEntries(ids.map((id, i) => [id, listen[i]!]))
  const children = commands(ids).map((command, i) => {
    const { file, args, env } = command({ listen: listen[i]!, peers, shared, dataDir: join(dir, ids[i]!), token: 'benchmark' })
    return spawn(file, args, { env: { ...process.env, ...env, SPLITBRAIN_PARENT: '1' }, stdio: ['pipe', 'ignore', 'ignore'] })
  })
  const pids = children.map(({ pid }) => pid!)
  try {
    for (const { client } of listen) await untilAccepts(client)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await body({ addresses: listen.map(({ client }) => client), pids, cpuSeconds: async () => (await Promise.all(pids.map(cpuSecondsOf))).reduce((sum, one) => sum + one, 0) })
  } finally {
    await Promise.all(children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }))
    await rm(dir, { recursive: true, force: true })
  }
}

async function untilAccepts(address: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return (await dialAddress(address, 1_000)).close()
    } catch (error) {
      if (tries === READY_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, READY_PAUSE_MS))
    }
  }
}

/** User and system time of a process, from /proc (proc(5): fields 14 and 15 of stat). */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS
}
