/**
 * A disk that a tester can spoil: it confirms synced writes late, as one whose queue is full or whose controller has lost
 * its cache; it is full; it has become read-only, as a file system becomes after an error; or it fails to make writes
 * safe (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). Reads go on as they were.
 */
import { sleep } from '../../harness/clock.ts'
import type { Clock, Disk, Journal, Table } from '../../harness/env.ts'
import type { DiskFault, DiskTrial } from '../cluster.ts'

const TRIAL = 'disk-trial'

/** What the operating system says in each case, the code first. */
const complaints = {
  full: 'ENOSPC: no space left on device, write',
  'read-only': 'EROFS: read-only file system, write',
  'failing-sync': 'EIO: i/o error, fsync',
} as const

/** The disk of a node, and what is wrong with it. */
export class FaultyDisk implements Disk {
  fault: DiskFault | undefined
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
      write: (writes, options) => this.#write((sync) => table.write(writes, { sync }), options.sync),
    }
  }

  async openJournal(name: string): Promise<Journal> {
    const journal = await this.#disk.openJournal(name)
    return {
      read: () => journal.read(),
      append: (record, options) => this.#write((sync) => journal.append(record, { sync }), options.sync),
      sync: () => this.#write((sync) => (sync ? journal.sync() : Promise.resolve()), true),
      mark: () => journal.mark(),
      cut: (mark) => journal.cut(mark),
      close: () => journal.close(),
    }
  }

  async #write(write: (sync: boolean) => Promise<void>, sync: boolean): Promise<void> {
    switch (this.fault?.type) {
      case 'full':
      case 'read-only':
        throw new Error(complaints[this.fault.type])
      case 'failing-sync':
        // The bytes are with the operating system, where a read sees them, and nobody knows whether the disk has them.
        await write(false)
        if (sync) throw new Error(complaints['failing-sync'])
        return
      case 'slow':
      case undefined:
        await write(sync)
        if (sync && this.fault !== undefined) await sleep(this.#clock, this.fault.ms)
    }
  }

  /** Writes something safely, for real: how long that took, and how it failed. */
  async trial(): Promise<DiskTrial> {
    this.#trial ??= this.open(TRIAL)
    const table = await this.#trial
    const began = this.#clock.now()
    const error = await table.write([{ key: 'trial', value: Buffer.from(String(began)) }], { sync: true }).then(() => undefined, (cause: Error) => cause.message.split(':')[0]!)
    return { tookMs: (this.#clock.now() - began) / 1e6, error }
  }
}
