/**
 * `splitbrain cluster status`: a line for each node of a cluster that was started by hand.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { dialAddress } from '../../cluster/drivers/real/socket-stream.ts'
import type { MembersReply } from '../../cluster/kv/membership/commands.ts'
import { TOKENS } from '../../cluster/kv/partitioner.ts'
import { findPreset, presetConfigs } from '../../cluster/kv/presets.ts'
import { Ring, hashedTokens } from '../../cluster/kv/ring.ts'
import { RespConnection } from '../../cluster/systems/resp-connection.ts'
import { realClock } from '../clock.ts'
import { runningCluster, type ClusterFile } from '../cluster-folder.ts'

const ASK_DEADLINE_MS = 1_000
/** Places on the ring that are looked at to tell each node's share. */
const SAMPLES = 20_000
const TITLES = [['node', 6], ['address', 18], ['health', 8], ['member', 9], ['owns', 8], ['bytes', 12], ['hints', 8], ['suspects', 10], ['clients', 8]] as const

/** What one node says of itself. */
interface Answer {
  readonly stats: ReadonlyMap<string, string>
  readonly members: MembersReply
}

/** Prints who is there, who is a member, who owns how much of the ring, and what each holds and keeps. Resolves to the exit code. */
export async function clusterStatus(): Promise<number> {
  const { dir, cluster } = await runningCluster()
  const answers = await Promise.all(cluster.nodes.map(({ admin }) => ask(admin, cluster.token).catch(() => undefined)))
  const view = answers.map((answer) => answer?.members).filter((members) => members !== undefined).reduce<MembersReply | undefined>((newest, members) => (newest === undefined || members.epoch > newest.epoch ? members : newest), undefined)
  const shares = view === undefined ? undefined : ownership(cluster, view)
  console.log(`${cluster.preset}, ${cluster.nodes.length} nodes, kept by process ${cluster.pid}${view === undefined || view.next === null ? '' : `; the members will be ${view.next.join(', ')}`}\n`)
  console.log(TITLES.map(([title, width]) => title.padEnd(width)).join(''))
  for (const [i, { id, client }] of cluster.nodes.entries()) {
    const stats = answers[i]?.stats
    const cells = [id, client, stats === undefined ? 'down' : 'up', standing(view, id), shares?.get(id) ?? '-', String(await bytesBelow(path.join(dir, 'nodes', id))), ...['hints_pending', 'suspected', 'clients'].map((name) => stats?.get(name) ?? '-')]
    console.log(cells.map((cell, at) => cell.padEnd(TITLES[at]![1])).join(''))
  }
  return answers.every((answer) => answer !== undefined) ? 0 : exitCodes.unknown
}

/** Whether a node is a member, or about to be one or not to be one any more. */
function standing(view: MembersReply | undefined, id: string): string {
  if (view === undefined) return '-'
  const [now, soon] = [view.members, view.next ?? view.members].map((nodes) => nodes.includes(id))
  if (now === soon) return now ? 'yes' : 'no'
  return now ? 'leaving' : 'joining'
}

async function ask(address: string, token: string): Promise<Answer> {
  const connection = new RespConnection(await dialAddress(address, ASK_DEADLINE_MS), realClock())
  try {
    await connection.ask(['AUTH', token], ASK_DEADLINE_MS)
    const words = ((await connection.ask(['STATS'], ASK_DEADLINE_MS)) as Uint8Array[]).map((word) => Buffer.from(word).toString())
    const members = Buffer.from((await connection.ask(['MEMBERS'], ASK_DEADLINE_MS)) as Uint8Array).toString()
    return { stats: new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!] as const] : []))), members: JSON.parse(members) as MembersReply }
  } finally {
    connection.close()
  }
}

/** Which share of the ring each member is the first replica of; undefined where a directory says who that is. */
function ownership({ preset, token, overrides }: ClusterFile, { members, tokens }: MembersReply): ReadonlyMap<string, string> | undefined {
  const { lookup, virtual_nodes: virtualNodes } = presetConfigs(findPreset(preset), members, token, overrides)[0]!
  if (lookup === 'directory') return undefined
  const ring = new Ring({ nodes: members, replicas: 1, virtualNodes, tokensOf: (node) => tokens[node] ?? hashedTokens(node, virtualNodes) })
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
