/** How long a partition takes to bite and to heal on drivers of real processes: five toys, two of them cut off. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../harness/random.ts'
import type { Cluster, Driver, Link } from '../../cluster.ts'
import { netnsDriver } from '../netns/driver.ts'
import { processDriver } from '../process/driver.ts'
import { toySystem } from '../testing/toy.ts'

const ROUNDS = 20
const minority = ['n1', 'n2']
const majority = ['n3', 'n4', 'n5']

function median(times: readonly number[]): string {
  return `${[...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!.toFixed(1)} ms`
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** Until a message passes every one of the links. */
async function untilWhole(cluster: Cluster, links: readonly Link[]): Promise<void> {
  for (;;) {
    const passed = await Promise.all(links.map((link) => cluster.links.probe(link, 100)))
    if (passed.every(Boolean)) return
  }
}

async function measure(driver: Driver, print: (line: string) => void): Promise<void> {
  const { cut } = await driver.capabilities()
  if (!cut.available) return print(`${driver.name}: ${cut.reason}`)
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-bench-'))
  const log = { info: () => undefined, warn: print, error: print }
  let cluster: Cluster | undefined
  const up = await timed(async () => {
    cluster = await driver.start({ ...toySystem(), oneWayConnections: true }, { runId: 'bench', nodes: [...minority, ...majority], dir, seed: 1, random: seededRandom(1), log })
  })
  const links = minority.flatMap((a) => majority.flatMap((b) => [{ from: a, to: b }, { from: b, to: a }]))
  const times = { cut: [] as number[], heal: [] as number[], whole: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    times.cut.push(await timed(() => cluster!.links.cut(links)))
    if (await cluster!.links.probe(links[round % links.length]!, 150)) print(`${driver.name}: a cut link still passes messages`)
    const start = performance.now()
    await cluster!.links.heal(links)
    times.heal.push(performance.now() - start)
    await untilWhole(cluster!, links)
    times.whole.push(performance.now() - start)
  }
  const down = await timed(() => cluster!.stop())
  print(`${driver.name}: five nodes up in ${up.toFixed(0)} ms, down in ${down.toFixed(0)} ms; medians of ${ROUNDS}: cut ${median(times.cut)}, heal ${median(times.heal)}, messages on all ${links.length} links ${median(times.whole)} after the heal began`)
  await rm(dir, { recursive: true })
}

export const bench = {
  name: 'link-faults',
  describes: 'time from command to effect of a partition and its heal, on processes and in network namespaces',
  async run(_args: readonly string[], print: (line: string) => void): Promise<void> {
    for (const driver of [processDriver(), netnsDriver()]) await measure(driver, print)
  },
}
