/**
 * Half of a Chord ring's nodes die at once, with k = ceil(log2 N) successors. After stabilisation lookups must end at
 * the right survivor: at least 99.9 % of them. A case is one lookup.
 */
import { ChordRing } from './testing/chord-ring.ts'

const SHARE_MIN = 0.999
const LOOKUPS_PER_RING = 1_000
const SIZES = [16, 100, 1_000]

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  let good = true
  for (const nodes of SIZES) {
    let right = 0
    let asked = 0
    for (let i = 0; asked < cases / SIZES.length; i++) {
      await ChordRing.run({ nodes, seed: seed + i }, async (ring) => {
        await ring.settle()
        ring.killHalf()
        await ring.settle()
        right += (await ring.lookups(LOOKUPS_PER_RING)).right
        asked += LOOKUPS_PER_RING
      })
    }
    print(`${nodes} nodes, half of them killed: ${right} of ${asked} lookups were right afterwards`)
    if (right < SHARE_MIN * asked) good = false
  }
  return good
}

export const soak = {
  name: 'chord-failures',
  describes: 'half of a Chord ring dies at once: at least 99.9 % of the lookups are right after stabilisation',
  full: 90_000,
  slice: 3_000,
  run,
}
