/**
 * Power fails on every node at once, at a random moment of a write, again and again: what was confirmed before
 * must be there afterwards. Every preset, three simulated nodes, sync `always`.
 */
import { seededRandom } from '../../harness/random.ts'
import { presets } from './presets.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'

/** Power losses of one simulation at most. */
const LOSSES_MAX = 200
/** How long nodes that find keys by asking each other may take after a power loss until they know again who holds what. */
const SETTLE_MS = 20_000
const LOOK_MS = 250
/** A write takes about this long; the power fails at any moment of it, or shortly after. */
const WRITE_MS = 12

type Outcome = 'ok' | 'fail' | 'info' | 'none'

/** One write and one power loss. Resolves to a sentence when the store broke its word. */
async function lose(bench: Bench, key: string, value: number, delayMs: number, tally: Record<Outcome, number>): Promise<string | undefined> {
  const write = { outcome: 'none' as Outcome }
  const writing = bench.client('n1').invoke({ f: 'write', key, value }).then(({ type }) => (write.outcome = type))
  await bench.sleep(delayMs)
  const known = write.outcome
  await Promise.all(bench.cluster.nodes.map((node) => node.powerLoss()))
  await Promise.all(bench.cluster.nodes.map((node) => node.start()))
  await writing
  tally[known]++
  if (known !== 'ok') return undefined
  for (let waited = 0; waited <= SETTLE_MS; waited += LOOK_MS) {
    if ((await bench.held(key)).includes(value)) return undefined
    await bench.sleep(LOOK_MS)
  }
  return `the confirmed write of ${value} to ${key} is on no replica`
}

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  const names = Object.keys(presets)
  const each = Math.ceil(cases / names.length)
  const losses = Math.min(LOSSES_MAX, each)
  for (const preset of names) {
    const tally: Record<Outcome, number> = { ok: 0, fail: 0, info: 0, none: 0 }
    for (let done = 0; done < each; done += losses) {
      const random = seededRandom(seed).fork(`${preset} ${done}`)
      const broken = await simulate({ preset, nodes: 3, seed: random.int(2 ** 31) }, async (bench) => {
        for (let i = 0; i < losses; i++) {
          const sentence = await lose(bench, `k${i % 20}`, i, random.float() * WRITE_MS, tally)
          if (sentence !== undefined) return `${preset}, seed ${seed}, power loss ${done + i}: ${sentence}`
        }
        return undefined
      })
      if (broken !== undefined) {
        print(broken)
        return false
      }
    }
    print(`${preset}: ${tally.ok} writes were confirmed before the power failed and none is lost; ${tally.none} had no answer yet`)
  }
  return true
}

export const soak = {
  name: 'kv-power-loss',
  describes: 'power fails on all nodes at every moment of a write: no confirmed write is lost',
  full: 100_000,
  slice: 800,
  run,
}
