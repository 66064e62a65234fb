/** Random small histories of objects: their judgements against their definitions by brute force. */
import { bankTotal } from './bank-total.ts'
import { counterBounds } from './counter-bounds.ts'
import { longFork } from './long-fork.ts'
import { queueTotal } from './queue-total.ts'
import { setFull } from './set-full.ts'
import { context } from './testing/context.ts'
import { bankTruth, counterTruth, longForkTruth, queueTruth, setTruth } from './testing/object-oracles.ts'
import { drawBank, drawCounter, drawQueue, drawSet, drawSnapshots, historyOfDeeds } from './testing/objects.ts'
import { soakOf } from './testing/soak.ts'
import type { Judgement } from './judgement.ts'
import type { Chance } from './testing/chance.ts'
import type { Truth } from './testing/object-oracles.ts'
import type { Deed } from './testing/objects.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'

/** A history of each object, and how strictly it is judged. */
interface Histories {
  readonly set: readonly Deed[]
  readonly counter: readonly Deed[]
  readonly queue: readonly Deed[]
  readonly bank: readonly Deed[]
  readonly snapshots: readonly Deed[]
  readonly staleIsViolation: boolean
  readonly negativeAllowed: boolean
  /** Money in each bank; null: whatever the first read finds. */
  readonly total: number | null
}

function draw(random: Chance): Histories {
  return {
    set: drawSet(random),
    counter: drawCounter(random),
    queue: drawQueue(random),
    bank: drawBank(random),
    snapshots: drawSnapshots(random),
    staleIsViolation: random(2) === 0,
    negativeAllowed: random(2) === 0,
    total: [null, 10][random(2)]!,
  }
}

/** What disagrees, in words. */
function disagreement({ set, counter, queue, bank, snapshots, staleIsViolation, negativeAllowed, total }: Histories, count: Count): string | undefined {
  return [
    compared('set', set, setFull({ staleIsViolation }), setTruth(set, staleIsViolation), count),
    compared('counter', counter, counterBounds(), counterTruth(counter), count),
    compared('queue', queue, queueTotal(), queueTruth(queue), count),
    compared('bank', bank, bankTotal({ negativeAllowed, ...(total === null ? {} : { total }) }), bankTruth(bank, total ?? undefined, negativeAllowed), count),
    compared('snapshots', snapshots, longFork(), longForkTruth(snapshots), count),
  ].find((one) => one !== undefined)
}

/** The verdict and every metric. */
function compared(object: string, deeds: readonly Deed[], judgement: Judgement, truth: Truth, count: Count): string | undefined {
  const { verdict, metrics, summary } = judgement.judge(historyOfDeeds(deeds), context) as JudgementVerdict
  count(`${object} ${truth.verdict}`)
  if (verdict !== truth.verdict) return `${object}: we say ${verdict}, by definition it is ${truth.verdict}: ${summary}`
  const wrong = [...new Set([...Object.keys(metrics), ...Object.keys(truth.metrics)])].filter((name) => metrics[name] !== truth.metrics[name])
  return wrong.length === 0 ? undefined : `${object}: ${wrong.map((name) => `${name} is ${JSON.stringify(metrics[name])}, by definition ${truth.metrics[name]}`).join('; ')}`
}

const OBJECTS = ['set', 'counter', 'queue', 'bank', 'snapshots']

export const soak = soakOf(import.meta.url, {
  name: 'oracle-objects',
  describes: 'sets, counters, queues, banks and long forks against brute force',
  full: 200_000,
  slice: 2_000,
  draw,
  check: disagreement,
  says: (cases, counted) => `${cases} histories of each; violated, held: ${OBJECTS.map((object) => `${object} ${counted(`${object} violated`)}, ${counted(`${object} holds`)}`).join('; ')}`,
})
