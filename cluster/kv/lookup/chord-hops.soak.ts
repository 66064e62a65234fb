/**
 * Chord's cost at 10, 100, 1,000 and 10,000 simulated nodes, every one of which joined by the protocol: lookups end at
 * the right node after at most 0.6 log2 N + 1 hops on average, and a node remembers O(log N) others.
 */
import { ChordRing } from './testing/chord-ring.ts'

/** A node remembers at most this many times log2 N others. */
const STATE_FACTOR = 5
/** Below this many cases the largest ring is left out: it takes a minute. */
const LARGEST_FROM = 10_000

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  let good = true
  for (const nodes of cases < LARGEST_FROM ? [10, 100, 1_000] : [10, 100, 1_000, 10_000]) {
    await ChordRing.run({ nodes, seed }, async (ring) => {
      await ring.settle()
      const { right, meanHops } = await ring.lookups(cases)
      const hopsMax = 0.6 * Math.log2(nodes) + 1
      const stateMax = STATE_FACTOR * Math.log2(nodes)
      print(`${nodes} nodes: ${right} of ${cases} lookups were right after ${meanHops.toFixed(2)} hops on average (at most ${hopsMax.toFixed(2)}); a node knows at most ${ring.stateMax()} others (at most ${stateMax.toFixed(0)})`)
      if (right < cases || meanHops > hopsMax || ring.stateMax() > stateMax) good = false
    })
  }
  return good
}

export const soak = {
  name: 'chord-hops',
  describes: 'Chord from 10 to 10,000 simulated nodes: right lookups, mean hops at most 0.6 log2 N + 1, O(log N) state',
  full: 10_000,
  slice: 500,
  run,
}
