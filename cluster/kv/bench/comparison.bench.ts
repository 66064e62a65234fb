/**
 * The store beside etcd and Redis on the same machine, in one run: same payload, same connections, same generator.
 *
 * All of them run from the beginning to the end, and are loaded in turn, a few seconds each, round after round: where the
 * machine's pace varies, what stands side by side in one round was measured within a minute. On a machine with few cores
 * servers and generator share the processors, so throughput is what all of them together leave; the processor time of the
 * servers per operation is shown beside it, which other load disturbs less. What is compiled while it runs is compiled
 * before it is counted (the warm-up), on both sides.
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
  /** What it is compared with. */
  readonly rival?: string
}

/** Three members of etcd, three nodes of the store with each preset and policy, one node in memory, one Redis. */
function contestants(presets: readonly string[], syncs: readonly string[]): Contestant[] {
  const store = (preset: string, processes: number, sync: string): Contestant => ({
    name: processes === 1 ? `${preset}, one node` : preset,
    sync,
    with: (body) => withStore({ preset, processes, overrides: { sync: sync as NodeOptions['sync'] } }, body),
    converse: respConversation,
    rival: processes === 1 ? 'redis' : 'etcd',
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
  readonly rounds: number
}

const types = ['write', 'read'] as const
type Type = (typeof types)[number]

/** A window begins when all connections are at work. */
const RAMP_MS = 200

/** A system that runs. */
interface Running {
  readonly contestant: Contestant
  /** Loads it for a while. */
  measure(type: Type): Promise<Measured>
}

/** Starts all of them, one after the other, and runs `body` with them. */
function withAll([first, ...others]: readonly Contestant[], settings: Settings, body: (running: readonly Running[]) => Promise<void>): Promise<void> {
  if (first === undefined) return body([])
  return first.with(async (servers) => {
    const running = await warmedUp(first, servers, settings)
    await withAll(others, settings, (rest) => body([running, ...rest]))
  })
}

/** Every key is there, and everything compiled, before anything is counted. */
async function warmedUp(contestant: Contestant, { addresses, cpuSeconds }: Servers, { connections, seconds, warmUpSeconds, bytes, keys }: Settings): Promise<Running> {
  const value = Buffer.alloc(bytes, 'v')
  const load = { addresses, converse: () => contestant.converse(value), connections, keys, warmUpMs: 0 }
  await closedLoop({ ...load, type: 'write', requests: 3 * keys, durationMs: Infinity })
  for (const type of types) await closedLoop({ ...load, type, durationMs: warmUpSeconds * 1000 })
  return {
    contestant,
    async measure(type) {
      const [cpuBefore, ownBefore] = [await cpuSeconds(), process.cpuUsage()]
      const { perSecond, p50Ms, p99Ms, errors, error } = await closedLoop({ ...load, type, durationMs: seconds * 1000, warmUpMs: RAMP_MS })
      const operations = perSecond * (seconds + RAMP_MS / 1000)
      const own = process.cpuUsage(ownBefore)
      return { perSecond, p50Ms, p99Ms, serverUs: (((await cpuSeconds()) - cpuBefore) * 1e6) / operations, clientUs: (own.user + own.system) / operations, errors: errors === 0 ? '' : `${errors} errors: ${error}` }
    },
  }
}

/** The middle one by throughput, and the range of that. */
function summed(rounds: readonly Measured[]): { readonly middle: Measured; readonly range: string } {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond)
  return { middle: sorted[Math.floor((sorted.length - 1) / 2)]!, range: `${whole(sorted[0]!.perSecond)} to ${whole(sorted.at(-1)!.perSecond)}` }
}

/** How many times as many operations a second as the other one, round by round: in the middle one, and from the least to the most. */
function times(rounds: readonly Measured[], others: readonly Measured[]): string {
  const ratios = rounds.map(({ perSecond }, round) => perSecond / others[round]!.perSecond).sort((a, b) => a - b)
  return `${ratios[Math.floor((ratios.length - 1) / 2)]!.toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})`
}

const whole = (number: number): string => Math.round(number).toLocaleString('en')

function row({ name, sync }: Contestant, type: string, { perSecond, p50Ms, p99Ms, serverUs, clientUs, errors }: Measured, ...more: string[]): string {
  return [name.padEnd(18), sync.padEnd(9), type.padEnd(10), whole(perSecond).padStart(10), `${p50Ms.toFixed(2)} ms`.padStart(8), `${p99Ms.toFixed(1)} ms`.padStart(9), whole(serverUs).padStart(8), whole(clientUs).padStart(8), ...more, errors].join(' ').trimEnd()
}

/** What all of them did, in the order of the rounds. */
async function measureAll(running: readonly Running[], rounds: number, print: (line: string) => void): Promise<ReadonlyMap<Running, Readonly<Record<Type, readonly Measured[]>>>> {
  const seen = new Map(running.map((one) => [one, { write: [] as Measured[], read: [] as Measured[] }]))
  for (let round = 0; round < rounds; round++) {
    for (const type of types) {
      for (const [one, measured] of seen) {
        const window = await one.measure(type)
        measured[type].push(window)
        print(row(one.contestant, type, window))
      }
    }
  }
  return seen
}

function settingsOf(values: Readonly<Record<'connections' | 'seconds' | 'warm-up' | 'bytes' | 'keys' | 'rounds', string>>): Settings {
  const atLeast = (least: number, name: keyof typeof values): number => {
    const number = Number(values[name])
    if (!(number >= least)) throw new UsageError(`--${name} ${values[name]}: a number of at least ${least} is wanted`)
    return number
  }
  return { connections: atLeast(1, 'connections'), seconds: atLeast(0.1, 'seconds'), warmUpSeconds: atLeast(0, 'warm-up'), bytes: atLeast(0, 'bytes'), keys: atLeast(1, 'keys'), rounds: atLeast(1, 'rounds') }
}

function chosenOf(all: readonly Contestant[], only: readonly string[] | undefined): readonly Contestant[] {
  const unknown = only?.find((wanted) => !all.some(({ name }) => name === wanted))
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: choose from ${[...new Set(all.map(({ name }) => name))].join(', ')}`)
  return all.filter(({ name }) => only === undefined || only.includes(name))
}

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', multiple: true, default: ['paxos', 'abd', 'quorum', 'one'] },
      sync: { type: 'string', multiple: true, default: ['always'] },
      only: { type: 'string', multiple: true },
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '10' },
      bytes: { type: 'string', default: '256' },
      keys: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '5' },
    },
  })
  const settings = settingsOf(values)
  const chosen = chosenOf(contestants(values.preset, values.sync), values.only)
  const heading = `${'system'.padEnd(18)} ${'sync'.padEnd(9)} ${'operation'.padEnd(10)} ${'per second'.padStart(10)} ${'p50'.padStart(8)} ${'p99'.padStart(9)} ${'server'.padStart(8)} ${'client'.padStart(8)}   us of processor time per operation`
  print(`three processes each, ${values.connections} connections spread over them, one request under way on each; keys of 8 bytes (${values.keys}), values of ${values.bytes}`)
  print(heading)
  await withAll(chosen, settings, async (running) => {
    const seen = await measureAll(running, settings.rounds, print)
    print(`the middle one of ${settings.rounds} rounds, in which all had their turn, the range of the throughput, and how many times that of etcd (one node: of Redis) in the same round: in the middle, and from the least to the most`)
    print(heading)
    for (const type of types) {
      for (const [{ contestant }, measured] of seen) {
        const { middle, range } = summed(measured[type])
        const [, other] = [...seen].find(([one]) => one.contestant.name === contestant.rival) ?? []
        print(row(contestant, type, middle, '', range.padEnd(18), other === undefined ? '' : times(measured[type], other[type])))
      }
    }
  })
}

/** Needs etcd (Debian: etcd-server) and redis-server. */
export const bench = {
  name: 'kv',
  describes: 'the store beside etcd (three processes each) and one node beside Redis [--preset P]... [--sync always|periodic|never]... [--only NAME]... [--connections N] [--seconds S: each, a round] [--warm-up S] [--bytes N] [--keys N] [--rounds N: each in turn so many times]',
  run: main,
}
