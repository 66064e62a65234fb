/**
 * How long a cluster in containers takes to come up, and how long a partition takes to bite and to heal, from the
 * call to the effect: seen by a message sent every few milliseconds over every link that the partition cuts.
 *
 *     npm run bench -- docker [--nodes N] [--rounds N] [--mechanism nsenter|exec] [--docker-host URL]... [--build]
 *
 * `--build` removes the harness's images first, so that the start includes making them.
 */
import { parseArgs } from 'node:util'
import { seededRandom } from '../../../../harness/random.ts'
import type { Cluster, ClusterPlan, Link } from '../../../cluster.ts'
import { kvSystem } from '../../../systems/kv.ts'
import { dockerDriver } from '../driver.ts'
import { connectEngines } from '../engine.ts'
import { builtImages } from '../image.ts'
import type { Mechanism } from '../namespace.ts'

type Print = (line: string) => void

function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

const summary = (samples: readonly number[]): string =>
  `median ${quantile(samples, 0.5).toFixed(0)} ms, p90 ${quantile(samples, 0.9).toFixed(0)} ms, max ${quantile(samples, 1).toFixed(0)} ms (${samples.length} rounds)`

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}

/** Majority and minority, cut in both directions. */
function partition({ nodes }: Cluster): Link[] {
  const ids = nodes.map(({ id }) => id)
  const minority = ids.slice(0, Math.floor((ids.length - 1) / 2))
  const majority = ids.slice(minority.length)
  return minority.flatMap((a) => majority.flatMap((b) => [{ from: a, to: b }, { from: b, to: a }]))
}

/** Time until one link from each side is seen to be as wanted. */
async function effectMs(cluster: Cluster, links: readonly Link[], change: () => Promise<void>, passing: boolean): Promise<number> {
  const started = performance.now()
  await change()
  const watched = links.slice(0, 2)
  // A probe that fails takes its whole deadline: short ones see the moment, but must outlast a round trip.
  while (!(await Promise.all(watched.map((link) => cluster.links.probe(link, 25)))).every((passes) => passes === passing));
  return performance.now() - started
}

async function removeImages(hosts: readonly string[]): Promise<void> {
  for (const engine of await connectEngines(hosts)) {
    const images = await builtImages(engine)
    for (const { name } of images.toReversed()) await engine.docker.getImage(name).remove({ force: true })
    engine.close()
  }
}

async function run(args: string[], print: Print): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '20' },
      mechanism: { type: 'string' },
      'docker-host': { type: 'string', multiple: true, default: [] },
      build: { type: 'boolean', default: false },
    },
  })
  const hosts = values['docker-host']
  if (values.build) await removeImages(hosts)
  const driver = dockerDriver({ hosts, ...(values.mechanism === undefined ? {} : { mechanism: values.mechanism as Mechanism }) })
  const plan: ClusterPlan = {
    runId: `bench-${process.pid}`,
    nodes: Array.from({ length: Number(values.nodes) }, (_, index) => `n${index + 1}`),
    dir: '',
    seed: 1,
    random: seededRandom(process.pid),
    log: { info: print, warn: print, error: print },
  }
  let cluster: Cluster | undefined
  const upMs = await timed(async () => (cluster = await driver.start(kvSystem({ preset: 'abd' }), plan)))
  if (cluster === undefined) return
  print(`${plan.nodes.length} nodes up in ${upMs.toFixed(0)} ms${values.build ? ', images made first' : ''}`)
  const { links } = cluster
  const bites: number[] = []
  const heals: number[] = []
  const calls: number[] = []
  try {
    const cutLinks = partition(cluster)
    for (let round = 0; round < Number(values.rounds); round++) {
      bites.push(await effectMs(cluster, cutLinks, () => links.cut(cutLinks), false))
      heals.push(await effectMs(cluster, cutLinks, () => links.heal(cutLinks), true))
      calls.push(await timed(() => links.cut(cutLinks)))
      await links.heal()
    }
    print(`partition, until a message of 25 ms does not pass: ${summary(bites)}`)
    print(`heal, until a message passes:                      ${summary(heals)}`)
    print(`the call that cuts alone:                          ${summary(calls)}`)
    const [node] = cluster.nodes
    if (node !== undefined) print(`kill ${(await timed(() => node.kill())).toFixed(0)} ms, restart to the first answer ${(await timed(() => node.start())).toFixed(0)} ms`)
  } finally {
    print(`stopped and removed in ${(await timed(() => cluster!.stop())).toFixed(0)} ms`)
  }
}

/** `npm run bench -- docker` */
export const bench = { name: 'docker', describes: 'a cluster in containers: time to come up, partitions to bite and heal, kill and restart', run }
