/**
 * How long a node needs to join a cluster that holds many keys, how much memory and processor time the nodes take
 * meanwhile, and how long a client of a member waits for its reads. The members' disks are filled before they start, all with the same cells.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { LevelDisk } from '../../drivers/real/level-disk.ts'
import type { RespConnection } from '../../systems/resp-connection.ts'
import type { MembersReply } from '../membership/commands.ts'
import { withProcesses } from '../testing/processes.ts'
import type { NodeProcess } from '../testing/processes.ts'
import { entryName, fillWith, spread } from './large-store.ts'
import { cpuSecondsOf } from './servers.ts'

const TOKEN = 'benchmark'
const DEADLINE_MS = 5_000
const LOOK_MS = 100
/** A member is up this long before the join begins: it has looked through its disk. */
const SETTLE_MS = 3_000

/** The most memory that a process has had, in MiB (proc(5): VmHWM). */
async function peakMemory({ child }: NodeProcess): Promise<number> {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${child!.pid!}/status`, 'utf8'))!
  return Math.round(Number(kib) / 1024)
}

async function cpuSeconds(nodes: readonly NodeProcess[]): Promise<number> {
  return (await Promise.all(nodes.map(({ child }) => cpuSecondsOf(child!.pid!)))).reduce((sum, one) => sum + one, 0)
}

async function admin(node: NodeProcess): Promise<RespConnection> {
  const connection = await node.connect('admin')
  await connection.ask(['AUTH', TOKEN], DEADLINE_MS)
  return connection
}

/** Who the members are, as this node says on a connection of its own: it may be too busy to answer. */
async function membersAt(node: NodeProcess): Promise<MembersReply | undefined> {
  const connection = await admin(node).catch(() => undefined)
  const reply = await connection?.ask(['MEMBERS'], DEADLINE_MS).catch(() => undefined)
  connection?.close()
  return reply instanceof Uint8Array ? (JSON.parse(Buffer.from(reply).toString()) as MembersReply) : undefined
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Reads one key after the other until `ended`; resolves to how long each read took, in milliseconds, the shortest first. */
async function readMeanwhile(node: NodeProcess, keys: number, ended: () => boolean): Promise<readonly number[]> {
  const connection = await node.connect('client')
  const tookMs: number[] = []
  for (const index of spread(Number.MAX_SAFE_INTEGER, keys)) {
    if (ended() || connection.broken) break
    const began = performance.now()
    // What a read took that fails counts as well.
    await connection.ask(['GET', entryName(index)], DEADLINE_MS).catch(() => undefined)
    tookMs.push(performance.now() - began)
  }
  connection.close()
  return tookMs.sort((a, b) => a - b)
}

/** Has the last of these nodes join the others; resolves to how many seconds that took, or Infinity. */
async function join(nodes: readonly NodeProcess[], limitS: number): Promise<number> {
  const connection = await admin(nodes[0]!)
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  await connection.ask(['ADMIT', `n${nodes.length}`], DEADLINE_MS)
  connection.close()
  await nodes.at(-1)!.start()
  for (;;) {
    await pause(LOOK_MS)
    const said = await membersAt(nodes[0]!)
    if (said?.next === null && said.members.length === nodes.length) return seconds()
    if (seconds() > limitS) return Number.POSITIVE_INFINITY
  }
}

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { preset: { type: 'string', multiple: true, default: ['paxos'] }, keys: { type: 'string', default: '500000' }, bytes: { type: 'string', default: '100' }, limit: { type: 'string', default: '300' } },
  })
  const fill = { entries: Number(values.keys), bytes: Number(values.bytes), random: 1 }
  for (const preset of values.preset) {
    await withProcesses({ preset, processes: 3, spares: 1, token: TOKEN, prepare: (dir) => fillWith(new LevelDisk(dir), fill) }, async (nodes) => {
      await pause(SETTLE_MS)
      const before = await Promise.all(nodes.slice(0, 3).map(peakMemory))
      const cpuBefore = await cpuSeconds(nodes.slice(0, 3))
      let ended = false
      const reading = readMeanwhile(nodes[0]!, fill.entries, () => ended)
      const seconds = await join(nodes, Number(values.limit))
      ended = true
      const tookMs = await reading
      const after = await Promise.all(nodes.map(peakMemory))
      const took = Number.isFinite(seconds) ? `${seconds.toFixed(1)} s` : `not done after ${values.limit} s`
      print(`${preset}, ${fill.entries.toLocaleString('en')} keys of ${fill.bytes} bytes: ${took}; members at most ${Math.max(...after.slice(0, 3))} MiB (before: ${Math.max(...before)}), who joined ${after[3]!} MiB`)
      print(`  processor time: members ${(await cpuSeconds(nodes.slice(0, 3)) - cpuBefore).toFixed(1)} s, who joined ${(await cpuSeconds(nodes.slice(3))).toFixed(1)} s`)
      print(`  ${tookMs.length.toLocaleString('en')} reads meanwhile: ${tookMs[tookMs.length >>> 1]!.toFixed(1)} ms in the middle, p99 ${tookMs[Math.floor(tookMs.length * 0.99)]!.toFixed(0)} ms, at most ${tookMs.at(-1)!.toFixed(0)} ms`)
    })
  }
}

export const bench = {
  name: 'kv-join',
  describes: 'a node joins three that hold many keys: time, memory, processor time, reads meanwhile [--preset P]... [--keys N] [--bytes N] [--limit SECONDS]',
  run: main,
}
