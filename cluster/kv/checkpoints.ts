/**
 * Checkpoints: what memory holds beyond the table is brought there, and the commit log is cut off. One is due some time
 * after the first change that is in the log alone, or at once when the log has grown long.
 */
import type { Clock, Table, Timer } from '../../harness/env.ts'
import { diskFailure } from './commit-log.ts'
import type { CommitLog } from './commit-log.ts'
import type { StoreError } from './errors.ts'
import type { Entry, Memtable } from './memtable.ts'

/** The log is cut off after so much of it, or so long after its first change. */
const LOG_BYTES_MAX = 4 * 1024 * 1024
const CHECKPOINT_AFTER_MS = 1_000
/** Entries that a checkpoint brings to the table in one write: others have their turn in between. */
const CHECKPOINT_AT_ONCE = 256

/** What checkpoints are made of. */
export interface CheckpointParts {
  readonly table: Table
  /** Whether what is brought to the table has to survive a power loss, as it does in the log. */
  readonly sync: boolean
  readonly clock: Clock
  readonly log: CommitLog
  readonly memory: Memtable
  /** Resolves when what the table holds has been merged into the entry. */
  readonly complete: (entry: Entry) => Promise<unknown>
  /** Hears of a checkpoint that failed, after which there are no more. */
  readonly onFailure: (error: StoreError) => void
}

/** The checkpoints of one table. */
export class Checkpoints {
  readonly #parts: CheckpointParts
  #underWay: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(parts: CheckpointParts) {
    this.#parts = parts
  }

  /** Something changed. */
  changed(): void {
    if (this.#parts.log.bytes > LOG_BYTES_MAX) void this.make()
    else this.#arm()
  }

  /** Makes a checkpoint, unless one is under way. Never rejects. */
  make(): Promise<void> {
    this.cancel()
    this.#underWay ??= this.#toTable().then(
      () => {
        this.#underWay = undefined
        if (!this.#parts.memory.isClean) this.#arm()
      },
      (error: unknown) => this.#parts.onFailure(diskFailure(error)),
    )
    return this.#underWay
  }

  /** None is made for the changes so far. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#underWay !== undefined) return
    this.#timer = this.#parts.clock.after(CHECKPOINT_AFTER_MS, () => void this.make())
  }

  /**
   * What changes meanwhile is in the log behind the cut, and in memory for the next time. Every write to the table is
   * synced: LevelDB syncs the file of its own log that it has at hand, and the write before may lie in the last one.
   */
  async #toTable(): Promise<void> {
    const { table, sync, log, memory, complete } = this.#parts
    const mark = log.mark()
    const entries = memory.takePending()
    for (let at = 0; at < entries.length; at += CHECKPOINT_AT_ONCE) {
      const some = entries.slice(at, at + CHECKPOINT_AT_ONCE)
      for (const entry of some) if (!entry.known) await complete(entry)
      await table.write(some.map(({ diskKey, record }) => ({ key: diskKey, value: record })), { sync })
    }
    await log.cut(mark)
    memory.release()
  }
}
