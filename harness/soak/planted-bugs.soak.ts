/**
 * Every planted bug of our store, each where it should show: seed after seed until a judgement catches it. The table
 * says by which judgement, and with which seed first. The same runs without the bug are the conformance soak's business.
 */
import { bugs, bugNames } from '../../cluster/kv/bugs.ts'
import type { Bug } from '../../cluster/kv/bugs.ts'
import { simulate } from '../../cluster/kv/testing/simulate.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { planDefaults, type Plan } from '../plan.ts'
import { seededRandom } from '../random.ts'
import { verdictOf } from './conformance.soak.ts'

const TIME_MS = 12_000

/** Where a bug lives: a preset, the faults that bring it out, and what clients do. */
interface Habitat {
  readonly preset: string
  readonly nemesis: string
  readonly workload?: string
}

const FEW_KEYS = 'register(keys=4,read-share=0.6)'

const habitats: Partial<Record<Bug, Habitat>> = {
  'no-write-back': { preset: 'abd', nemesis: 'lose(all)' },
  'read-one-replica': { preset: 'abd', nemesis: 'partition(majority-minority)' },
  'ack-before-replicating': { preset: 'abd', nemesis: 'partition(majority-minority)' },
  'wall-clock-versions': { preset: 'abd', nemesis: 'clock-skew(one)' },
  'ignore-ballot': { preset: 'paxos', nemesis: 'partition(bridge)', workload: 'cas-register(keys=4)' },
  'accept-minority': { preset: 'paxos', nemesis: 'partition(majority-minority)' },
  'read-unchosen': { preset: 'paxos', nemesis: 'lose(all)' },
  'trust-stale-lease': { preset: 'primary-sync', nemesis: 'partition(one)' },
  'ack-before-backups': { preset: 'primary-sync', nemesis: 'partition(primaries)' },
  'early-release': { preset: '2pc', nemesis: 'none', workload: 'append' },
  'no-read-locks': { preset: '2pc', nemesis: 'none', workload: 'bank' },
  'definite-lie': { preset: 'abd', nemesis: 'partition(majority-minority)' },
}

function planOf(bug: Bug, { preset, nemesis, workload = FEW_KEYS }: Habitat, seed: number): Plan {
  const schedule = nemesis === 'none' ? [] : planSchedule(parseNemesis(nemesis), TIME_MS, seededRandom(seed))
  return { ...planDefaults, schema: 'splitbrain-plan/1', name: 'planted-bug', driver: 'sim', preset, workload, rate: 300, time_ms: TIME_MS, seed, schedule, bugs: [bug] }
}

/** The judgement that a run's violation rests on. */
function foundBy({ judgements, promised }: VerdictDocument): string {
  const violated = judgements.filter(({ verdict }) => verdict === 'violated')
  return (violated.find(({ model }) => model === promised) ?? violated.find(({ model }) => model === undefined) ?? violated[0])?.judgement ?? 'unnamed'
}

const KEYS = Array.from({ length: 10 }, (_, i) => `k${i}`)

/** Power fails on the only node right after it confirmed writes. */
async function confirmedWritesGone(bug: Bug, seed: number): Promise<string | undefined> {
  return simulate({ preset: 'one', nodes: 1, seed, overrides: { bugs: [bug] } }, async (bench) => {
    for (const [i, key] of KEYS.entries()) {
      await bench.write('n1', key, i)
      await bench.node('n1').powerLoss()
      await bench.node('n1').start()
      if ((await bench.read('n1', key)).value !== i) return 'durability'
    }
    return undefined
  })
}

/** A deletion that one node has not heard of, and then the network is whole again. */
async function deletionUndone(bug: Bug, seed: number): Promise<string | undefined> {
  return simulate({ preset: 'one', seed, overrides: { anti_entropy_interval_ms: 200, bugs: [bug] } }, async (bench) => {
    for (const key of KEYS) await bench.write('n1', key, 1)
    await bench.sleep(100)
    await bench.partition(['n1'], ['n2', 'n3', 'n4', 'n5'])
    for (const key of KEYS) await bench.on('n2').invoke({ f: 'delete', key })
    await bench.sleep(100)
    await bench.cluster.links.heal()
    await bench.sleep(2_000)
    const held = await Promise.all(KEYS.map((key) => bench.held(key)))
    return held.flat().includes(1) ? 'convergence' : undefined
  })
}

/** Two coordinators write the same keys at once, and replicas hear of them in different orders. */
async function replicasApart(bug: Bug, seed: number): Promise<string | undefined> {
  return simulate({ preset: 'one', seed, overrides: { anti_entropy_interval_ms: 0, bugs: [bug] } }, async (bench) => {
    for (const key of KEYS) await Promise.all([bench.write('n1', key, 'a'), bench.write('n2', key, 'b')])
    await bench.sleep(1_000)
    return (await bench.agree(KEYS)) ? undefined : 'convergence'
  })
}

/** Two nodes confirm writes for replicas that they cannot reach, and then the network is whole again. */
async function hintsGone(bug: Bug, seed: number): Promise<string | undefined> {
  return simulate({ preset: 'dynamo', seed, overrides: { anti_entropy_interval_ms: 0, bugs: [bug] } }, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    await bench.sleep(500)
    const confirmed: string[] = []
    for (let i = 0; i < 40; i++) if ((await bench.write('n1', `k${i}`, 1)).type === 'ok') confirmed.push(`k${i}`)
    await bench.cluster.links.heal()
    await bench.sleep(2_000)
    const held = await Promise.all(confirmed.map((key) => bench.held(key)))
    return held.some((values) => !values.includes(1)) ? 'durability' : undefined
  })
}

/** What no workload or fault of a run brings about. */
const scenarios: Partial<Record<Bug, (bug: Bug, seed: number) => Promise<string | undefined>>> = {
  'ack-before-disk': confirmedWritesGone,
  'skip-fsync': confirmedWritesGone,
  'forget-tombstones': deletionUndone,
  'last-arrival-wins': replicasApart,
  'forget-hints': hintsGone,
}

/** Resolves to the judgement that catches the bug with this seed. */
async function caught(bug: Bug, seed: number): Promise<string | undefined> {
  const scenario = scenarios[bug]
  if (scenario !== undefined) return scenario(bug, seed)
  const habitat = habitats[bug]
  if (habitat === undefined) return undefined
  const document = await verdictOf(planOf(bug, habitat, seed))
  return document.verdict === 'violated' ? foundBy(document) : undefined
}

export const soak = {
  name: 'planted-bugs',
  describes: 'every planted bug where it should show: by which judgement it is caught, in how many of N seeds (--cases N), with which seed first',
  full: 200,
  slice: 1,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    // A slice tries one bug; in full, every bug has `cases` seeds until it is caught.
    const names = bugNames.filter((bug) => habitats[bug] !== undefined || scenarios[bug] !== undefined)
    const tried = cases === 1 ? [names[seed % names.length]!] : names
    const missed: Bug[] = []
    print('bug                      where           seeds  found by')
    for (const bug of tried) {
      let seeds = 0
      let by: string | undefined
      while (by === undefined && seeds < Math.max(cases, 20)) by = await caught(bug, seed + seeds++)
      print(`${bug.padEnd(24)} ${(habitats[bug]?.preset ?? bugs[bug].where).padEnd(15)} ${String(seeds).padStart(5)}  ${by ?? 'not found'}`)
      if (by === undefined) missed.push(bug)
    }
    print(`without a habitat, so not tried: ${bugNames.filter((bug) => !names.includes(bug)).join(', ')}`)
    return missed.length === 0
  },
}
