/** The loop of a soak: random small histories, of real registers with mistakes, of replicated stores, and near the borders between models, until the check finds fault with one. */
import { chance } from './chance.ts'
import { mutatedOperations } from './mutated.ts'
import { randomOperations } from './operations.ts'
import { replicatedOperations } from './replicated.ts'
import type { Operation } from './operations.ts'

/** Runs a check on random histories; the check says in words what is wrong, or undefined. */
export async function soakHistories(cases: number, seed: number, print: (line: string) => void, check: (operations: readonly Operation[]) => string | undefined | Promise<string | undefined>): Promise<boolean> {
  const random = chance(seed)
  for (let at = 0; at < cases; at++) {
    const keys = 1 + random(2)
    const kind = random(3)
    const operations = kind === 0 ? mutatedOperations(random) : kind === 1 ? replicatedOperations(random, { operations: 5 + random(5), keys, writesMax: 5 }) : randomOperations(random, { processes: 2 + random(2), operations: 3 + random(7), keys, noise: [0, 20, 50, 100][random(4)]! })
    const wrong = await check(operations)
    if (wrong === undefined) continue
    print(`case ${at} of seed ${seed}: ${wrong}`)
    print(JSON.stringify(operations, undefined, 1))
    return false
  }
  return true
}
