/**
 * Records a run as it happens: every event goes into the columns in memory and onto a line of `history.jsonl`.
 *
 * The file is only ever appended to, in whole lines, at least every 100 ms and whenever 64 KiB are waiting. A
 * controller that is killed at any moment therefore leaves a valid history: a prefix of what happened, whose last
 * line may be torn when the kill came in the middle of a write. The writes are synchronous: they go to the page
 * cache in microseconds, keep their order by themselves, and leave nothing in flight.
 *
 * The file is outside of what is under test: its timer is the machine's even when the run is on a virtual clock, and
 * nothing in a simulation can notice. What is written does not depend on when.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { jsonLine } from '../checker/history/jsonl.ts'
import type { Event, History } from '../checker/history/index.ts'
import { realClock } from './clock.ts'
import type { Timer } from './env.ts'

const FLUSH_INTERVAL_MS = 100
const FLUSH_CHARACTERS = 64 * 1024

/** Records events. */
export interface Recorder {
  /** Throws HistoryError for an event that contradicts the process model (nothing is recorded then), and what the file system says. */
  readonly record: (event: Event) => void
  /** Writes what is waiting. */
  readonly flush: () => void
  /** Writes what is waiting, waits until it is on disk, and closes the file. Does nothing the second time. */
  readonly close: () => Promise<void>
}

/** Starts `history.jsonl` at `path`, which must not exist yet, beside the columns of `history`, which must be empty. */
export function openRecorder(path: string, history: History): Recorder {
  const clock = realClock()
  const file = openSync(path, 'wx')
  let waiting = ''
  let timer: Timer | undefined
  let failure: Error | undefined
  let open = true

  const flush = (): void => {
    timer?.cancel()
    timer = undefined
    const bytes = Buffer.from(waiting)
    waiting = ''
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    } catch (error) {
      // Node's message names no file where it was given a descriptor.
      throw Object.assign(error as Error, { message: `${(error as Error).message} to ${path}` })
    }
  }
  const flushLater = (): void => {
    try {
      flush()
    } catch (error) {
      failure = error as Error
    }
  }
  return {
    record(event) {
      if (!open) throw new Error('this recorder is closed')
      if (failure !== undefined) throw failure
      waiting += jsonLine(history.push(event), event)
      if (waiting.length >= FLUSH_CHARACTERS) flush()
      else timer ??= clock.after(FLUSH_INTERVAL_MS, flushLater)
    },
    flush,
    close() {
      if (!open) return Promise.resolve()
      open = false
      return Promise.resolve().then(() => {
        try {
          flush()
          fsyncSync(file)
        } finally {
          closeSync(file)
        }
        if (failure !== undefined) throw failure
      })
    },
  }
}
