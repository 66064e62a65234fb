/**
 * A simulated disk. It survives its node and knows the two ways in which writes are lost:
 *
 * - When the *process* dies, everything that reached the operating system stays, synced or not.
 * - When the *power* fails, a write that was not synced may be lost, and with it all later ones of that table: what
 *   survives is a prefix of the log, torn at a boundary between two writes. (A write torn in the middle fails its
 *   checksum and counts as lost: that is what makes writes atomic in LevelDB.)
 *
 * Of a journal as well survives a prefix of what was not synced; what was cut off last may be back. Tables and journals
 * are files of their own: how much is lost of one says nothing of another.
 *
 * (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; LevelDB's log format.)
 */
import type { Clock, Disk, Journal, Random, Table, TableWrite } from '../../../harness/env.ts'
import { ClusterError, type NodeFiles, type PowerLoss } from '../../cluster.ts'
import type { Life } from './life.ts'

/** How long a simulated disk takes, in milliseconds: uniform between the two ends. */
export interface DiskTimes {
  readonly readMs: readonly [number, number]
  readonly writeMs: readonly [number, number]
  readonly syncMs: readonly [number, number]
  /** The operating system writes back by itself what is older than this. */
  readonly writeBackMs: number
}

export const defaultDiskTimes: DiskTimes = { readMs: [0.01, 0.05], writeMs: [0.02, 0.08], syncMs: [0.1, 0.8], writeBackMs: 30_000 }

/** A write that the operating system has and the platter may not have: how to undo it. */
interface Unsynced {
  readonly sequence: number
  readonly time: number
  readonly undo: readonly (readonly [key: string, value: Uint8Array | undefined])[]
}

/** What is on the disk under one table's name. */
class TableFile {
  readonly entries = new Map<string, Uint8Array>()
  unsynced: Unsynced[] = []
  /** When the last write that was asked for reaches the operating system: writes keep their order. */
  writtenAt = 0
  #sequence = 0
  #sorted: string[] = []
  #sortedIsStale = false

  apply(writes: readonly TableWrite[], now: number): number {
    this.unsynced.push({ sequence: ++this.#sequence, time: now, undo: writes.map(({ key }) => [key, this.entries.get(key)] as const) })
    for (const { key, value } of writes) this.#set(key, value)
    return this.#sequence
  }

  /** Everything up to this write is safe now. */
  synced(sequence: number): void {
    this.unsynced = this.unsynced.filter((write) => write.sequence > sequence)
  }

  /** Forgets how to undo what is older than `age`; rarely, so that it costs nothing per write. */
  writeBack(now: number, age: number): void {
    if (this.unsynced.length > 0 && this.unsynced[0]!.time < now - 2 * age) this.unsynced = this.unsynced.filter((write) => write.time >= now - age)
  }

  /** Returns how many writes are lost. */
  powerLoss(random: Random): number {
    return this.undo(random.int(this.unsynced.length + 1))
  }

  /** Takes back all unsynced writes but the first `kept`; returns how many. */
  undo(kept: number): number {
    const lost = this.unsynced.length - kept
    for (const { undo } of this.unsynced.slice(kept).reverse()) {
      for (const [key, value] of [...undo].reverse()) this.#set(key, value)
    }
    this.unsynced = []
    return lost
  }

  /** A file of its own with the same entries, of which the same are not synced. */
  copy(): TableFile {
    const copy = new TableFile()
    for (const [key, value] of this.entries) copy.entries.set(key, value)
    copy.unsynced = this.unsynced
    copy.#sortedIsStale = true
    return copy
  }

  /** The keys in the order of their UTF-8 bytes. */
  keys(): readonly string[] {
    if (this.#sortedIsStale) {
      this.#sorted = [...this.entries.keys()].sort(compareUtf8)
      this.#sortedIsStale = false
    }
    return this.#sorted
  }

  #set(key: string, value: Uint8Array | undefined): void {
    const known = this.entries.has(key)
    if (value === undefined) this.entries.delete(key)
    else this.entries.set(key, value)
    if (known !== (value !== undefined)) this.#sortedIsStale = true
  }
}

/** A record of a journal. */
interface JournalRecord {
  readonly sequence: number
  /** How many marks came before it. */
  readonly part: number
  bytes: Uint8Array
}

/** What is on the disk under one journal's name. */
class JournalFile {
  records: JournalRecord[] = []
  part = 0
  /** When the last record that was appended reaches the operating system: records keep their order. */
  writtenAt = 0
  /** What the last cut removed: a power loss may bring it back. */
  #removed: readonly JournalRecord[] = []
  #safeUpTo = 0
  #sequence = 0

  /** The number of the last record. */
  get last(): number {
    return this.#sequence
  }

  apply(part: number, bytes: Uint8Array): void {
    this.records.push({ sequence: ++this.#sequence, part, bytes })
  }

  /** Everything up to this record is safe now. */
  synced(sequence: number): void {
    this.#safeUpTo = Math.max(this.#safeUpTo, sequence)
  }

  cut(mark: number): void {
    this.#removed = this.records.filter(({ part }) => part < mark)
    this.records = this.records.filter(({ part }) => part >= mark)
  }

  /** Returns how many records are lost. */
  powerLoss(random: Random): number {
    if (random.int(2) === 1) this.records.unshift(...this.#removed)
    this.#removed = []
    const unsynced = this.records.filter(({ sequence }) => sequence > this.#safeUpTo).length
    return this.records.splice(this.records.length - random.int(unsynced + 1)).length
  }

  /** A file of its own with the same records, of which the same are not synced. */
  copy(): JournalFile {
    const copy = new JournalFile()
    copy.records = [...this.records]
    copy.part = this.part
    copy.#removed = this.#removed
    copy.#safeUpTo = this.#safeUpTo
    copy.#sequence = this.#sequence
    return copy
  }
}

/** A record that can be damaged. */
interface Place {
  readonly value: Uint8Array
  set(value: Uint8Array): void
}

/** A disk that outlives the lives of its node. */
export class SimDisk {
  readonly #files = new Map<string, TableFile>()
  readonly #journals = new Map<string, JournalFile>()
  readonly #random: Random
  readonly #clock: Clock
  readonly #times: DiskTimes

  constructor(clock: Clock, random: Random, times: DiskTimes) {
    this.#clock = clock
    this.#random = random
    this.#times = times
  }

  /** Loses of every table a suffix, chosen by chance, of what was not synced; and for certain a write of its own. The node must be dead. */
  powerLoss(): PowerLoss {
    const canary = new TableFile()
    canary.apply([{ key: 'canary', value: Buffer.from('not synced') }], this.#clock.now())
    const bytes = (): number => canary.entries.get('canary')?.length ?? 0
    const wroteBytes = bytes()
    canary.undo(0)
    return { lost: [...this.#files.values(), ...this.#journals.values()].reduce((lost, file) => lost + file.powerLoss(this.#random), 0), canary: { wroteBytes, keptBytes: bytes() } }
  }

  /** What would be left if the power failed now, as a disk of its own that answers at once. The node goes on. */
  afterPowerLoss(random: Random): Disk {
    return {
      open: async (name) => {
        const file = this.#files.get(name)?.copy() ?? new TableFile()
        file.powerLoss(random)
        return {
          get: async (key) => file.entries.get(key),
          write: async (writes) => void file.apply(writes, 0),
          async *scan({ from = '', to = '\uffff', limit = Infinity }) {
            for (const key of file.keys().filter((one) => one >= from && one < to).slice(0, limit)) yield [key, file.entries.get(key)!] as const
          },
          close: async () => undefined,
        }
      },
      openJournal: async (name) => {
        const file = this.#journals.get(name)?.copy() ?? new JournalFile()
        file.powerLoss(random)
        return {
          read: () => recordsOf(file),
          append: async (record) => file.apply(file.part, Buffer.from(record)),
          sync: async () => undefined,
          mark: () => ++file.part,
          cut: async (mark) => file.cut(mark),
          close: async () => undefined,
        }
      },
    }
  }

  /** Every record as a file of its own. The node must be dead. */
  get files(): NodeFiles {
    const find = (path: string): Place => {
      const place = this.#places().get(path)
      if (place === undefined) throw new ClusterError('no-file', `there is no record ${path}`)
      return place
    }
    return {
      list: async () => [...this.#places()].map(([path, { value }]) => ({ path, bytes: value.length })).filter(({ bytes }) => bytes > 0),
      read: async (path) => Buffer.from(find(path).value),
      write: async (path, offset, bytes) => {
        const { value, set } = find(path)
        set(Buffer.concat([value.subarray(0, offset), bytes, value.subarray(offset + bytes.length)]))
      },
      truncate: async (path, bytes) => {
        const { value, set } = find(path)
        set(value.subarray(0, bytes))
      },
    }
  }

  /** Every record by its path, as it is now. */
  #places(): Map<string, Place> {
    const places = new Map<string, Place>()
    for (const [name, { entries }] of this.#files) for (const [key, value] of entries) places.set(`${name}:${key}`, { value, set: (changed) => entries.set(key, changed) })
    for (const [name, { records }] of this.#journals) for (const record of records) places.set(`${name}.journal:${record.sequence}`, { value: record.bytes, set: (changed) => (record.bytes = changed) })
    return places
  }

  /** Forgets everything. The node must be dead. */
  erase(): void {
    this.#files.clear()
    this.#journals.clear()
  }

  /** The disk as one life of the node sees it. */
  of(life: Life): Disk {
    return {
      open: async (name) => {
        await life.wait(this.#draw(this.#times.readMs))
        const file = this.#files.get(name) ?? new TableFile()
        this.#files.set(name, file)
        return this.#table(file, life)
      },
      openJournal: async (name) => {
        await life.wait(this.#draw(this.#times.readMs))
        const file = this.#journals.get(name) ?? new JournalFile()
        this.#journals.set(name, file)
        return this.#journal(file, life)
      },
    }
  }

  #draw([low, high]: readonly [number, number]): number {
    return low + this.#random.float() * (high - low)
  }

  #table(file: TableFile, life: Life): Table {
    return {
      get: async (key) => {
        await life.wait(this.#draw(this.#times.readMs))
        const value = file.entries.get(key)
        return value === undefined ? undefined : Buffer.from(value)
      },
      write: (writes, options) => this.#write(file, life, writes, options.sync),
      scan: (range) => this.#scan(file, life, range),
      close: () => life.wait(0),
    }
  }

  async #write(file: TableFile, life: Life, writes: readonly TableWrite[], sync: boolean): Promise<void> {
    const copies = writes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : Buffer.from(value) }))
    await this.#reach(file, life)
    file.writeBack(this.#clock.now(), this.#times.writeBackMs * 1e6)
    const sequence = file.apply(copies, this.#clock.now())
    if (!sync) return
    await life.wait(this.#draw(this.#times.syncMs))
    file.synced(sequence)
  }

  /** Waits until what is written now reaches the operating system; if the node dies before, for ever. */
  async #reach(file: TableFile | JournalFile, life: Life): Promise<void> {
    const now = this.#clock.now()
    file.writtenAt = Math.max(file.writtenAt, now + this.#draw(this.#times.writeMs) * 1e6)
    await life.wait((file.writtenAt - now) / 1e6)
    if (!life.alive) await new Promise(() => undefined)
  }

  #journal(file: JournalFile, life: Life): Journal {
    const sync = async (): Promise<void> => {
      const { last } = file
      await life.wait(this.#draw(this.#times.syncMs))
      file.synced(last)
    }
    return {
      read: () => recordsOf(file),
      append: async (record, options) => {
        const { part } = file
        const bytes = Buffer.from(record)
        await this.#reach(file, life)
        file.apply(part, bytes)
        if (options.sync) await sync()
      },
      sync,
      mark: () => ++file.part,
      cut: async (mark) => {
        await this.#reach(file, life)
        file.cut(mark)
      },
      close: () => life.wait(0),
    }
  }

  /** A snapshot of the moment at which the scan began, as LevelDB's iterators are. */
  async *#scan(file: TableFile, life: Life, range: Parameters<Table['scan']>[0]): AsyncGenerator<readonly [string, Uint8Array]> {
    await life.wait(this.#draw(this.#times.readMs))
    const keys = file.keys()
    const from = range.from === undefined ? 0 : lowerBound(keys, range.from)
    const to = range.to === undefined ? keys.length : lowerBound(keys, range.to)
    const chosen = keys.slice(from, Math.max(from, Math.min(to, from + (range.limit ?? Infinity))))
    yield* chosen.map((key) => [key, Buffer.from(file.entries.get(key)!)] as const)
  }
}

async function* recordsOf({ records }: JournalFile): AsyncGenerator<Uint8Array> {
  for (const { bytes } of records) yield Buffer.from(bytes)
}

/** The first index whose key is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUtf8(keys[middle]!, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Orders strings as their UTF-8 bytes would be: by code points, where UTF-16 puts surrogates before U+E000. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(codeUnit: number): number {
  return codeUnit >= 0xe000 ? codeUnit - 0x800 : codeUnit >= 0xd800 ? codeUnit + 0x2000 : codeUnit
}
