/**
 * Exceptions: why operations failed or remained unknown, by what their clients said, with an example of each. Also
 * a check of the harness itself: a client that answered with something that is no completion proves nothing about the store. A
 * measurement otherwise, as Jepsen's checker of unhandled exceptions.
 */
import { FAIL } from './history/index.ts'
import type { History } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'

/** Why operations did not succeed. */
export const exceptions: Judgement = {
  name: 'exceptions',
  describes: 'counts the errors that clients met, by their code, with an example of each; linear',
  judge,
}

function judge(history: History): JudgementVerdict {
  const kinds = new Map<string, { fail: number; info: number; first_row: number; example: string }>()
  let counted = 0
  for (const [row, text] of history.errors) {
    if (history.process[row]! < 0) continue
    counted++
    const code = /^[\w-]+/.exec(text)?.[0] ?? text
    const kind = kinds.get(code) ?? { fail: 0, info: 0, first_row: row, example: text }
    kinds.set(code, kind)
    if (history.type[row] === FAIL) kind.fail++
    else kind.info++
  }
  const errors = [...kinds].map(([code, kind]) => ({ code, ...kind })).sort((a, b) => b.fail + b.info - a.fail - a.info)
  const malformed = kinds.get('malformed-completion')
  const base = { judgement: 'exceptions', operations: counted, witnesses: [], metrics: { errors } }
  const summary = errors.length === 0 ? 'No operation met an error.' : `${counted} operations met an error: ${errors.slice(0, 5).map(({ code, fail, info }) => `${code} ${fail + info}`).join(', ')}.`
  if (malformed !== undefined) return { ...base, verdict: 'unknown', reason: `${malformed.info} answers of clients were no completions: the client is at fault`, summary }
  return { ...base, verdict: 'holds', summary }
}
