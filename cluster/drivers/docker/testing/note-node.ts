/**
 * The smallest node that a driver can be tested with: it keeps one note on disk, and passes tokens to its peers over
 * one TCP connection per direction.
 *
 * Client port, one line per request: `PING`, `WRITE text`, `READ`, `PASS peer token` (sends the token), `GOT token`
 * (whether it has arrived here), `WORK n` (the share of a processor that n rounds of arithmetic were given), `FLOOD peer
 * bytes`, `FLOODED`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

interface Configuration {
  readonly listen: { readonly client: string; readonly peer: string }
  readonly peers: Readonly<Record<string, string>>
  readonly dataDir: string
}

const configuration = JSON.parse(process.env['NOTE_NODE'] ?? '{}') as Configuration
const note = join(configuration.dataDir, 'note')
const arrived = new Set<string>()
let flooded = 0

const endpoint = (address: string): { host: string; port: number } => {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

function onLines(socket: Socket, handle: (line: string) => string | undefined): void {
  socket.on('error', () => socket.destroy())
  createInterface({ input: socket }).on('line', (line) => {
    const reply = handle(line)
    if (reply !== undefined) socket.write(`${reply}\n`)
  })
}

/** Sends text to a peer over a connection of its own. */
function send(peer: string, text: string): void {
  const socket = connect(endpoint(configuration.peers[peer] ?? '127.0.0.1:1'))
  socket.on('error', () => socket.destroy())
  socket.end(text)
}

function work(rounds: number): number {
  const started = performance.now()
  const used = process.cpuUsage()
  for (let sum = 0, round = 0; round < rounds; round++) sum = Math.sqrt(sum + round)
  return process.cpuUsage(used).user / 1000 / (performance.now() - started)
}

function readNote(): string {
  try {
    return readFileSync(note, 'utf8')
  } catch {
    return ''
  }
}

const requests: Readonly<Record<string, (...words: string[]) => string>> = {
  PING: () => '+PONG',
  WRITE: (...words) => {
    mkdirSync(configuration.dataDir, { recursive: true })
    writeFileSync(note, words.join(' '), { flush: true })
    return 'written'
  },
  READ: () => readNote(),
  PASS: (peer = '', token = '') => {
    send(peer, `${token}\n`)
    return 'sent'
  },
  GOT: (token = '') => (arrived.has(token) ? 'yes' : 'no'),
  WORK: (rounds) => String(work(Number(rounds))),
  FLOOD: (peer = '', bytes) => {
    send(peer, '.'.repeat(Number(bytes)))
    return 'sent'
  },
  FLOODED: () => String(flooded),
}

const clients = createServer((socket) =>
  onLines(socket, (line) => {
    const [word = '', ...rest] = line.trim().split(' ')
    return requests[word]?.(...rest) ?? '-unknown request'
  }),
)
const peers = createServer((socket) => {
  socket.on('data', (chunk: Buffer) => (flooded += chunk.length))
  onLines(socket, (line) => void arrived.add(line))
})

peers.listen(endpoint(configuration.listen.peer), () => {
  clients.listen(endpoint(configuration.listen.client), () => console.log('ready'))
})
