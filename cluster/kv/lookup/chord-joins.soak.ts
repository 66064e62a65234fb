/**
 * A hundred nodes join a Chord ring of ten at once: the end is one ring in which everyone knows its true neighbours.
 * A case is one such crowd.
 */
import { ChordRing } from './testing/chord-ring.ts'

const CROWD = 100

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  let roundsMax = 0
  for (let i = 0; i < cases; i++) {
    const misplaced = await ChordRing.run({ nodes: 10, seed: seed + i }, async (ring) => {
      await ring.settle()
      ring.join(CROWD)
      roundsMax = Math.max(roundsMax, await ring.settle())
      return ring.misplaced()
    })
    if (misplaced > 0) {
      print(`seed ${seed + i}: ${misplaced} of ${CROWD + 10} nodes do not know their neighbours`)
      return false
    }
  }
  print(`${cases} times ${CROWD} nodes joined a ring of 10 at once: the one right ring within ${roundsMax} rounds of stabilisation`)
  return true
}

export const soak = {
  name: 'chord-joins',
  describes: '100 nodes join a Chord ring at once: one right ring',
  full: 100,
  slice: 2,
  run,
}
