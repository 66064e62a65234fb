/**
 * A directory: somebody keeps a table of who holds what, and everyone asks. The ring of tokens is cut into tablets;
 * for each the directory names the nodes that hold it, the least loaded when it was first asked for, and others in the
 * place of nodes that stay away (as the masters of GFS, SOSP 2003, and Bigtable, OSDI 2006, do).
 *
 * The directory itself is partitioned by consistent hashing, and every part of it is kept by several nodes, on disk.
 * Entries have versions, the greater one wins: if two of its keepers decide about a tablet while they cannot reach each
 * other, one decision stands in the end, and whoever holds something by the other hands it over (`repair/custody.ts`).
 */
import type { Clock, Disk, NodeId, Random, Table, Timer } from '../../../harness/env.ts'
import { pick } from '../../../harness/random.ts'
import { StoreError } from '../errors.ts'
import { TOKENS } from '../partitioner.ts'
import { Ring } from '../ring.ts'
import type { Conversation } from './asking.ts'
import { askOne } from './asking.ts'
import type { Location, Overlay } from './lookup.ts'
import { DIRECTORY_EXCHANGE, DIRECTORY_LOCATE } from './messages.ts'
import type { TabletEntry } from './messages.ts'

const TABLETS = 64
const TABLET_TOKENS = TOKENS / TABLETS
/** Places of a keeper on the directory's own ring. */
const VIRTUAL_NODES = 16

/** What a directory is made of. */
export interface DirectoryOptions {
  readonly self: NodeId
  readonly nodes: readonly NodeId[]
  readonly replicas: number
  /** How many nodes keep each part of the directory. */
  readonly keepers: number
  readonly intervalMs: number
  readonly hopDeadlineMs: number
  /** A node that was away for this long is replaced. */
  readonly replaceAfterMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Conversation
  readonly suspects: (node: NodeId) => boolean
}

/** One node's part of the directory, and its way to the other parts. */
export class Directory implements Overlay {
  readonly #options: DirectoryOptions
  readonly #table: Table
  readonly #keepers: Ring
  readonly #entries = new Map<number, TabletEntry>()
  readonly #awaySince = new Map<NodeId, number>()
  #lastWrite: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #stopped = false

  private constructor(table: Table, options: DirectoryOptions) {
    this.#table = table
    this.#options = options
    this.#keepers = new Ring({ nodes: options.nodes, replicas: Math.min(options.keepers, options.nodes.length), virtualNodes: VIRTUAL_NODES })
    options.rpc.serve(DIRECTORY_LOCATE, tablet => this.#decide(tablet))
    options.rpc.serve(DIRECTORY_EXCHANGE, ([entries, asked]) => this.#exchange(entries, asked))
  }

  /** Opens what the disk holds of the directory. */
  static async open(disk: Disk, options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(await disk.open('directory'), options)
    for await (const [key, record] of directory.#table.scan({})) {
      const [counter, writer, nodes] = JSON.parse(Buffer.from(record).toString()) as [number, string, string[]]
      directory.#entries.set(Number(key), [Number(key), counter, writer, nodes])
    }
    return directory
  }

  async start(): Promise<void> {
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  known(): readonly NodeId[] {
    return this.#options.nodes
  }

  /** The nodes that keep the directory's part for a token, those that are up first. */
  keepersOf(token: number): readonly NodeId[] {
    const keepers = this.#keepers.replicas(tabletOf(token) * TABLET_TOKENS)
    const { suspects } = this.#options
    return [...keepers.filter(node => !suspects(node)), ...keepers.filter(suspects)]
  }

  async find(token: number): Promise<Location> {
    const { self, rpc, clock, hopDeadlineMs } = this.#options
    const tablet = tabletOf(token)
    for (const keeper of this.keepersOf(token)) {
      const replicas = keeper === self ? await this.#decide(tablet) : await askOne(rpc, clock, hopDeadlineMs, DIRECTORY_LOCATE, keeper, tablet)
      if (replicas !== undefined && replicas.length > 0) return { replicas, substitutes: [], after: (tablet * TABLET_TOKENS + TOKENS - 1) % TOKENS, upTo: (tablet + 1) * TABLET_TOKENS - 1 }
    }
    throw new StoreError('UNAVAILABLE', 'definite: no keeper of this part of the directory answers')
  }

  /** Who holds a tablet; decides that if nobody has yet. */
  async #decide(tablet: number): Promise<readonly NodeId[]> {
    const known = this.#entries.get(tablet)
    if (known !== undefined) return known[3]
    await Promise.all(this.#others(tablet).map(keeper => this.#compare(keeper, [tablet])))
    const learnt = this.#entries.get(tablet)
    if (learnt !== undefined) return learnt[3]
    const nodes = this.#leastLoaded([], this.#options.replicas)
    await this.#store([[tablet, 1, this.#options.self, nodes]])
    await Promise.all(this.#others(tablet).map(keeper => this.#compare(keeper, [tablet])))
    return this.#entries.get(tablet)![3]
  }

  #others(tablet: number): NodeId[] {
    return this.#keepers.replicas(tablet * TABLET_TOKENS).filter(node => node !== this.#options.self)
  }

  /** The nodes with the fewest tablets, as far as this node knows, that are up and not taken. */
  #leastLoaded(taken: readonly NodeId[], count: number): NodeId[] {
    const { nodes, suspects } = this.#options
    const load = new Map<NodeId, number>(nodes.map(node => [node, 0]))
    for (const [, , , holders] of this.#entries.values()) for (const holder of holders) load.set(holder, (load.get(holder) ?? 0) + 1)
    const order = (node: NodeId): number => (suspects(node) ? 1e9 : 0) + load.get(node)!
    return nodes.filter(node => !taken.includes(node)).sort((a, b) => order(a) - order(b)).slice(0, count)
  }

  /** Keeps the newer entries, durably. */
  async #store(entries: readonly TabletEntry[]): Promise<void> {
    const newer = entries.filter(entry => entry[0] < TABLETS && isNewer(entry, this.#entries.get(entry[0])))
    if (newer.length === 0) return
    for (const entry of newer) this.#entries.set(entry[0], entry)
    const writes = newer.map(([tablet, ...rest]) => ({ key: String(tablet), value: Buffer.from(JSON.stringify(rest)) }))
    const written = this.#lastWrite.then(() => this.#table.write(writes, { sync: true }))
    this.#lastWrite = written.catch(() => undefined)
    await written
  }

  async #exchange(theirs: readonly TabletEntry[], asked: readonly number[]): Promise<TabletEntry[]> {
    const known = new Map(theirs.map(entry => [entry[0], entry]))
    await this.#store(theirs)
    return asked.flatMap(tablet => {
      const own = this.#entries.get(tablet)
      return own !== undefined && isNewer(own, known.get(tablet)) ? [own] : []
    })
  }

  /** Makes both sides' entries for these tablets the same. */
  async #compare(keeper: NodeId, tablets: readonly number[]): Promise<void> {
    const { rpc, clock, hopDeadlineMs } = this.#options
    const own = tablets.map(tablet => this.#entries.get(tablet)).filter(entry => entry !== undefined)
    const newer = await askOne(rpc, clock, hopDeadlineMs, DIRECTORY_EXCHANGE, keeper, [own, tablets])
    if (newer !== undefined) await this.#store(newer)
  }

  #schedule(): void {
    if (this.#stopped) return
    const { clock, intervalMs, random } = this.#options
    this.#timer = clock.after(intervalMs * (0.75 + random.float() / 2), () => {
      void this.#round().then(() => this.#schedule(), () => this.#schedule())
    })
  }

  /** Compares notes with one other keeper, and replaces who stays away. */
  async #round(): Promise<void> {
    const { nodes, self, random } = this.#options
    const others = nodes.filter(node => node !== self)
    if (others.length === 0) return
    const peer = pick(random, others)
    const shared = Array.from({ length: TABLETS }, (_, tablet) => tablet).filter(tablet => this.#others(tablet).includes(peer) && this.#keeps(tablet))
    if (shared.length > 0) await this.#compare(peer, shared)
    await this.#replaceAbsent()
  }

  #keeps(tablet: number): boolean {
    return this.#keepers.replicas(tablet * TABLET_TOKENS).includes(this.#options.self)
  }

  /** The first keeper that is up gives the tablets of a node that stays away to others. */
  async #replaceAbsent(): Promise<void> {
    const { nodes, suspects, clock, replaceAfterMs, self } = this.#options
    for (const node of nodes) {
      if (!suspects(node)) this.#awaySince.delete(node)
      else if (!this.#awaySince.has(node)) this.#awaySince.set(node, clock.now())
    }
    const gone = nodes.filter(node => clock.now() - (this.#awaySince.get(node) ?? Infinity) > replaceAfterMs * 1e6)
    for (const [tablet, counter, , holders] of this.#entries.values()) {
      const kept = holders.filter(holder => !gone.includes(holder))
      if (kept.length === holders.length || kept.length === 0 || this.keepersOf(tablet * TABLET_TOKENS)[0] !== self) continue
      await this.#store([[tablet, counter + 1, self, [...kept, ...this.#leastLoaded(holders, holders.length - kept.length)]]])
    }
  }
}

function tabletOf(token: number): number {
  return Math.floor(token / TABLET_TOKENS)
}

function isNewer(entry: TabletEntry, than: TabletEntry | undefined): boolean {
  if (than === undefined || entry[1] !== than[1]) return than === undefined || entry[1] > than[1]
  return entry[2] > than[2]
}
