/**
 * The core mixes of YCSB (Cooper et al., "Benchmarking cloud serving systems with YCSB", SoCC 2010): A half updates,
 * B few updates, C reads only, D reads of the latest, E short scans (here: reads of neighbouring keys one by one, since the
 * store has no scans), F read-modify-write. Keys are zipfian as there: a few are hot.
 */
import { z } from 'zod'
import { registerJudgements } from '../checker/index.ts'
import type { Random } from '../harness/env.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const mixes = {
  a: { read: 0.5, insert: 0 },
  b: { read: 0.95, insert: 0 },
  c: { read: 1, insert: 0 },
  d: { read: 0.95, insert: 0.05 },
  e: { read: 0.95, insert: 0.05 },
  f: { read: 0.5, insert: 0 },
} as const

const options = z.strictObject({
  mix: z.enum(['a', 'b', 'c', 'd', 'e', 'f']).default('a').describe('the mix of YCSB'),
  keys: z.int().min(1).max(100_000).default(200).describe('keys at the beginning; d and e add as many at most'),
  skew: z.number().min(0).max(5).default(0.99).describe('exponent of the zipfian distribution; 0: uniform'),
  valueBytes: z.int().min(0).max(1_000_000).default(0).describe('bytes by which every value is padded'),
  scanLength: z.int().min(1).max(1_000).default(10).describe('keys that a scan of mix e reads at most'),
})

export const mixed = workloadKind({
  name: 'mixed',
  describes: 'the mixes A to F of YCSB, with zipfian keys',
  finds: 'what register finds, under the loads of applications: few keys are hot, most are cold',
  needs: ['read', 'write'],
  options,
  make,
})

/** Values written, keys there, keys still to be scanned, and who reads what it will change. */
interface State {
  readonly written: number
  readonly present: number
  readonly scanning: readonly number[]
  readonly changing: number
}

function make({ mix, keys, skew, valueBytes, scanLength }: z.output<typeof options>, store: Store): Workload {
  const names = Array.from({ length: mix === 'd' || mix === 'e' ? keys * 2 : keys }, (_, at) => `u${at}`)
  const zipf = zipfian(keys, skew)
  const value = (written: number): number | string => (valueBytes === 0 ? written : `${written}:${'x'.repeat(valueBytes)}`)
  const write = (state: State, at: number): readonly [Op, State] => [{ f: 'write', key: names[at]!, value: value(state.written + 1) }, { ...state, written: state.written + 1 }]
  const next = (state: State, { random }: Context): readonly [Op, State] => {
    const [scanned, ...scanning] = state.scanning
    if (scanned !== undefined) return [{ f: 'read', key: names[scanned]! }, { ...state, scanning }]
    if (state.changing >= 0) return write({ ...state, changing: -1 }, state.changing)
    const { read, insert } = mixes[mix]
    if (insert > 0 && random.float() < insert && state.present < names.length) return write({ ...state, present: state.present + 1 }, state.present)
    // Of the latest: the hottest key is the youngest.
    const at = mix === 'd' ? state.present - 1 - zipf(random) : zipf(random)
    if (random.float() < read) {
      const scan = mix === 'e' ? Array.from({ length: random.int(scanLength) }, (_, step) => at + 1 + step).filter((one) => one < state.present) : []
      return [{ f: 'read', key: names[at]! }, { ...state, scanning: scan }]
    }
    return mix === 'f' ? [{ f: 'read', key: names[at]! }, { ...state, changing: at }] : write(state, at)
  }
  return {
    name: 'mixed',
    describes: `mix ${mix.toUpperCase()} of YCSB over ${keys} keys, ${skew === 0 ? 'uniform' : `zipfian (${skew})`}, of a store with ${[...store.functions].join(', ')}`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { written: 0, present: keys, scanning: [], changing: -1 }, next })),
    keys: () => names,
    judgements: registerJudgements(),
  }
}

/** Draws from 0 to count - 1, i with a weight of 1 / (i + 1)^skew. */
function zipfian(count: number, skew: number): (random: Random) => number {
  const sums: number[] = []
  for (let at = 0; at < count; at++) sums.push((sums[at - 1] ?? 0) + 1 / (at + 1) ** skew)
  return (random) => {
    const drawn = random.float() * sums[count - 1]!
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}
