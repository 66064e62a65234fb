/**
 * Power fails on every node at once, at every step of a write: what was confirmed before must be there afterwards. Every
 * preset, three simulated nodes, sync `always`.
 *
 * A real power loss costs a restart of all nodes. Before it comes, what would be left of their disks is looked at in short
 * steps of the write, or of the checkpoint that follows it, without disturbing the nodes: that is done a hundred times in
 * the time of one restart. A case is one power loss, real or not.
 */
import { seededRandom } from '../../harness/random.ts'
import type { Random } from '../../harness/env.ts'
import { partitioners } from './partitioner.ts'
import type { Partitioner } from './partitioner.ts'
import { findPreset, presetOptions, presets } from './presets.ts'
import { Storage } from './storage.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'
import { lastWriteWins } from './versions.ts'

/** Real power losses of one simulation at most. */
const LOSSES_MAX = 100
/** How long nodes may take after a power loss until they know again who holds what, or who is the primary. */
const SETTLE_MS = 20_000
const LOOK_MS = 250
/** A write takes about this long; the power fails at any moment of it, or shortly after. */
const WRITE_MS = 12
const STEP_MS = 0.1
/** So often the power fails only after the write was answered. */
const ANSWERED_SHARE = 0.3
/** So often the power fails not during the write but around the checkpoint that follows: about this long after the first change since the last one. */
const CHECKPOINT_SHARE = 0.1
const CHECKPOINT_MS = 1_000

type Outcome = 'ok' | 'fail' | 'info' | 'none'

interface Tally {
  real: number
  imagined: number
  /** How many of them came after the write was confirmed. */
  confirmed: number
}

/** Whether any replica would still hold the value if the power failed on all nodes now. */
async function wouldSurvive(bench: Bench, partitioner: Partitioner, key: string, value: number, random: Random): Promise<boolean> {
  const disks = bench.cluster.nodes.map((node) => node.diskAfterPowerLoss(random))
  for (const disk of disks) {
    const storage = await Storage.open(disk, bench.clock, partitioner, { sync: 'always', syncIntervalMs: 1, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] })
    const held = (await storage.read(key)).value
    if (held !== null && Buffer.from(held).toString() === JSON.stringify(value)) return true
  }
  return false
}

/** Waits until a write of another key is confirmed. */
async function untilServing(bench: Bench): Promise<void> {
  await bench.until(async () => (await bench.client('n1').invoke({ f: 'write', key: 'serving', value: 0 })).type === 'ok', SETTLE_MS)
}

/** One write, imagined power losses on the way, and a real one. Resolves to a sentence when the store broke its word. */
async function lose(bench: Bench, partitioner: Partitioner, key: string, value: number, random: Random, tally: Tally): Promise<string | undefined> {
  await untilServing(bench)
  const write = { outcome: 'none' as Outcome }
  const writing = bench.client('n1').invoke({ f: 'write', key, value }).then(({ type }) => (write.outcome = type))
  const when = random.float()
  if (when < ANSWERED_SHARE) await writing
  else if (when < ANSWERED_SHARE + CHECKPOINT_SHARE) await bench.sleep(CHECKPOINT_MS - WRITE_MS / 2)
  for (let left = random.float() * WRITE_MS; left > 0; left -= STEP_MS) {
    await bench.sleep(Math.min(STEP_MS, left))
    tally.imagined++
    // What is confirmed while the disks are looked at was not confirmed when the power failed.
    const known = write.outcome
    if (known !== 'ok') continue
    tally.confirmed++
    if (!(await wouldSurvive(bench, partitioner, key, value, random))) return `the confirmed write of ${value} to ${key} would be on no replica`
  }
  const known = write.outcome
  await Promise.all(bench.cluster.nodes.map((node) => node.powerLoss()))
  await Promise.all(bench.cluster.nodes.map((node) => node.start()))
  await writing
  tally.real++
  if (known !== 'ok') return undefined
  tally.confirmed++
  for (let waited = 0; waited <= SETTLE_MS; waited += LOOK_MS) {
    if ((await bench.held(key)).includes(value)) return undefined
    await bench.sleep(LOOK_MS)
  }
  return `the confirmed write of ${value} to ${key} is on no replica`
}

/** Loses power until so many cases are done, and as many again if none came after a write was confirmed: without such, nothing was tried. */
async function loseAll(preset: string, cases: number, seed: number, tally: Tally): Promise<string | undefined> {
  const partitioner = partitioners[presetOptions(findPreset(preset), 3).partitioner]
  const isEnough = (): boolean => tally.real + tally.imagined >= (tally.confirmed > 0 ? cases : 2 * cases)
  for (let simulation = 0; !isEnough(); simulation++) {
    const random = seededRandom(seed).fork(`${preset} ${simulation}`)
    const broken = await simulate({ preset, nodes: 3, seed: random.int(2 ** 31) }, async (bench) => {
      for (let i = 0; i < LOSSES_MAX && !isEnough(); i++) {
        const sentence = await lose(bench, partitioner, `k${i % 20}`, i, random, tally)
        if (sentence !== undefined) return `${preset}, seed ${seed}, simulation ${simulation}, power loss ${i}: ${sentence}`
      }
      return undefined
    })
    if (broken !== undefined) return broken
  }
  return undefined
}

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  const names = Object.keys(presets)
  let passed = true
  for (const preset of names) {
    const tally: Tally = { real: 0, imagined: 0, confirmed: 0 }
    const broken = await loseAll(preset, Math.ceil(cases / names.length), seed, tally)
    print(broken ?? `${preset}: ${tally.imagined + tally.real} power losses, ${tally.real} of them real; ${tally.confirmed} came after the write was confirmed, and none is lost`)
    if (broken !== undefined || tally.confirmed === 0) passed = false
  }
  return passed
}

export const soak = {
  name: 'kv-power-loss',
  describes: 'power fails on all nodes at every step of a write and of the checkpoint after it: no confirmed write is lost',
  full: 100_000,
  slice: 15_000,
  run,
}
