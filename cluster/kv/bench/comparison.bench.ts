/**
 * The store beside etcd and Redis on the same machine, in one run: same payload, same connections, same generator.
 *
 * On a machine with few cores servers and generator share the processors, so throughput is what all of them together
 * leave; the processor time of the servers per operation is shown beside it, which other load disturbs less. What is
 * compiled while it runs is compiled before it is counted (the warm-up), on both sides.
 */
import { parseArgs } from 'node:util'
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
    },
  })
  print(`three processes each, ${values.connections} connections spread over them, one request under way on each; keys of 8 bytes (${values.keys}), values of ${values.bytes}`)
  print(`${'system'.padEnd(18)} ${'sync'.padEnd(9)} ${'operation'.padEnd(10)} ${'per second'.padStart(10)} ${'p50'.padStart(8)} ${'p99'.padStart(9)} ${'server'.padStart(8)} ${'client'.padStart(8)}   us of processor time per operation`)
  const value = Buffer.alloc(Number(values.bytes), 'v')
  for (const { name, sync, with: withServers, converse } of contestants(values.preset, values.sync)) {
    if (values.only !== undefined && !values.only.includes(name)) continue
    await withServers(async ({ addresses, cpuSeconds }) => {
      const load = { addresses, converse: () => converse(value), connections: Number(values.connections), keys: Number(values.keys), durationMs: Number(values.seconds) * 1000, warmUpMs: Number(values['warm-up']) * 1000 }
      // Every key is there before anything is counted.
      await closedLoop({ ...load, type: 'write', requests: 3 * load.keys, durationMs: Infinity, warmUpMs: 0 })
      for (const type of ['write', 'read'] as const) {
        const [cpuBefore, ownBefore] = [await cpuSeconds(), process.cpuUsage()]
        const { perSecond, p50Ms, p99Ms, errors, error } = await closedLoop({ ...load, type })
        const operations = (perSecond * (load.durationMs + load.warmUpMs)) / 1000
        const own = process.cpuUsage(ownBefore)
        const us = (seconds: number): string => String(Math.round((seconds * 1e6) / operations)).padStart(8)
        print([name.padEnd(18), sync.padEnd(9), type.padEnd(10), Math.round(perSecond).toLocaleString('en').padStart(10), `${p50Ms.toFixed(2)} ms`.padStart(8), `${p99Ms.toFixed(1)} ms`.padStart(9), us((await cpuSeconds()) - cpuBefore), us((own.user + own.system) / 1e6), errors === 0 ? '' : `  ${errors} errors: ${error}`].join(' '))
      }
    })
  }
}

/** Needs etcd (Debian: etcd-server) and redis-server. */
export const bench = {
  name: 'kv',
  describes: 'the store beside etcd (three processes each) and one node beside Redis [--preset P]... [--sync always|periodic|never]... [--only NAME]... [--connections N] [--seconds S] [--warm-up S] [--bytes N] [--keys N]',
  run: main,
}
