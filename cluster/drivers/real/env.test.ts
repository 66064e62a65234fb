import { connect, createServer } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Stream, Timer } from '../../../harness/env.ts'
import { realClock } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import { PeerLink, encodeReceipt } from './peer-link.ts'
import { freePorts } from './ports.ts'
import type { RealEnv } from './env.ts'
import { realEnv } from './env.ts'
import { FRAME_BYTES_MAX, FrameReader, encodeFrames } from './frames.ts'
import { dialAddress } from './socket-stream.ts'

interface World {
  dir: string
  ports: number[]
  envs: RealEnv[]
}

const test = suite<World>('the real world')

test.before.each(async (world) => {
  world.dir = await mkdtemp(join(tmpdir(), 'splitbrain-env-'))
  world.ports = await freePorts(6)
  world.envs = []
})

test.after.each(async (world) => {
  await Promise.all(world.envs.map((env) => env.close()))
  await rm(world.dir, { recursive: true })
})

/** Node n1 or n2 of a cluster of two. */
async function open(world: World, id: 'n1' | 'n2', token = 'secret'): Promise<RealEnv> {
  const at = (port: number): string => `127.0.0.1:${world.ports[port]!}`
  const base = id === 'n1' ? 0 : 3
  const env = await realEnv({
    id,
    seed: 1,
    addresses: {
      listen: { peer: at(base), client: at(base + 1), admin: at(base + 2) },
      peers: id === 'n1' ? { n2: at(3) } : { n1: at(0) },
      dataDir: join(world.dir, id),
      token,
    },
  })
  world.envs.push(env)
  return env
}

/** The next message, or what came of `count` messages. */
function messages(env: RealEnv, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const heard: string[] = []
    env.network.onMessage((from, message) => {
      heard.push(`${from}:${Buffer.from(message).toString()}`)
      if (heard.length === count) resolve(heard)
    })
  })
}

test('messages reach a peer in order, whole and whatever their size, and oneself', async (world) => {
  const [n1, n2] = [await open(world, 'n1'), await open(world, 'n2')]
  assert.equal(n1.network.nodes, ['n1', 'n2'])
  const sizes = [0, 1, 3, 4, 70_000, 5, 2_000_000, 1]
  const heard = messages(n2, sizes.length)
  for (const size of sizes) n1.network.send('n2', Buffer.alloc(size, 'x'))
  assert.equal((await heard).map((text) => text.length - 'n1:'.length), sizes)
  const mine = messages(n1, 1)
  n1.network.send('n1', Buffer.from('myself'))
  assert.equal(await mine, ['n1:myself'])
  n1.network.send('n9', Buffer.from('nobody'))
})

test('a peer that starts later hears what was sent before, and one that comes back hears again', async (world) => {
  const n1 = await open(world, 'n1')
  n1.network.send('n2', Buffer.from('early'))
  const n2 = await open(world, 'n2')
  assert.equal(await messages(n2, 1), ['n1:early'])
  await n2.close()
  const again = await open(world, 'n2')
  const heard = messages(again, 1)
  let sending = true
  const send = (): void => {
    n1.network.send('n2', Buffer.from('again'))
    if (sending) n1.clock.after(5, send)
  }
  send()
  assert.is((await heard)[0], 'n1:again')
  sending = false
})

test('a peer with another token, a stranger and an endless frame are refused', async (world) => {
  const n1 = await open(world, 'n1', 'secret')
  const intruder = await open(world, 'n2', 'guess')
  let heard = 0
  n1.network.onMessage(() => heard++)
  intruder.network.send('n1', Buffer.from('let me in'))
  for (const first of [encodeFrames([Buffer.from('hello')]), Buffer.alloc(8, 255)]) {
    await new Promise<void>((resolve) => {
      const socket = connect(world.ports[0]!, '127.0.0.1', () => socket.write(first))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
    })
  }
  assert.is(heard, 0)
})

test('a connection is given up when receipts stay out, and kept while they come', async (world) => {
  // Time passes when the test says so, and only after what was sent could arrive.
  let timers: { readonly callback: () => void; cancelled: boolean }[] = []
  const after = (_: number, callback: () => void): Timer => {
    const timer = { callback, cancelled: false }
    timers.push(timer)
    return { cancel: () => void (timer.cancelled = true) }
  }
  const passTime = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    const due = timers
    timers = []
    for (const { callback, cancelled } of due) if (!cancelled) callback()
  }
  const seen = { connections: 0, frames: 0 }
  const server = createServer((socket) => {
    const silent = ++seen.connections === 1
    seen.frames = 0
    const reader = new FrameReader()
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      reader.push(chunk, () => seen.frames++)
      if (!silent) socket.write(encodeReceipt(seen.frames))
    })
  })
  await new Promise<void>((resolve) => void server.listen(world.ports[0], '127.0.0.1', resolve))
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const link = new PeerLink({ address: `127.0.0.1:${world.ports[0]!}`, peer: 'n2', hello: Buffer.from('hello'), clock: { ...realClock(), after }, random: seededRandom(1), log })
  while (seen.connections < 2 || seen.frames === 0) {
    link.send(Buffer.from('message'))
    await passTime()
  }
  const kept = seen.connections
  for (let i = 0; i < 40; i++) {
    const before = seen.frames
    link.send(Buffer.from('message'))
    while (seen.frames === before) await new Promise((resolve) => setImmediate(resolve))
    await passTime()
  }
  assert.is(seen.connections, kept)
  link.close()
  await new Promise((resolve) => server.close(resolve))
})

test('frames are found wherever the chunks break, and one beyond the limit is an error', () => {
  const sent = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300, 'b'), Buffer.from('c')]
  const bytes = encodeFrames(sent)
  for (const size of [1, 2, 3, 5, 7, 64, 1_000]) {
    const frames = new FrameReader()
    const seen: string[] = []
    for (let at = 0; at < bytes.length; at += size) frames.push(bytes.subarray(at, at + size), (message) => seen.push(message.toString()))
    assert.equal(seen, sent.map(String), `chunks of ${size}`)
  }
  const header = Buffer.alloc(8)
  header.writeUInt32BE(FRAME_BYTES_MAX + 1)
  assert.throws(() => new FrameReader().push(header, () => undefined), /longer than the limit/)
})

test('a frame in which a single bit has flipped is an error, wherever it flipped', () => {
  const bytes = encodeFrames([Buffer.from('a message')])
  for (let bit = 32; bit < 8 * bytes.length; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7))
    assert.throws(() => new FrameReader().push(damaged, () => undefined), /damaged on its way/, `bit ${bit}`)
  }
})

test('streams carry bytes both ways, and either side sees the other close', async (world) => {
  const n1 = await open(world, 'n1')
  let serverClosed: () => void
  const closed = new Promise<void>((resolve) => (serverClosed = resolve))
  await n1.network.listen('client', (stream: Stream) => {
    stream.onData((chunk) => stream.write(chunk))
    stream.onClose(() => serverClosed())
  })
  const stream = await dialAddress(`127.0.0.1:${world.ports[1]!}`, 1_000)
  const echoed = new Promise<string>((resolve) => {
    let text = ''
    stream.onData((chunk) => {
      text += Buffer.from(chunk).toString()
      if (text.length === 5) resolve(text)
    })
  })
  for (const letter of 'hello') stream.write(Buffer.from(letter))
  assert.is(await echoed, 'hello')
  stream.close()
  await closed
})

test('a port that is taken is an error that names it', async (world) => {
  await open(world, 'n1')
  const message = await open(world, 'n1').then(() => 'no error', (error: Error) => error.message)
  assert.match(message, `n1 cannot listen on 127.0.0.1:${world.ports[0]!}`)
})

test('tables keep their entries in order over a reopening', async (world) => {
  const n1 = await open(world, 'n1')
  const table = await n1.disk.open('keys')
  const put = (key: string, value: string) => ({ key, value: Buffer.from(value) })
  await table.write([put('b', '2'), put('a', '1'), put('é', '4'), put('c', '3')], { sync: false })
  await table.write([{ key: 'b', value: undefined }], { sync: true })
  await table.close()
  const again = await n1.disk.open('keys')
  const entries = async (range: Parameters<typeof again.scan>[0]): Promise<string[]> => {
    const found: string[] = []
    for await (const [key, value] of again.scan(range)) found.push(`${key}=${Buffer.from(value).toString()}`)
    return found
  }
  assert.equal(await entries({}), ['a=1', 'c=3', 'é=4'])
  assert.equal(await entries({ from: 'b', to: 'd' }), ['c=3'])
  assert.equal(await entries({ limit: 2 }), ['a=1', 'c=3'])
  assert.is(await again.get('b'), undefined)
  assert.is(Buffer.from((await again.get('a'))!).toString(), '1')
})

test.run()
