/**
 * The verdict of a run in plain words: what was promised or expected, what became of it, when and during which fault,
 * what was asked for beside it and missed, whether replicas converged, and what was lost.
 */
import { brokenBeside, requests, requestsMissed, termsOf } from './terms.ts'
import { countsOf } from './transactional.ts'
import type { History } from './history/index.ts'
import type { FaultWindow, JudgementVerdict, Rung, VerdictDocument } from './verdict.ts'

type Document = Omit<VerdictDocument, 'sentence'>

/** "Promised linearizable. Violated: 3 of 20 keys; the first after 12.4 s, 0.3 s into partition(majority-minority). Converged 1.2 s after the heal. 4 acknowledged writes lost." */
export function sentenceOf(document: Document, history: History): string {
  const { promised, expected } = termsOf(document)
  return [`${expected ? 'Expected' : 'Promised'} ${promised}.`, outcome(document, history), ...missed(document), ...converged(document), ...lost(document)].join(' ')
}

function outcome(document: Document, history: History): string {
  const rung = document.ladder.find((one) => one.model === document.promised)!
  const { invoked } = document.operations
  if (document.promise_verdict === 'unknown') return `Unknown: ${document.reason ?? 'not judged'}.`
  if (document.promise_verdict === 'holds') return `Holds: not refuted by ${invoked.toLocaleString('en-US')} operations.`
  if (document.promised === 'eventual' || rung.verdict !== 'violated') return `Violated: ${beside(document)}.`
  const judgement = refuting(document, rung)
  const first = firstMoment(history, judgement)
  const when = first === undefined ? '' : `; the first after ${seconds(first)}${during(document.faults, first)}`
  const name = judgement.judgement === document.promised ? '' : ` (${judgement.judgement})`
  return `Violated${name}: ${extent(judgement)}${when}.`
}

/** What was violated beside the promised rung: "convergence and durability". */
function beside(document: Document): string {
  const { isolation } = document
  return brokenBeside(document).map(({ judgement }) => (judgement === 'transactions' && isolation !== undefined ? countsOf(isolation) : judgement)).join(' and ')
}

/** What was asked for beside the promise: "Missed its objectives: p99<1ms: 5.3 ms." */
function missed(document: Document): string[] {
  const told = requestsMissed(document).map(({ judgement, summary }) => `${requests[judgement]}: ${summary.replace(/\.$/, '')}.`)
  return document.verdict === 'unknown' && document.promise_verdict === 'holds' ? [...told, `Beside that unknown: ${document.reason}.`] : told
}

/** The judgement that decided the rung: its own, or that of a weaker model which is violated. */
function refuting({ judgements, promised }: Document, rung: Rung): JudgementVerdict {
  const model = rung.by.startsWith('implied by ') ? rung.by.slice('implied by '.length) : promised
  return judgements.find((one) => one.model === model && one.verdict === 'violated')!
}

function extent({ metrics, witnesses }: JudgementVerdict): string {
  for (const what of ['keys', 'sessions']) {
    const [violated, all] = [metrics[`${what}_violated`], metrics[what]]
    if (typeof violated === 'number' && violated > 0 && typeof all === 'number') return `${violated} of ${all} ${all === 1 ? what.slice(0, -1) : what}`
  }
  return `${witnesses.length} ${witnesses.length === 1 ? 'witness' : 'witnesses'}`
}

/** When the earliest witness was complete, in nanoseconds. */
function firstMoment(history: History, { witnesses }: JudgementVerdict): number | undefined {
  const moments = witnesses.filter((one) => one.operations.length > 0).map(({ operations }) => Math.max(...operations.map((row) => {
    const done = history.pair[row]!
    return history.timeAt(done >= 0 ? done : row)
  })))
  return moments.length === 0 ? undefined : Math.min(...moments)
}

function during(faults: readonly FaultWindow[], moment: number): string {
  const inside = faults.filter((window) => window.from_ns <= moment && moment <= window.to_ns)
  if (inside.length > 0) return inside.map((window) => `, ${seconds(moment - window.from_ns)} into ${window.fault}`).join('')
  const past = faults.filter((window) => window.to_ns < moment).at(-1)
  return past === undefined ? '' : `, ${seconds(moment - past.to_ns)} after ${past.fault}`
}

function converged({ convergence, faults, judgements }: Document): string[] {
  if (convergence.agreed === false) return [`${convergence.diverged_keys} of ${convergence.keys} keys never converged.`]
  const verdict = judgements.find((one) => one.judgement === 'convergence')
  if (verdict?.verdict === 'violated') return ['Replicas converged on a value that nobody wrote.']
  if (convergence.agreed === null) return []
  const from = verdict?.metrics['counted_from'] === 'the heal' && faults.length > 0 ? 'the heal' : 'the last write'
  return [`Converged ${seconds(convergence.time_to_converge_ms! * 1e6)} after ${from}.`]
}

function lost({ durability, judgements }: Document): string[] {
  const verdict = judgements.find((one) => one.judgement === 'durability')?.verdict
  if (durability.lost > 0) return [`${durability.lost} acknowledged ${durability.lost === 1 ? 'write' : 'writes'} lost.`]
  return verdict === 'holds' ? ['No acknowledged write lost.'] : []
}

/** Nanoseconds as seconds, to a tenth; to a hundredth below one. */
function seconds(nanoseconds: number): string {
  const value = nanoseconds / 1e9
  return `${value.toFixed(value < 1 ? 2 : 1)} s`
}
