/** Soaks: the same seed gives the same cases whoever runs them, and a failure can be repeated alone. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { diceUpTo, soak } from './dice.ts'

async function lines(run: (print: (line: string) => void) => Promise<boolean>): Promise<{ readonly passed: boolean; readonly printed: string[] }> {
  const printed: string[] = []
  return { passed: await run((line) => printed.push(line)), printed }
}

test('many cases run on threads, and are the same ones every time', async () => {
  const once = await lines((print) => soak.run(50_000, 3, print))
  const again = await lines((print) => soak.run(50_000, 3, print))
  assert.ok(once.passed)
  assert.equal(once, again)
  const [, doubles] = /^50000 throws, (\d+) doubles$/.exec(once.printed[0]!)!
  assert.ok(Math.abs(Number(doubles) - 50_000 / 6) < 500, doubles)
})

test('a case that fails is shown with the command that repeats it alone', async () => {
  const { passed, printed } = await lines((print) => diceUpTo(11).run(5_000, 3, print))
  assert.not.ok(passed)
  const [, cases, seed] = /^This case alone: npm run soak -- dice --cases (\d+) --seed (\d+)$/.exec(printed[2]!)!
  const again = await lines((print) => diceUpTo(11).run(Number(cases), Number(seed), print))
  assert.equal(again.printed, printed)
})

test.run()
