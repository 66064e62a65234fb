/**
 * A crowd at the doors of one real node: connections that say nothing, that stop in the middle of a command, that trickle
 * one byte at a time, and that ask for large values and read no answer, a quarter each, all at once. Meanwhile a client of
 * good manners must be served, the node's memory must stay bounded, and when the crowd has gone the node has forgotten it.
 * A case is one connection.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { readFile } from 'node:fs/promises'
import { realClock, sleep } from '../../harness/clock.ts'
import { parseAddress } from '../drivers/real/socket-stream.ts'
import type { RespConnection } from '../systems/resp-connection.ts'
import { encodeCommand } from './resp.ts'
import { withProcesses } from './testing/processes.ts'
import type { NodeProcess } from './testing/processes.ts'

const DEADLINE_MS = 10_000
/** Connections opened at a time: the system's queue of those that were not accepted yet is short. */
const OPEN_AT_ONCE = 100
const LARGE_BYTES = 256 * 1024
/** What one rude connection may cost at most, and the node by itself, in bytes of memory. */
const BYTES_PER_CONNECTION = 64 * 1024
const BYTES_ALONE = 256 * 1024 * 1024
const ROUNDS = 20
const FORGET_LIMIT_MS = 10_000

type Manner = (socket: Socket) => void

const half = encodeCommand(['SET', 'half', Buffer.alloc(4_096, 'x')]).subarray(0, 2_048)
const trickled = encodeCommand(['SET', 'trickled', 'value'])

/** How rude connections behave: what each does once it is open, and in each round after that. */
const manners: readonly { readonly name: string; readonly open: Manner; readonly round: (socket: Socket, round: number) => void }[] = [
  { name: 'silent', open: () => undefined, round: () => undefined },
  { name: 'half a command', open: (socket) => void socket.write(half), round: () => undefined },
  { name: 'a byte at a time', open: () => undefined, round: (socket, round) => void socket.write(trickled.subarray(round, round + 1)) },
  { name: 'deaf', open: (socket) => { socket.pause(); socket.write(encodeCommand(['GET', 'large'])) }, round: () => undefined },
]

function opened(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(parseAddress(address))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      socket.resume()
      resolve(socket)
    })
  })
}

/** The node's resident memory, from /proc (proc(5): VmRSS of status). */
async function memoryOf({ child }: NodeProcess): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${child!.pid!}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

/** How many connections the node says that it has. */
async function clientsOf(node: NodeProcess): Promise<number> {
  const admin = await node.connect('admin')
  await admin.ask(['AUTH', 'soak'], DEADLINE_MS)
  const words = ((await admin.ask(['STATS'], DEADLINE_MS)) as Uint8Array[]).map((word) => Buffer.from(word).toString())
  admin.close()
  return Number(words[words.indexOf('clients') + 1])
}

/** One write and one read of the client of good manners: how long both took. */
async function served(client: RespConnection, round: number): Promise<number> {
  const clock = realClock()
  await client.ask(['SET', 'k', String(round)], DEADLINE_MS)
  const read = Buffer.from((await client.ask(['GET', 'k'], DEADLINE_MS)) as Uint8Array).toString()
  if (read !== String(round)) throw new Error(`the client of good manners read ${read}, not ${round}`)
  return clock.now() / 1e6
}

async function run(cases: number, _seed: number, print: (line: string) => void): Promise<boolean> {
  let passed = true
  await withProcesses({ preset: 'one', processes: 1, token: 'soak' }, async ([node]) => {
    const client = await node!.connect('client')
    await client.ask(['SET', 'large', Buffer.alloc(LARGE_BYTES, 'l')], DEADLINE_MS)
    const before = await memoryOf(node!)
    const crowd: Socket[] = []
    while (crowd.length < cases) {
      const more = await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, cases - crowd.length) }, () => opened(node!.addresses.listen.client)))
      for (const socket of more) manners[crowd.push(socket) % manners.length]!.open(socket)
    }
    let most = 0
    let slowestMs = 0
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, socket] of crowd.entries()) manners[(index + 1) % manners.length]!.round(socket, round)
      slowestMs = Math.max(slowestMs, await served(client, round))
      most = Math.max(most, await memoryOf(node!))
    }
    const there = await clientsOf(node!)
    for (const socket of crowd) socket.destroy()
    const clock = realClock()
    let left = there
    while (left > 1 && clock.now() < FORGET_LIMIT_MS * 1e6) {
      await sleep(clock, 100)
      left = await clientsOf(node!)
    }
    client.close()
    const limit = BYTES_ALONE + cases * BYTES_PER_CONNECTION
    const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
    print(`${there - 1} connections, a quarter each ${manners.map(({ name }) => name).join(', ')}: ${ROUNDS} writes and reads of another client answered, the slowest pair in ${Math.round(slowestMs)} ms`)
    print(`memory of the node: ${mib(before)} before, ${mib(most)} at most (limit ${mib(limit)}); ${left - 1} connections left afterwards`)
    passed = there === cases + 1 && left === 1 && most <= limit
  })
  return passed
}

export const soak = {
  name: 'kv-crowd',
  describes: 'thousands of silent, half-sending, trickling and deaf connections to one real node: others are served, memory stays bounded',
  full: 5_000,
  slice: 400,
  run,
}
