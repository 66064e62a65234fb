/**
 * Vacuity: did the run test anything? A store that refuses every operation breaks no promise, and a partition that
 * never cut a link proves nothing. Such a run is unknown, never a pass (the gate on traffic of etcd's robustness
 * tests, and the failed-injection rule of every Jepsen review).
 */
import { cutShort } from './cut-short.ts'
import { FAIL, INVOKE, OK } from './history/index.ts'
import { untried } from './faults.ts'
import { windowName } from './periods.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'

/** The run went on to its end, enough operations succeeded, reads and writes among them, and every fault bit, met a client and was healed. */
export const vacuity: Judgement = {
  name: 'vacuity',
  describes: 'the run went on to its end, enough operations succeeded, reads and writes among them, and every fault was observed to bite and to be healed, and met clients at work',
  judge,
}

/** How many client operations were invoked, and how they ended; those still open count as info. */
export function outcomes(history: History): { invoked: number; ok: number; fail: number; info: number } {
  const counts = { invoked: 0, ok: 0, fail: 0, info: 0 }
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    const done = history.pair[row]!
    counts.invoked++
    if (done >= 0 && history.type[done] === OK) counts.ok++
    else if (done >= 0 && history.type[done] === FAIL) counts.fail++
    else counts.info++
  }
  return counts
}

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const counts = outcomes(history)
  const enough = context.okMin ?? 1
  const idle = idleFunctions(history)
  const cut = cutShort(history)
  const bit = context.faults.filter((window) => window.bit)
  const reasons = [
    ...(cut === undefined ? [] : [cut]),
    ...(counts.ok < enough ? [`only ${counts.ok} operations succeeded (at least ${enough} are needed)`] : []),
    ...idle.map((f) => `no ${f} succeeded`),
    ...context.faults.filter((window) => !window.bit).map((window) => `${windowName(window)} did not bite (${window.evidence || 'no evidence'})`),
    ...bit.filter((window) => window.healed_ns === null).map((window) => `the heal of ${windowName(window)} was not observed`),
    ...untried(history, bit).map((fault) => `no client was at work while ${fault} lasted`),
  ]
  const base = { judgement: 'vacuity', operations: counts.invoked, witnesses: [], metrics: { ...counts, faults: context.faults.length, faults_bit: bit.length } }
  if (reasons.length > 0) return { ...base, verdict: 'unknown', reason: `vacuous: ${reasons.join('; ')}`, summary: `The run proves little: ${reasons.join('; ')}.` }
  return { ...base, verdict: 'holds', summary: `${counts.ok} of ${counts.invoked} operations succeeded${context.faults.length > 0 ? `, ${context.faults.length} faults bit and were healed` : ''}.` }
}

/** Of read and write those that clients invoked and that never once succeeded. */
function idleFunctions(history: History): string[] {
  return ['read', 'write'].filter((name) => {
    const f = history.functions.indexOf(name)
    let invoked = false
    for (let row = 0; row < history.length; row++) {
      if (history.f[row] !== f || history.process[row]! < 0) continue
      if (history.type[row] === OK) return false
      invoked = true
    }
    return invoked
  })
}
