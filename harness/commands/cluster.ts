/**
 * `splitbrain cluster`: our own store as processes, to try by hand with redis-cli. `start` keeps it until Ctrl-C, or
 * with --background until `cluster stop`; `status` asks every node.
 */
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Choices } from '../../cluster/kv/config.ts'
import { TOKENS } from '../../cluster/kv/partitioner.ts'
import { findPreset, presetConfigs, presets } from '../../cluster/kv/presets.ts'
import { Ring } from '../../cluster/kv/ring.ts'
import { dealtOut, topologyPlacement } from '../../cluster/kv/topology.ts'
import { kvSystem } from '../../cluster/systems/kv.ts'
import { RespConnection } from '../../cluster/systems/resp-connection.ts'
import { dialAddress } from '../../cluster/drivers/real/socket-stream.ts'
import { exitCodes } from '../../checker/verdict.ts'
import { realClock, sleep } from '../clock.ts'
import { clusterIn, forgetCluster, runningCluster, saveCluster, type ClusterFile } from '../cluster-folder.ts'
import { choose, type Arguments, type Command } from '../command.ts'
import { seededRandom } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { checkChoices, choicesOf, setOption } from './plan-options.ts'
import { createRunFolder } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'

const ACTIONS = ['start', 'status', 'stop'] as const
const NODES = 5
const START_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 10_000
const ASK_DEADLINE_MS = 1_000
/** Places on the ring that are looked at to tell each node's share. */
const SAMPLES = 20_000

export const clusterCommand: Command = {
  name: 'cluster',
  arguments: ['ACTION'],
  describes: 'Keeps a cluster of our own store to try by hand. ACTION is start, status or stop; redis-cli -p PORT works against any node.',
  options: {
    preset: { value: 'NAME', describes: 'configuration (splitbrain presets lists them)', default: 'dynamo' },
    nodes: { value: 'N', describes: 'how many nodes', default: String(NODES) },
    replicas: { value: 'N', describes: 'nodes that hold each key', default: "the preset's" },
    racks: { value: 'N', describes: 'racks in each data center', default: "the preset's" },
    dcs: { value: 'N', describes: 'data centers', default: "the preset's" },
    set: setOption,
    background: { describes: 'return as soon as the nodes answer; splitbrain cluster stop ends them' },
  },
  async execute(args) {
    switch (choose('action', args.positionals[0]!, ACTIONS)) {
      case 'start':
        return args.flag('background') ? startInBackground(args) : start(args)
      case 'status':
        return status()
      case 'stop':
        return stop()
    }
  },
}

/** What the options change of the preset. */
function overridesOf(args: Arguments): Choices {
  const given = { replicas: args.integer('replicas', { min: 1, max: 99 }), racks: args.integer('racks', { min: 1, max: 99 }), data_centers: args.integer('dcs', { min: 1, max: 99 }) }
  return { ...choicesOf(args), ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<string, number>) }
}

function idsOf(args: Arguments): string[] {
  return Array.from({ length: args.integer('nodes', { min: 1, max: 99 }) ?? NODES }, (_, i) => `n${i + 1}`)
}

async function start(args: Arguments): Promise<number> {
  const preset = choose('preset', args.text('preset') ?? 'dynamo', Object.keys(presets))
  const overrides = overridesOf(args)
  const ids = idsOf(args)
  if ((overrides.replicas ?? 1) > ids.length) throw new UsageError(`--replicas ${overrides.replicas} needs that many nodes, and there are ${ids.length}: raise --nodes.`)
  checkChoices(preset, ids, overrides)
  const dir = await createRunFolder('cluster', Date.now())
  const seed = process.pid
  const log = { info: () => undefined, warn: (line: string) => console.error(line), error: (line: string) => console.error(line) }
  const cluster = await makeDriver({ driver: 'process' }, realClock()).start(kvSystem({ preset, overrides }), { runId: `cluster${process.pid}`, nodes: ids, dir, seed, random: seededRandom(seed), log })
  try {
    const nodes = ids.map((id) => ({ id, client: cluster.address(id, 'client')!, admin: cluster.address(id, 'admin')! }))
    await saveCluster(dir, { schema: 'splitbrain-cluster/1', preset, pid: process.pid, token: cluster.token, nodes, overrides })
    printAddresses({ preset, nodes })
    console.log('Ctrl-C or splitbrain cluster stop ends it.')
    await interrupted()
  } finally {
    await forgetCluster(dir)
    await cluster.stop()
  }
  return 0
}

function printAddresses({ preset, nodes }: Pick<ClusterFile, 'preset' | 'nodes'>): void {
  console.log(`${preset}: ${findPreset(preset).promise}\n`)
  for (const { id, client } of nodes) console.log(`${id.padEnd(5)}${client.padEnd(18)}redis-cli -p ${client.split(':')[1]}`)
  console.log('')
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

/** The same command without --background in a process of its own, which outlives this one. */
async function startInBackground(args: Arguments): Promise<number> {
  const folder = await createRunFolder('cluster-log', Date.now())
  const log = openSync(path.join(folder, 'controller.log'), 'a')
  const words = args.words.filter((word) => word !== '--background')
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...words], { detached: true, stdio: ['ignore', log, log] })
  child.unref()
  let ended: number | null = null
  child.once('exit', (code) => (ended = code ?? exitCodes.crash))
  const clock = realClock()
  for (const since = clock.now(); clock.now() - since < START_DEADLINE_MS * 1e6; await sleep(clock, 100)) {
    const running = await runningCluster().catch(() => undefined)
    if (running !== undefined && running.cluster.pid === child.pid) {
      printAddresses(running.cluster)
      console.log('splitbrain cluster stop ends it.')
      return 0
    }
    if (ended !== null) break
  }
  console.error(`The cluster did not start; ${path.relative(process.cwd(), folder)}/controller.log says why.`)
  return ended ?? exitCodes.crash
}

async function stop(): Promise<number> {
  const { dir, cluster } = await runningCluster()
  process.kill(cluster.pid, 'SIGTERM')
  const clock = realClock()
  for (const since = clock.now(); clock.now() - since < STOP_DEADLINE_MS * 1e6; await sleep(clock, 50)) {
    if ((await clusterIn(dir)) === undefined) {
      console.log(`Stopped ${cluster.nodes.length} nodes.`)
      return 0
    }
  }
  console.error(`The cluster (process ${cluster.pid}) has not stopped within ${STOP_DEADLINE_MS / 1000} s; end it, then splitbrain clean.`)
  return exitCodes.crash
}

/** One line a node: is it there, what is its share, what does it hold and keep. */
async function status(): Promise<number> {
  const { dir, cluster } = await runningCluster()
  const shares = ownership(cluster)
  console.log(`${cluster.preset}, ${cluster.nodes.length} nodes, kept by process ${cluster.pid}\n`)
  console.log(['node', 'address', 'health', 'owns', 'bytes', 'hints', 'suspects', 'clients'].map((title, i) => title.padEnd(WIDTHS[i]!)).join(''))
  let healthy = true
  for (const { id, client, admin } of cluster.nodes) {
    const stats = await statsOf(admin, cluster.token).catch(() => undefined)
    healthy &&= stats !== undefined
    const cells = [id, client, stats === undefined ? 'down' : 'up', shares?.get(id) ?? '-', String(await bytesBelow(path.join(dir, 'nodes', id))), ...['hints_pending', 'suspected', 'clients'].map((name) => stats?.get(name) ?? '-')]
    console.log(cells.map((cell, i) => cell.padEnd(WIDTHS[i]!)).join(''))
  }
  return healthy ? 0 : exitCodes.unknown
}
const WIDTHS = [6, 18, 8, 8, 12, 8, 10, 8] as const

async function statsOf(address: string, token: string): Promise<ReadonlyMap<string, string>> {
  const connection = new RespConnection(await dialAddress(address, ASK_DEADLINE_MS), realClock())
  try {
    await connection.ask(['AUTH', token], ASK_DEADLINE_MS)
    const words = ((await connection.ask(['STATS'], ASK_DEADLINE_MS)) as Uint8Array[]).map((word) => Buffer.from(word).toString())
    return new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!] as const] : [])))
  } finally {
    connection.close()
  }
}

/** Which share of the ring each node is the first replica of; undefined where nodes find keys in another way. */
function ownership({ preset, nodes, token, overrides }: ClusterFile): ReadonlyMap<string, string> | undefined {
  const ids = nodes.map((node) => node.id)
  const config = presetConfigs(findPreset(preset), ids, token, overrides)[0]!
  if (config.lookup !== 'ring') return undefined
  const ring = new Ring({ nodes: ids, replicas: config.replicas, virtualNodes: config.virtual_nodes, placement: topologyPlacement(dealtOut(ids, config.data_centers, config.racks)) })
  const owned = new Map<string, number>()
  for (let i = 0; i < SAMPLES; i++) {
    const [first] = ring.replicas(Math.floor((i / SAMPLES) * TOKENS))
    owned.set(first!, (owned.get(first!) ?? 0) + 1)
  }
  return new Map([...owned].map(([id, count]) => [id, `${((100 * count) / SAMPLES).toFixed(1)} %`]))
}

async function bytesBelow(dir: string): Promise<number> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true }).catch(() => [])
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => stat(path.join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
