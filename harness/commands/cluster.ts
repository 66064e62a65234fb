/**
 * `splitbrain cluster`: our own store as processes, to try by hand with redis-cli. `start` keeps it until Ctrl-C, or
 * with --background until `cluster stop`; `status` asks every node; `add` and `remove` change its members while it runs.
 */
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import path from 'node:path'
import type { Choices } from '../../cluster/kv/config.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { findPreset, presets } from '../../cluster/kv/presets.ts'
import type { System } from '../../cluster/system.ts'
import { kvSystem } from '../../cluster/systems/kv.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { realClock, sleep } from '../clock.ts'
import { askControl, serveControl } from '../cluster-control.ts'
import { clusterIn, forgetCluster, runningCluster, saveCluster, type ClusterFile } from '../cluster-folder.ts'
import { choose, type Arguments, type Command } from '../command.ts'
import { seededRandom } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { checkChoices, choicesOf, setOption } from './plan-options.ts'
import { clusterStatus } from './cluster-status.ts'
import { createRunFolder } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'

const ACTIONS = ['start', 'status', 'add', 'remove', 'stop'] as const
const NODES = 5
const SPARES = 3
const START_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 10_000
/** How long a change of members may take. */
const CHANGE_DEADLINE_MS = 600_000

export const clusterCommand: Command = {
  name: 'cluster',
  arguments: ['ACTION', '[NODE]'],
  describes: 'Keeps a cluster of our own store to try by hand. ACTION is start, status, add, remove NODE or stop; redis-cli -p PORT works against any node.',
  options: {
    preset: { value: 'NAME', describes: 'configuration (splitbrain presets lists them)', default: 'dynamo' },
    nodes: { value: 'N', describes: 'how many nodes', default: String(NODES) },
    replicas: { value: 'N', describes: 'nodes that hold each key', default: "the preset's" },
    racks: { value: 'N', describes: 'racks in each data center', default: "the preset's" },
    dcs: { value: 'N', describes: 'data centers', default: "the preset's" },
    set: setOption,
    spares: { value: 'N', describes: 'machines that may join later with splitbrain cluster add', default: String(SPARES) },
    replace: { value: 'NODE', describes: 'with add: the dead member whose place the new one takes' },
    background: { describes: 'return as soon as the nodes answer; splitbrain cluster stop ends them' },
  },
  async execute(args) {
    switch (choose('action', args.positionals[0]!, ACTIONS)) {
      case 'start':
        await refuseSecond()
        return args.flag('background') ? startInBackground(args) : start(args)
      case 'status':
        return clusterStatus()
      case 'add':
        return change(['add', ...(args.text('replace') === undefined ? [] : [args.text('replace')!])])
      case 'remove':
        if (args.positionals[1] === undefined) throw new UsageError('splitbrain cluster remove takes the name of a node, as splitbrain cluster status shows it.')
        return change(['remove', args.positionals[1]])
      case 'stop':
        return stop()
    }
  },
}

/** What the options change of the preset. */
function overridesOf(args: Arguments): Choices {
  const given = { racks: args.integer('racks', { min: 1, max: 99 }), data_centers: args.integer('dcs', { min: 1, max: 99 }) }
  return { ...choicesOf(args), ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<string, number>) }
}

function idsOf(args: Arguments): string[] {
  return Array.from({ length: args.integer('nodes', { min: 1, max: 99 }) ?? NODES }, (_, i) => `n${i + 1}`)
}

/** The other actions speak to the one cluster of this folder. Throws UsageError where there is one. */
async function refuseSecond(): Promise<void> {
  const running = await runningCluster().catch(() => undefined)
  if (running !== undefined) throw new UsageError(`A cluster of ${running.cluster.preset} runs here already (process ${running.cluster.pid}, ${path.relative(process.cwd(), running.dir)}): end it with splitbrain cluster stop, or start another one in another folder.`)
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
  const system = kvSystem({ preset, overrides })
  const spares = system.membership === undefined ? [] : Array.from({ length: args.integer('spares', { min: 0, max: 20 }) ?? SPARES }, (_, i) => `n${ids.length + i + 1}`)
  const cluster = await (await makeDriver({ driver: 'process' }, realClock())).start(system, { runId: `cluster${process.pid}`, nodes: ids, spares, dir, seed, random: seededRandom(seed), log })
  const save = async (control: string): Promise<ClusterFile> => {
    const file: ClusterFile = { schema: 'splitbrain-cluster/1', preset, pid: process.pid, control, token: cluster.token, nodes: cluster.nodes.map(({ id }) => ({ id, client: cluster.address(id, 'client')!, admin: cluster.address(id, 'admin')! })), overrides }
    await saveCluster(dir, file)
    return file
  }
  const { server, address } = await serveControl(cluster.token, async (words) => {
    const text = await changeMembers(cluster, system, words)
    await save(address)
    return text
  })
  try {
    printAddresses(await save(address))
    console.log('Ctrl-C or splitbrain cluster stop ends it.')
    await interrupted()
  } finally {
    server.close()
    await forgetCluster(dir)
    await cluster.stop()
  }
  return 0
}

/** In the process that keeps the cluster: `add`, `add` in the place of a dead member, `remove`. Resolves to what came of it. */
async function changeMembers(cluster: Cluster, system: System, [action, node]: readonly string[]): Promise<string> {
  const { membership } = cluster
  if (membership === undefined) throw new Error(`the members of this cluster cannot change: ${system.fixedMembers ?? 'its system does not say how'}`)
  if (action === 'remove') {
    await membership.leave(node!, CHANGE_DEADLINE_MS)
    return `${node} is no member any more: the others hold what it held.`
  }
  const [fresh] = membership.spares
  if (fresh === undefined) throw new Error('there is no spare machine left; start the cluster with more --spares')
  if (node === undefined) await membership.join(fresh, CHANGE_DEADLINE_MS)
  else await membership.replace!(node, fresh, CHANGE_DEADLINE_MS)
  await system.membership!.settled?.(cluster, fresh, CHANGE_DEADLINE_MS)
  return `${fresh} is a member${node === undefined ? '' : ` in the place of ${node}`} and has what is its own: redis-cli -p ${cluster.address(fresh, 'client')!.split(':')[1]}`
}

/** Asks the process that keeps the cluster. */
async function change(words: readonly string[]): Promise<number> {
  const { cluster } = await runningCluster()
  if (words[0] === 'remove' && !cluster.nodes.some(({ id }) => id === words[1])) throw new UsageError(`There is no node ${words[1]} in this cluster; there are ${cluster.nodes.map(({ id }) => id).join(', ')}.`)
  const { ok, text } = await askControl(cluster.control, cluster.token, words)
  if (ok) console.log(text)
  else console.error(text)
  return ok ? 0 : exitCodes.crash
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
