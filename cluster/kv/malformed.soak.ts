/**
 * Malformed input: commands with bytes changed, cut out or put in, and plain noise, on the client and the admin port of
 * a simulated node, and the same done to messages between nodes. The node must go on to serve everyone else, and every
 * answer that it gives is one that RESP knows, errors by a code of the registry. A case is one malformed input.
 */
import type { Random } from '../../harness/env.ts'
import { seededRandom } from '../../harness/random.ts'
import { RespConnection } from '../systems/resp-connection.ts'
import { errorKinds } from './errors.ts'
import { READ, WRITE } from './messages.ts'
import { encodeCommand } from './resp.ts'
import { Rpc } from './rpc.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'

const PER_CLUSTER = 2_000
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

const commands = [['SET', 'k', 'value'], ['GET', 'k'], ['DEL', 'a', 'b'], ['CONSISTENCY', 'quorum'], ['HELLO', '3'], ['CLUSTER', 'NODES'], ['AUTH', 'x'], ['PEEK', 'k']]

/** A right one with up to four changes, or noise. */
function spoil(right: Uint8Array, random: Random): Uint8Array {
  if (random.int(8) === 0) return Uint8Array.from({ length: 1 + random.int(200) }, () => random.int(256))
  const bytes = [...right]
  for (let changes = 1 + random.int(4); changes > 0; changes--) {
    const at = random.int(bytes.length + 1)
    const kind = random.int(3)
    if (kind === 0) bytes.splice(at, 1 + random.int(3))
    else bytes.splice(at, kind === 1 ? 1 : 0, random.int(4) === 0 ? 48 + random.int(10) : random.int(256))
  }
  return Uint8Array.from(bytes)
}

/** Sends one malformed input on a connection of its own. Resolves to a sentence when an answer has no name. */
async function bother(bench: Bench, random: Random): Promise<string | undefined> {
  const stream = await bench.cluster.dial('n1', random.int(4) === 0 ? 'admin' : 'client', 1_000)
  let answer = ''
  stream.onData((chunk) => (answer += Buffer.from(chunk).toString('latin1')))
  const sent = spoil(encodeCommand(commands[random.int(commands.length)]!), random)
  stream.write(sent)
  await bench.sleep(15)
  stream.close()
  const code = /^-(\S+)/.exec(answer)?.[1]
  return code === undefined || code in errorKinds ? undefined : `the answer to ${JSON.stringify(Buffer.from(sent).toString('latin1'))} is ${JSON.stringify(answer)}, whose code no registry knows`
}

async function ports(cases: number, seed: number): Promise<string | undefined> {
  for (let done = 0; done < cases; done += PER_CLUSTER) {
    const random = seededRandom(seed).fork(`ports ${done}`)
    const broken = await simulate({ preset: 'one', nodes: 1, seed: random.int(2 ** 31) }, async (bench) => {
      const witness = await RespConnection.open(bench.cluster, 'n1', 'client', 1_000)
      for (let i = 0; i < Math.min(PER_CLUSTER, cases - done); i += 50) {
        const sentences = await Promise.all(Array.from({ length: 50 }, () => bother(bench, random)))
        const sentence = sentences.find((one) => one !== undefined)
        if (sentence !== undefined) return sentence
        if ((await witness.ask(['PING'], 1_000)) !== 'PONG') return 'another client was not answered'
      }
      return undefined
    })
    if (broken !== undefined) return broken
  }
  return undefined
}

/** Hands malformed messages to a node's Rpc. Resolves to how many it dropped as malformed. */
async function messages(cases: number, seed: number): Promise<number> {
  const random = seededRandom(seed).fork('messages')
  const sent: Uint8Array[] = []
  let receive: (from: string, message: Uint8Array) => void = () => undefined
  const network = { nodes: ['n1', 'n2'], send: (_: string, message: Uint8Array) => void sent.push(Buffer.from(message)), onMessage: (handler: typeof receive) => (receive = handler), listen: async () => undefined, close: async () => undefined }
  return simulate({ preset: 'one', nodes: 1 }, async (bench) => {
    const rpc = new Rpc({ self: 'n1', incarnation: 1, clock: bench.clock, network, log: silent, deadlineMs: 100, resendMs: 50 })
    rpc.serve(READ, () => ({ counter: 0, writer: '', value: null }))
    rpc.serve(WRITE, () => true)
    rpc.send('n2', READ, 'k')
    rpc.send('n2', WRITE, ['k', { counter: 7, writer: 'n1.1', value: Buffer.from('v') }, []])
    await bench.sleep(1)
    const right = sent.splice(0)
    for (let i = 0; i < cases; i++) {
      receive('n2', spoil(right[random.int(right.length)]!, random))
      if (i % 1_000 === 0) await bench.sleep(1)
      sent.length = 0
    }
    rpc.close()
    return rpc.counts.malformed
  })
}

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  const broken = await ports(cases / 2, seed)
  if (broken !== undefined) {
    print(broken)
    return false
  }
  print(`${Math.floor(cases / 2)} malformed commands: the node answered everyone else, and every error has a name`)
  const dropped = await messages(cases / 2, seed)
  print(`${Math.floor(cases / 2)} malformed messages between nodes: ${dropped} parts of them were dropped as such, none got further than its decoder`)
  return dropped > 0
}

export const soak = {
  name: 'kv-malformed',
  describes: 'malformed commands and messages: no node dies, every error is named',
  full: 100_000,
  slice: 2_000,
  run,
}
