/**
 * A toy system for the drivers' tests: every node keeps keys of its own on its disk and passes on what it is told to
 * pass on. One line is one request, on the client port and (after a line with the token) on the admin port:
 * `PING`, `SET key value` (synced), `PUT key value` (not synced), `GET key`, `SEND node text`, `HEARD`, `TICKS`.
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep, withDeadline } from '../../../harness/clock.ts'
import type { Clock, Env, NodeId, PortName, Stream, Table } from '../../../harness/env.ts'
import type { Cluster } from '../../cluster.ts'
import type { Command, NodeAddresses, NodeSpec, RunningNode, System } from '../../system.ts'

/** Lines of a stream, in order. */
function onLines(stream: Stream, handle: (line: string) => void): void {
  let rest = ''
  stream.onData((chunk) => {
    const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
    rest = lines.pop()!
    for (const line of lines) handle(line)
  })
}

class ToyNode {
  readonly #env: Env
  readonly #table: Table
  readonly #heard: string[] = []
  #ticks = 0

  constructor(env: Env, table: Table) {
    this.#env = env
    this.#table = table
    env.network.onMessage((from, message) => this.#heard.push(`${from}:${Buffer.from(message).toString('utf8')}`))
    const tick = (): void => {
      this.#ticks++
      env.clock.after(10, tick)
    }
    tick()
  }

  async answer(line: string): Promise<string> {
    const [verb, first = '', ...more] = line.split(' ')
    switch (verb) {
      case 'PING':
        return 'PONG'
      case 'SET':
      case 'PUT':
        await this.#table.write([{ key: first, value: Buffer.from(more.join(' ')) }], { sync: verb === 'SET' })
        return 'OK'
      case 'GET': {
        const value = await this.#table.get(first)
        return value === undefined ? 'NIL' : Buffer.from(value).toString('utf8')
      }
      case 'SEND':
        this.#env.network.send(first, Buffer.from(more.join(' ')))
        return 'OK'
      case 'HEARD':
        return JSON.stringify(this.#heard)
      case 'TICKS':
        return String(this.#ticks)
      default:
        return `ERROR no such verb: ${verb}`
    }
  }
}

/** Runs one toy node on an Env. */
export async function startToy(env: Env, token: string): Promise<RunningNode> {
  const node = new ToyNode(env, await env.disk.open('keys'))
  const serve = (stream: Stream, port: PortName): void => {
    let admitted = port === 'client'
    let answered: Promise<unknown> = Promise.resolve()
    onLines(stream, (line) => {
      if (!admitted) {
        admitted = line === token
        if (!admitted) stream.close()
        return
      }
      answered = answered.then(async () => stream.write(Buffer.from(`${await node.answer(line)}\n`)))
    })
  }
  await env.network.listen('client', (stream) => serve(stream, 'client'))
  await env.network.listen('admin', (stream) => serve(stream, 'admin'))
  env.log.info('the toy listens')
  return { stop: () => env.network.close() }
}

/** Asks a node one line after another over one connection. */
export class ToyConnection {
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = []
  #broken: Error | undefined

  constructor(stream: Stream, clock: Clock) {
    this.#stream = stream
    this.#clock = clock
    onLines(stream, (line) => this.#waiting.shift()?.resolve(line))
    stream.onClose((error) => {
      this.#broken = error ?? new Error('the node closed the connection')
      for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    })
  }

  static async open(cluster: Cluster, node: NodeId, port: PortName, deadlineMs: number): Promise<ToyConnection> {
    const stream = await cluster.dial(node, port, deadlineMs)
    if (port === 'admin') stream.write(Buffer.from(`${cluster.token}\n`))
    return new ToyConnection(stream, cluster.clock)
  }

  ask(line: string, deadlineMs: number): Promise<string> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const answer = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#stream.write(Buffer.from(`${line}\n`))
    return withDeadline(this.#clock, deadlineMs, answer, () => {
      throw new Error(`no answer to ${line} within ${deadlineMs} ms`)
    })
  }

  close(): void {
    this.#stream.close()
  }
}

/** One question over a connection of its own. */
export async function ask(cluster: Cluster, node: NodeId, line: string, deadlineMs = 2_000, port: PortName = 'client'): Promise<string> {
  const connection = await ToyConnection.open(cluster, node, port, deadlineMs)
  try {
    return await connection.ask(line, deadlineMs)
  } finally {
    connection.close()
  }
}

let probes = 0

async function probe(cluster: Cluster, from: NodeId, to: NodeId, deadlineMs: number): Promise<boolean> {
  const text = `probe-${probes++}`
  const deadline = cluster.clock.now() + deadlineMs * 1e6
  await ask(cluster, from, `SEND ${to} ${text}`, deadlineMs, 'admin')
  while (cluster.clock.now() < deadline) {
    if ((await ask(cluster, to, 'HEARD', deadlineMs, 'admin')).includes(`"${from}:${text}"`)) return true
    await sleep(cluster.clock, 5)
  }
  return false
}

/** The program that runs one node as a process: `toy-main`, under tsx as long as it is not compiled. */
function command(id: NodeId, addresses: NodeAddresses): Command {
  const extension = extname(fileURLToPath(import.meta.url))
  const program = fileURLToPath(new URL(`./toy-main${extension}`, import.meta.url))
  return { file: process.execPath, args: [...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []), program], env: { TOY: JSON.stringify({ id, addresses }) } }
}

/** The toy as a system under test. */
export function toySystem(): System {
  return {
    name: 'toy',
    expected: 'eventual',
    promise: 'every node keeps its own keys',
    functions: [],
    nodes: (ids) => ids.map((id): NodeSpec => ({ id, command: (addresses) => command(id, addresses), start: startToy })),
    client: () => {
      throw new Error('the toy has no clients: ask() it')
    },
    ping: async (cluster, node, deadlineMs) => (await ask(cluster, node, 'PING', deadlineMs)) === 'PONG',
    probe,
  }
}
