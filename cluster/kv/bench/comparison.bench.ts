/**
 * The store beside etcd and Redis on the same machine, in one run: same payload, same connections, same generator.
 *
 * On a machine with few cores servers and generator share the processors, so throughput is what all of them together
 * leave; the processor time of the servers per operation is shown beside it, which other load disturbs less. What is
 * compiled while it runs is compiled before it is counted (the warm-up), on both sides. Where the machine's pace varies,
 * several rounds tell more than a long one.
 */
import { parseArgs } from 'node:util'
import { UsageError } from '../../../harness/usage-error.ts'
import type { NodeOptions } from '../config.ts'
import { closedLoop } from './closed-loop.ts'
import type { Conversation } from './closed-loop.ts'
import { etcdConversation } from './etcd-conversation.ts'
import { respConversation } from './resp-conversation.ts'
import { withEtcd, withRedis, withStore } from './servers.ts'
import type { Servers } from './servers.ts'

/** One system to be measured. */
interface Contestant {
  readonly name: string
  readonly sync: string
  readonly with: (body: (servers: Servers) => Promise<void>) => Promise<void>
  readonly converse: (value: Uint8Array) => Conversation
}

/** Three members of etcd, three nodes of the store with each preset and policy, one node in memory, one Redis. */
function contestants(presets: readonly string[], syncs: readonly string[]): Contestant[] {
  const store = (preset: string, processes: number, sync: string): Contestant => ({
    name: processes === 1 ? `${preset}, one node` : preset,
    sync,
    with: (body) => withStore({ preset, processes, overrides: { sync: sync as NodeOptions['sync'] } }, body),
    converse: respConversation,
  })
  return [
    { name: 'etcd', sync: 'always', with: (body) => withEtcd(3, body), converse: etcdConversation },
    ...syncs.flatMap((sync) => presets.map((preset) => store(preset, 3, sync))),
    { name: 'redis', sync: 'never', with: withRedis, converse: respConversation },
    store('one', 1, 'never'),
  ]
}

/** What one system did in one round. */
interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Microseconds of processor time per operation. */
  readonly serverUs: number
  readonly clientUs: number
  readonly errors: string
}

/** How long, how much, over how many connections. */
interface Settings {
  readonly connections: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly bytes: number
  readonly keys: number
}

/** Starts a system, and measures its writes, then its reads. */
async function measure({ with: withServers, converse }: Contestant, { connections, seconds, warmUpSeconds, bytes, keys }: Settings, tell: (type: 'write' | 'read', measured: Measured) => void): Promise<void> {
  const value = Buffer.alloc(bytes, 'v')
  await withServers(async ({ addresses, cpuSeconds }) => {
    const load = { addresses, converse: () => converse(value), connections, keys, durationMs: seconds * 1000, warmUpMs: warmUpSeconds * 1000 }
    // Every key is there before anything is counted.
    await closedLoop({ ...load, type: 'write', requests: 3 * keys, durationMs: Infinity, warmUpMs: 0 })
    for (const type of ['write', 'read'] as const) {
      const [cpuBefore, ownBefore] = [await cpuSeconds(), process.cpuUsage()]
      const { perSecond, p50Ms, p99Ms, errors, error } = await closedLoop({ ...load, type })
      const operations = perSecond * (seconds + warmUpSeconds)
      const own = process.cpuUsage(ownBefore)
      tell(type, { perSecond, p50Ms, p99Ms, serverUs: (((await cpuSeconds()) - cpuBefore) * 1e6) / operations, clientUs: (own.user + own.system) / operations, errors: errors === 0 ? '' : `${errors} errors: ${error}` })
    }
  })
}

/** The middle one by throughput, and the range of that. */
function summed(rounds: readonly Measured[]): { readonly middle: Measured; readonly range: string } {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond)
  return { middle: sorted[Math.floor((sorted.length - 1) / 2)]!, range: `${whole(sorted[0]!.perSecond)} to ${whole(sorted.at(-1)!.perSecond)}` }
}

const whole = (number: number): string => Math.round(number).toLocaleString('en')

function row({ name, sync }: Contestant, type: string, { perSecond, p50Ms, p99Ms, serverUs, clientUs, errors }: Measured, range = ''): string {
  return [name.padEnd(18), sync.padEnd(9), type.padEnd(10), whole(perSecond).padStart(10), `${p50Ms.toFixed(2)} ms`.padStart(8), `${p99Ms.toFixed(1)} ms`.padStart(9), whole(serverUs).padStart(8), whole(clientUs).padStart(8), range && ` ${range}`, errors && ` ${errors}`].join(' ').trimEnd()
}

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', multiple: true, default: ['paxos', 'abd', 'quorum', 'one'] },
      sync: { type: 'string', multiple: true, default: ['always'] },
      only: { type: 'string', multiple: true },
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '10' },
      bytes: { type: 'string', default: '256' },
      keys: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '1' },
    },
  })
  const settings: Settings = { connections: Number(values.connections), seconds: Number(values.seconds), warmUpSeconds: Number(values['warm-up']), bytes: Number(values.bytes), keys: Number(values.keys) }
  const rounds = Number(values.rounds)
  const all = contestants(values.preset, values.sync)
  const unknown = values.only?.find((wanted) => !all.some(({ name }) => name === wanted))
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: choose from ${[...new Set(all.map(({ name }) => name))].join(', ')}`)
  const chosen = all.filter(({ name }) => values.only === undefined || values.only.includes(name))
  const heading = `${'system'.padEnd(18)} ${'sync'.padEnd(9)} ${'operation'.padEnd(10)} ${'per second'.padStart(10)} ${'p50'.padStart(8)} ${'p99'.padStart(9)} ${'server'.padStart(8)} ${'client'.padStart(8)}   us of processor time per operation`
  print(`three processes each, ${values.connections} connections spread over them, one request under way on each; keys of 8 bytes (${values.keys}), values of ${values.bytes}`)
  print(heading)
  const seen = new Map<string, { readonly contestant: Contestant; readonly type: string; readonly rounds: Measured[] }>()
  for (let round = 0; round < rounds; round++) {
    for (const contestant of chosen) {
      await measure(contestant, settings, (type, measured) => {
        print(row(contestant, type, measured))
        const key = `${contestant.name} ${contestant.sync} ${type}`
        const known = seen.get(key) ?? { contestant, type, rounds: [] }
        seen.set(key, known)
        known.rounds.push(measured)
      })
    }
  }
  if (rounds === 1) return
  print(`the middle one of ${rounds} rounds, in which all had their turn, and the range of the throughput`)
  print(heading)
  for (const one of seen.values()) {
    const { middle, range } = summed(one.rounds)
    print(row(one.contestant, one.type, middle, range))
  }
}

/** Needs etcd (Debian: etcd-server) and redis-server. */
export const bench = {
  name: 'kv',
  describes: 'the store beside etcd (three processes each) and one node beside Redis [--preset P]... [--sync always|periodic|never]... [--only NAME]... [--connections N] [--seconds S] [--warm-up S] [--bytes N] [--keys N] [--rounds N: each in turn so many times, the middle one is shown]',
  run: main,
}
