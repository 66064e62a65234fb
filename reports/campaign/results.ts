/**
 * What a campaign leaves behind: `results.jsonl`, one line for each run, written when the run ends. Everything that is
 * shown of a campaign is computed from these lines, so that one that was killed is worth what it got done.
 */
import { z } from 'zod'
import { weakerThan } from '../../checker/ladder.ts'
import { models, type JudgementVerdict, type VerdictDocument } from '../../checker/verdict.ts'
import type { History } from '../../checker/history/index.ts'
import { factsOf } from '../facts.ts'
import { countsFor } from '../promise.ts'
import { fingerprintOf } from './fingerprint.ts'

const findingSchema = z.strictObject({
  judgement: z.string(),
  fingerprint: z.string().describe('equal for violations that look alike: model or anomaly, kind of fault, whether an outcome was unknown'),
  size: z.int().describe('operations in the witness'),
  explanation: z.string(),
})

/** One run of a campaign. */
export const resultSchema = z.strictObject({
  configuration: z.string().describe('the row of the matrix'),
  nemesis: z.string().describe('the column of the matrix'),
  seed: z.int(),
  verdict: z.enum(['holds', 'violated', 'unknown']),
  reason: z.string().nullable().describe('why it is unknown'),
  sentence: z.string(),
  strongest: z.enum(models).nullable(),
  operations: z.int(),
  majority: z.number().nullable().describe('share answered on the majority side of partitions'),
  minority: z.number().nullable(),
  p50_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
  elapsed_ms: z.number().describe('by the clock of the machine, from start to verdict'),
  findings: z.array(findingSchema).describe('what broke the promise'),
  dir: z.string().nullable().describe("the run's folder, relative to the campaign's"),
  repeat: z.string().describe('the command that makes this run again'),
})
export type Result = z.infer<typeof resultSchema>
export type ResultFinding = z.infer<typeof findingSchema>

/** Where a run stands in its campaign. */
export type Place = Pick<Result, 'configuration' | 'nemesis' | 'seed' | 'dir' | 'repeat' | 'elapsed_ms'>

/** The line of a judged run. */
export function resultOf(place: Place, document: VerdictDocument, history: History): Result {
  const facts = factsOf(place.configuration, document)
  return {
    ...place,
    verdict: document.verdict,
    reason: document.verdict === 'unknown' ? (document.reason ?? document.sentence) : null,
    sentence: document.sentence,
    strongest: document.strongest,
    operations: document.operations.invoked,
    majority: facts.majority?.share ?? null,
    minority: facts.minority?.share ?? null,
    p50_ms: facts.latency?.p50_ms ?? null,
    p99_ms: facts.latency?.p99_ms ?? null,
    findings: telling(document).map((judgement): ResultFinding => {
      const witness = judgement.witnesses.toSorted((a, b) => a.operations.length - b.operations.length)[0]
      return { judgement: judgement.judgement, fingerprint: fingerprintOf(judgement, witness, history, document.faults), size: witness?.operations.length ?? 0, explanation: witness?.explanation ?? judgement.summary }
    }),
  }
}

/** What broke the promise, without models that broke only because a weaker one did. */
function telling(document: VerdictDocument): JudgementVerdict[] {
  const broken = document.judgements.filter((one) => one.verdict === 'violated' && countsFor(document, one))
  const brokenModels = new Set(broken.flatMap(({ model }) => (model === undefined ? [] : [model])))
  return broken.filter(({ model }) => model === undefined || !weakerThan(model).some((weaker) => brokenModels.has(weaker)))
}

/** The line of a run that could not be carried out: nothing is known about the store. */
export function crashResult(place: Place, message: string): Result {
  return { ...place, verdict: 'unknown', reason: `the run failed: ${message}`, sentence: `The run failed: ${message}`, strongest: null, operations: 0, majority: null, minority: null, p50_ms: null, p99_ms: null, findings: [] }
}
