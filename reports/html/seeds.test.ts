import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { factsOf } from '../facts.ts'
import { fakeTour } from '../testing/tour.ts'
import { seedsSection } from './seeds.ts'

const runs = (await Promise.all([3, 4].map((seed) => fakeTour({ seconds: 4, seed })))).map((tour, index) => ({ seed: index + 3, tour }))
const seeds = ['abd', 'one'].map((name) => ({ name, runs: runs.map(({ seed, tour }) => ({ seed, facts: factsOf(name, tour.find((run) => run.name === name)!.document) })) }))

test('every configuration has a panel with a mark for each seed, and a row with its weakest run', () => {
  const text = seedsSection(seeds)!.text
  assert.is([...text.matchAll(/<figure>/g)].length, 2)
  assert.is([...text.matchAll(/class="minority"/g)].length, 4)
  const [abd, one] = [...text.matchAll(/<tr data-configuration.*?<\/tr>/g)].map(([row]) => row)
  assert.match(abd!, '<td>3, 4</td><td>0 of 2</td><td>linearizable</td>')
  assert.not.match(one!, 'linearizable')
})

test('without several seeds there is nothing to show', () => {
  assert.is(seedsSection(seeds.map(({ name, runs: all }) => ({ name, runs: all.slice(0, 1) }))), null)
})

test.run()
