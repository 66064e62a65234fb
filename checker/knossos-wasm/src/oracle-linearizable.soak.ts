/**
 * Soak: random small histories of every model, judged by the portfolio and by the brute-force oracle.
 */
import { acceptZones } from './accept-zones.ts'
import { check } from './check.ts'
import { models } from './models.ts'
import { faultIn } from './verify.ts'
import { oracle } from './oracle.ts'
import { chance, randomHistory, randomShape } from './testing/random-history.ts'
import type { KeyVerdict } from './check.ts'
import type { History } from './history.ts'
import type { Model } from './model.ts'

const register = models.register()
/** Registers come up more often: most of the portfolio is about them. */
const suspects: readonly Model[] = [
  register, register, models.register({ initial: 0 }), models.register({ nilReads: 'unknown' }),
  models.casRegister(), models.casRegister(), models.casRegister({ initial: 0 }), models.casRegister({ failedCas: 'strict' }), models.casRegister({ failedCas: 'strict', initial: 1 }),
  ...Object.values(models).slice(2).map((make) => make()),
]

/** One random history; `complaint` is a disagreement in words. */
export async function compareWithOracle(seed: number, only?: Model): Promise<{ readonly verdict: string; readonly complaint?: string }> {
  const next = chance(seed)
  const model = only ?? suspects[next(suspects.length)]!
  const history = randomHistory(model, randomShape(next, only === undefined ? 7 : 9), next)
  const expected = oracle(history, model) ? 'holds' : 'violated'
  const { verdict, reason, witness } = await check(history, { model, elapsedMs: () => 0 })
  const { perKey } = verdict === 'holds' ? await check(history, { model, elapsedMs: () => 0, linearization: true }) : { perKey: [] }
  const fault = perKey.map((key) => (key.verdict === 'holds' ? faultIn(history, key.key, key.linearization ?? [], model) : 'no linearization')).find((one) => one !== undefined)
  const accepted = misaccepted(history, model, verdict, perKey)
  if (verdict === expected && fault === undefined && accepted === undefined && (witness === undefined || witness.operations.length > 0)) return { verdict }
  const lines = Array.from({ length: history.length }, (_, row) => JSON.stringify(history.event(row)))
  return { verdict, complaint: `seed ${seed}: ${model.name} ${JSON.stringify(model.register ?? {})}: the oracle says ${expected}, the checker ${verdict} ${reason ?? ''} ${fault ?? ''} ${accepted ?? ''}\n${lines.join('\n')}` }
}

/** What is wrong with what the quick acceptor of large histories says about a small one. */
function misaccepted(history: History, model: Model, verdict: string, perKey: readonly KeyVerdict[]): string | undefined {
  if (model.register === undefined) return undefined
  const accepted = acceptZones(history, model, model.register, history.values.encode(model.register.initial))
  if (accepted === null) return undefined
  if (verdict !== 'holds') return 'accepted over the columns'
  const told = accepted.map(({ key, operations, events }) => JSON.stringify([history.values.decode(key), operations, events]))
  const expected = perKey.map(({ key, operations, decidedEvents }) => JSON.stringify([key, operations, decidedEvents]))
  return told.join() === expected.join() ? undefined : `accepted as ${told.join()}, decided as ${expected.join()}`
}

export const soak = {
  name: 'oracle-linearizable',
  describes: 'random small histories of all models: the portfolio agrees with the brute-force oracle',
  full: 1_000_000,
  slice: 5_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    let violated = 0
    for (let i = 0; i < cases; i++) {
      const { verdict, complaint } = await compareWithOracle(seed + i)
      if (complaint !== undefined) {
        print(complaint)
        return false
      }
      if (verdict === 'violated') violated++
      if ((i + 1) % 50_000 === 0) print(`${i + 1} histories agree, ${violated} of them violated`)
    }
    print(`${cases} histories agree with the oracle, ${violated} of them violated`)
    return violated > 0 && violated < cases
  },
}
