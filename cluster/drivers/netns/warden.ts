/**
 * The warden: first process of a cluster's user, process and network namespaces. It sets up the network, starts and
 * signals the nodes, feeds their packet filters, and opens connections that it then hands to the controller whole (a
 * socket stays in the network it was made in, whoever holds it), so that no byte between a client and a node passes
 * through here. When the controller is done, the warden ends; when it is killed, the kernel ends the warden. With the
 * warden everything in the namespaces ends, stopped processes too.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { execa } from 'execa'
import { realClock } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { NodeId } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import { FuseDisk } from '../fuse/disk.ts'
import { NodeProcess } from '../process/node-process.ts'
import { parseAddress } from '../real/socket-stream.ts'
import { LocalDetours } from '../docker/detours.ts'
import { HUB, addressOf, namespaceOf, placeOf, setupScript } from './layout.ts'
import type { Answer, Request } from './messages.ts'

/** A node's machine: its processes, its network, and its disk where it has one of its own. */
interface Machine {
  readonly process: NodeProcess
  readonly namespace: string
  readonly disk: FuseDisk | undefined
}

const nodes = new Map<NodeId, Machine>()

/** Bits and delays are drawn anew in every run: no two runs of real processes meet the same bytes anyway. */
const detours = new LocalDetours(HUB, seededRandom(process.pid), (id) => addressOf(placeOf(id, [...nodes.keys()].indexOf(id)), 'peer'))

function node(id: NodeId): Machine {
  const found = nodes.get(id)
  if (found === undefined) throw new ClusterError('unknown-node', `there is no node ${id} in this cluster; its nodes are ${[...nodes.keys()].join(', ')}`)
  return found
}

function diskOf(id: NodeId): FuseDisk {
  const { disk } = node(id)
  if (disk === undefined) throw new ClusterError('no-disk', `${id} has no disk of its own`)
  return disk
}

/** A program in the network of a node. nsenter becomes that program: the process is the node's own. */
function inside(id: NodeId, program: readonly string[]): string[] {
  return [`--net=/run/netns/${node(id).namespace}`, '--', ...program]
}

async function open({ runId, dir, nodes: all, disks }: Extract<Request, { type: 'open' }>['ask']): Promise<void> {
  await execa('sh', ['-e'], { input: setupScript(all.length) })
  for (const [index, { id, dataDir, logFile }] of all.entries()) {
    const options = { id, runId, dir, dataDir, logFile, clock: realClock(), started: () => undefined }
    nodes.set(id, { namespace: namespaceOf(index), process: new NodeProcess(options), disk: disks ? await FuseDisk.mount(dataDir, options.clock) : undefined })
  }
}

function dial(address: string, deadlineMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(parseAddress(address))
    // Until the hand-over is acknowledged both of us hold the socket: if we read, bytes that are the controller's would be lost.
    socket.pause()
    const late = setTimeout(() => socket.destroy(new Error(`no connection to ${address} within ${deadlineMs} ms`)), deadlineMs)
    socket.once('error', reject)
    socket.once('close', () => clearTimeout(late))
    socket.once('connect', () => {
      clearTimeout(late)
      resolve(socket)
    })
  })
}

/** Carries a request out. A socket in the answer is handed over. */
async function serve(request: Request): Promise<{ result: unknown; socket?: Socket }> {
  const { type, ask } = request
  switch (type) {
    case 'open':
      await open(ask)
      return { result: null }
    case 'spawn': {
      const { file, args, env } = ask.command
      await node(ask.node).process.spawn({ file: 'nsenter', args: inside(ask.node, [file, ...args]), ...(env === undefined ? {} : { env }) })
      return { result: null }
    }
    case 'kill':
    case 'terminate':
    case 'pause':
    case 'resume':
      await node(ask.node).process[type]()
      return { result: null }
    case 'throttle':
      await node(ask.node).process.throttle(ask.share)
      return { result: null }
    case 'spoil':
      await diskOf(ask.node).set(ask.fault)
      return { result: null }
    case 'trial':
      return { result: await diskOf(ask.node).trial() }
    case 'lose':
      return { result: await diskOf(ask.node).lose(ask.tear) }
    case 'squeeze':
      await node(ask.node).process.squeeze(ask.squeezed)
      return { result: null }
    case 'state':
      return { result: await node(ask.node).process.state() }
    case 'log':
      return { result: await node(ask.node).process.log() }
    case 'feed':
      return { result: (await execa('nsenter', inside(ask.node, ask.program), { input: ask.input })).stdout }
    case 'detour':
      if (ask.effects !== null) return { result: await detours.lead(ask.link, ask.effects) }
      await detours.leave(ask.link)
      return { result: '' }
    case 'struck':
      return { result: await detours.struck(ask.link) }
    case 'dial':
      return { result: null, socket: await dial(ask.address, ask.deadlineMs) }
  }
}

function answer(reply: Answer, socket?: Socket): void {
  if (process.connected) process.send?.(reply, socket, {}, () => undefined)
}

process.on('message', (request: Request) => {
  serve(request).then(
    ({ result, socket }) => answer({ id: request.id, type: 'result', result }, socket),
    (error: unknown) => {
      const { message } = error as Error
      answer({ id: request.id, type: 'error', code: error instanceof ClusterError ? error.code : 'warden', message })
    },
  )
})
process.on('disconnect', () => process.exit(0))
