/**
 * The note node as a system under test, for tests of drivers: `request` talks to one node, `probe` passes a token.
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NodeId } from '../../../../harness/env.ts'
import { ClusterError } from '../../../cluster.ts'
import type { Cluster } from '../../../cluster.ts'
import type { NodeSpec, System } from '../../../system.ts'
import { dialAddress } from '../../real/socket-stream.ts'

const PROGRAM = fileURLToPath(new URL(`./note-node${extname(import.meta.url)}`, import.meta.url))

/** Sends one line to a node's client port and hands back the line that it answers. */
export async function request(cluster: Cluster, node: NodeId, line: string, deadlineMs = 5000): Promise<string> {
  const stream = await dialAddress(cluster.address(node, 'client') ?? '', deadlineMs)
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new ClusterError('silent', `${node} did not answer ${line}.`)), deadlineMs)
      let text = ''
      stream.onData((chunk) => {
        text += Buffer.from(chunk).toString()
        if (!text.includes('\n')) return
        clearTimeout(timer)
        resolve(text.slice(0, text.indexOf('\n')))
      })
      stream.onClose(() => {
        clearTimeout(timer)
        reject(new ClusterError('closed', `${node} closed the connection.`))
      })
      stream.write(Buffer.from(`${line}\n`))
    })
  } finally {
    stream.close()
  }
}

let tokens = 0

/** Sends a token from one node and asks the other until it has it. */
export async function passes(cluster: Cluster, from: NodeId, to: NodeId, deadlineMs: number): Promise<boolean> {
  const token = `token-${++tokens}`
  const deadline = performance.now() + deadlineMs
  const left = (): number => Math.max(1, deadline - performance.now())
  await request(cluster, from, `PASS ${to} ${token}`, left()).catch(() => undefined)
  while (performance.now() < deadline) {
    if ((await request(cluster, to, `GOT ${token}`, left()).catch(() => 'no')) === 'yes') return true
  }
  return false
}

/** The note system. */
export function noteSystem(image: NodeSpec['image'] = { program: PROGRAM }): System {
  return {
    name: 'note',
    expected: 'linearizable',
    promise: 'One note per node; nothing is replicated.',
    functions: ['read', 'write'],
    oneWayConnections: true,
    nodes: (ids) =>
      ids.map((id) => ({
        id,
        ...(image === undefined ? {} : { image }),
        command: ({ listen, peers, dataDir }) => ({
          file: process.execPath,
          args: [PROGRAM],
          env: { NOTE_NODE: JSON.stringify({ listen, peers, dataDir }) },
        }),
      })),
    client: () => {
      throw new ClusterError('no-client', 'The note system is talked to with request().')
    },
    probe: passes,
  }
}
