/**
 * A disk that a tester can make slow: every write that must survive a power loss is confirmed late, as by a disk whose
 * queue is full or a controller that has lost its cache. Reads and writes that need not be safe stay as quick as they were.
 */
import { sleep } from '../../harness/clock.ts'
import type { Clock, Disk, Table } from '../../harness/env.ts'

const TRIAL = 'disk-trial'

/** The disk of a node, and how late it confirms. */
export class SlowDisk implements Disk {
  /** How long each synced write waits before it is confirmed. */
  delayMs = 0
  readonly #disk: Disk
  readonly #clock: Clock
  #trial: Promise<Table> | undefined

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  async open(name: string): Promise<Table> {
    const table = await this.#disk.open(name)
    return {
      get: (key) => table.get(key),
      scan: (range) => table.scan(range),
      close: () => table.close(),
      write: async (writes, options) => {
        await table.write(writes, options)
        if (options.sync && this.delayMs > 0) await sleep(this.#clock, this.delayMs)
      },
    }
  }

  /** Writes something safely, for real, and tells how many milliseconds that took. */
  async trialMs(): Promise<number> {
    this.#trial ??= this.open(TRIAL)
    const table = await this.#trial
    const began = this.#clock.now()
    await table.write([{ key: 'trial', value: Buffer.from(String(began)) }], { sync: true })
    return (this.#clock.now() - began) / 1e6
  }
}
