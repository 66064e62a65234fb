/**
 * How other commands reach the process that keeps a cluster started by hand: a port of its own on the loopback, one
 * line of JSON each way, behind the cluster's token.
 */
import { timingSafeEqual } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const requestSchema = z.strictObject({ token: z.string(), words: z.array(z.string().max(100)).max(10) })
const replySchema = z.strictObject({ ok: z.boolean(), text: z.string() })

/** Listens for commands; `carryOut` resolves to what to print, or rejects with a sentence. Resolves to the server and where it listens. */
export async function serveControl(token: string, carryOut: (words: readonly string[]) => Promise<string>): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    createInterface({ input: socket }).once('line', (line) => void answer(socket, line, token, carryOut))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function answer(socket: Socket, line: string, token: string, carryOut: (words: readonly string[]) => Promise<string>): Promise<void> {
  let reply: z.output<typeof replySchema>
  try {
    const request = requestSchema.parse(JSON.parse(line))
    const [given, expected] = [Buffer.from(request.token), Buffer.from(token)]
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Error('this is not the token of the cluster')
    reply = { ok: true, text: await carryOut(request.words) }
  } catch (error) {
    reply = { ok: false, text: (error as Error).message }
  }
  socket.end(`${JSON.stringify(reply)}\n`)
}

/** Has the process that keeps a cluster carry a command out. Resolves to what it has to say, and whether it was done. */
export function askControl(address: string, token: string, words: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host!, port: Number(port) })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the process that keeps the cluster has ended')))
    createInterface({ input: socket }).once('line', (line) => resolve(replySchema.parse(JSON.parse(line))))
    socket.write(`${JSON.stringify({ token, words })}\n`)
  })
}
