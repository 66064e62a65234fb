/**
 * Carries a campaign through on this machine: a worker of its own takes its runs, beside those of other machines where
 * there are any, while somebody watches. What was recorded stays, whatever ends it.
 */
import type { CampaignEvent, CampaignProgress } from '../../reports/campaign/events.ts'
import type { Result } from '../../reports/campaign/results.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../env.ts'
import { endCampaign, findCampaign } from '../store/campaigns.ts'
import type { Contents } from '../store/contents.ts'
import type { Database } from '../store/database.ts'
import type { Queue } from '../store/queue.ts'
import { progressOf } from '../store/progress.ts'
import { work } from './worker.ts'

/** How a campaign is carried through. */
export interface CampaignOptions {
  readonly database: Database
  readonly queue: Queue
  readonly contents: Contents
  readonly clock: Clock
  /** Runs at once on this machine; 0: others do them all. */
  readonly concurrency: number
  readonly commit: string | null
  /** Pauses the campaign. */
  readonly signal: AbortSignal
  readonly emit: (event: CampaignEvent) => void
}

const LOOK_MS = 500

/** Resolves when the campaign has ended, or was paused because somebody interrupted it. */
export async function runCampaign(id: number, options: CampaignOptions): Promise<void> {
  const { database, clock, signal, emit, concurrency } = options
  const ended = new AbortController()
  const over = AbortSignal.any([signal, ended.signal])
  let seen: CampaignProgress = await look(id, options)
  const onResult = (result: Result): void => {
    seen = { ...seen, done: seen.done + 1 }
    emit({ type: 'result', done: seen.done, total: seen.total, result })
  }
  const working = concurrency === 0 ? Promise.resolve() : work({ ...options, campaign: id, whenIdle: 'wait', signal: over, onResult, tell: (message) => emit({ type: 'warning', message }) })
  const worked = working.catch((error: unknown) => {
    ended.abort()
    throw error
  })
  try {
    while (!over.aborted) {
      seen = await look(id, options)
      const { state } = await findCampaign(database, String(id))
      if (state !== 'open') break
      await sleep(clock, LOOK_MS, over).catch(() => undefined)
    }
    if (signal.aborted) await endCampaign(database, id, 'paused')
  } finally {
    ended.abort()
    await worked
  }
  await look(id, options)
}

/** Tells how far it is. */
async function look(id: number, { database, concurrency, emit }: CampaignOptions): Promise<CampaignProgress> {
  const progress = await progressOf(database, id)
  const waiting = progress.workers + concurrency === 0 ? 'no worker is at work; splitbrain worker --database ... starts one' : null
  const event: CampaignProgress = { type: 'progress', ...progress, waiting }
  emit(event)
  return event
}
