/**
 * Soak: medium histories of registers with unique values, to which zones and the window both apply: they must agree.
 */
import { createEngine } from './engine.ts'
import { registerProblem } from './problem.ts'
import { registerKeys } from './register.ts'
import { models } from './models.ts'
import { runWindow } from './window.ts'
import { checkZones } from './zones.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { simulatedHistory } from './testing/simulated-history.ts'

export const soak = {
  name: 'portfolio',
  describes: 'medium histories (up to 400 operations): zones and the window engine agree',
  full: 10_000,
  slice: 300,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const engine = await createEngine()
    const model = models.casRegister()
    let violated = 0
    for (let i = 0; i < cases; i++) {
      const next = chance(seed + i)
      const processes = 1 + next(12)
      const crashed = [0, 1, 5, 20][next(4)]!
      const history = next(2) === 0
        ? simulatedHistory({ operations: 20 + next(380), processes, model: next(2) === 0 ? 'register' : 'cas-register', crashed: crashed / 100, stale: next(2) === 0, seed: seed + i })
        : randomHistory(model, { operations: 10 + next(90), processes, crashed, wrong: next(4), values: 0, keys: 1, ties: next(2) === 0 }, next)
      for (const { ops } of registerKeys(history, model, model.register!)) {
        const zones = checkZones(ops, -1)
        if (zones.type === 'ambiguous') continue
        const window = runWindow(engine, registerProblem(ops, -1, (code) => code), { memoryLimitMb: 1000, elapsedMs: () => 0, deadlineMs: 1, visitsMax: 5_000_000 })
        if (window.type === 'unknown') continue
        if (window.type === 'violated') violated++
        if (window.type !== zones.type) {
          print(`seed ${seed + i}: zones say ${zones.type}, the window says ${window.type}`)
          return false
        }
      }
    }
    print(`${cases} medium histories agree, ${violated} of them violated`)
    return violated > 0
  },
}
