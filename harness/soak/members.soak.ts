/**
 * Members come and go under load on the simulator, alone and while something else goes wrong: no preset whose members
 * can change breaks its promise, and nothing that was acknowledged is lost.
 */
import { kvSystem } from '../../cluster/systems/kv.ts'
import { presetOptions, presets } from '../../cluster/kv/presets.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { planDefaults, type Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { applies, verdictOf } from './conformance.soak.ts'

const TIME_MS = 20_000

/** What happens to the members, and what else does. */
const CHANGES = ['join', 'leave(one)', 'replace(one)', 'join,leave(one)', 'join,leave(one),replace(one)']
const TROUBLES = ['', ',partition(one),every=4s,for=2s', ',lose(all),every=5s,for=3s', ',kill(one),every=6s,for=2s', ',pause(one),every=5s,for=1s', ',clock-skew(one),every=5s,for=2s', ',partition(majorities-ring),every=7s,for=2s', ',power-loss(majority),every=5s,for=300ms']
const WORKLOADS = ['register(keys=8)', 'directory-churn(keys=40)']
/** Compare-and-sets show a lost update that blind writes hide. */
const COMPARING = ['cas-register(keys=8)', ...WORKLOADS]
/** Transactions over several nodes can be carried out in part, or counted among the wrong ones. */
const TRANSACTING = ['append', 'bank', ...COMPARING]

/** The simulated run of this number: preset, changes and troubles in turn, everything else drawn from the seed. */
function membersPlan(names: readonly string[], number: number, seed: number): Plan {
  const random = seededRandom(seed + number)
  const preset = names[number % names.length]!
  const round = Math.floor(number / names.length)
  // Where one node holds each key, and where that serves caches, it stays one; under a primary every node holds it.
  const { replicas, replication } = presetOptions(presets[preset]!, planDefaults.nodes)
  const mayHaveFewer = replicas > 1 && replication !== 'primary'
  const functions = presets[preset]!.functions ?? []
  const workloads = functions.includes('txn') ? TRANSACTING : functions.includes('cas') ? COMPARING : WORKLOADS
  const changes = CHANGES.filter((change) => planSchedule(parseNemesis(change), TIME_MS, random).every(({ fault }) => applies(preset, fault)))
  const nemesis = `${changes[round % changes.length]!}${TROUBLES[Math.floor(round / CHANGES.length) % TROUBLES.length]!}`
  return {
    ...planDefaults,
    schema: 'splitbrain-plan/1',
    name: 'members',
    driver: 'sim',
    preset,
    // Fewer replicas than nodes make ranges move.
    options: random.int(2) === 0 || !mayHaveFewer ? {} : { replicas: 3 },
    workload: pick(random, workloads),
    rate: 150,
    time_ms: TIME_MS,
    converge_timeout_ms: 30_000,
    spares: 2,
    seed: seed + number,
    schedule: planSchedule(parseNemesis(nemesis), TIME_MS, random),
  }
}

export const soak = {
  name: 'members',
  describes: 'members join, leave and are replaced under load, alone and with other faults: no promise is broken',
  full: 1_000,
  slice: 8,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const names = Object.keys(presets).filter((name) => kvSystem({ preset: name }).membership !== undefined)
    const counts = new Map<string, { runs: number; broken: number; unknown: number }>(names.map((name) => [name, { runs: 0, broken: 0, unknown: 0 }]))
    for (let i = 0; i < cases; i++) {
      const plan = membersPlan(names, i, seed)
      const document = await verdictOf(plan)
      const count = counts.get(plan.preset)!
      count.runs++
      if (document.verdict === 'holds') continue
      if (document.verdict === 'unknown') count.unknown++
      else count.broken++
      print(`${plan.preset} ${JSON.stringify(plan.options)}, ${plan.workload}, ${plan.schedule.map(({ fault }) => fault).join(', ')}, seed ${plan.seed}: ${document.sentence}`)
    }
    print('preset                  runs  broken  unknown')
    for (const [name, { runs, broken, unknown }] of counts) print(`${name.padEnd(22)} ${String(runs).padStart(5)}  ${String(broken).padStart(6)}  ${String(unknown).padStart(7)}`)
    return [...counts.values()].every(({ broken }) => broken === 0)
  },
}
