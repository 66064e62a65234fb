/**
 * A cache with call-backs, as AFS (Howard et al., "Scale and performance in a distributed file system", TOCS 1988,
 * section 3): a key's server remembers which nodes cache the key, and tells them when it changes, before it confirms
 * the write. Until it is told, a node answers its clients without asking anybody.
 *
 * A server forgets its promises when it crashes, and gives one up when a node does not answer it. Both show in the
 * server's word: its incarnation, and how often it gave up on that node. A node asks every server of what it caches for
 * its word twice per `cache_ms`, and forgets all that it has from a server whose word is another one: then the promises
 * are made anew, one read at a time. A promise runs out `cache_ms` after its server was last asked, as a lease does (Gray
 * and Cheriton, "Leases", SOSP 1989): what is kept under one that ran out answers nobody. Until then a node may answer
 * with what was replaced, so a client that has seen the new value elsewhere and moves there goes back in time. A lease
 * would spare it that by having every write wait for those who cannot be told, which AFS does not do to its writers.
 */
import type { Clock, NodeId, Timer } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import { cell, count, encodeCell, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Coordinator, Replication } from '../replication/replication.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import type { Cell } from '../versions.ts'
import { KeyCache } from './key-cache.ts'

/** A server's incarnation, and how often it gave up on whoever asks. */
type Word = readonly [incarnation: number, given_up: number]

function word(input: unknown): Word {
  const [incarnation, givenUp] = list(input, 2)
  return [count(incarnation), count(givenUp)]
}

/** What a server said, and when it was asked, in nanoseconds of the asking node's monotonic clock. */
interface Heard {
  readonly said: Word
  readonly askedAt: number
}

/** Give me this key, and call back when it changes. */
const FETCH: Kind<string, readonly [word: Word, cell: Cell]> = {
  code: 70,
  request: plain(text),
  reply: {
    encode: ([said, read]) => [said, encodeCell(read)],
    decode: input => {
      const [said, read] = list(input, 2)
      return [word(said), cell(read)] as const
    },
  },
}

/** This key has changed. */
const BREAK: Kind<string, null> = { code: 71, request: plain(text), reply: plain(() => null) }

/** What is your word? */
const WORD: Kind<null, Word> = { code: 72, request: plain(() => null), reply: plain(word) }

/** What a server of cached keys works with. */
export interface PromisesOptions {
  readonly rpc: Rpc
  readonly storage: Storage
  readonly clock: Clock
  readonly incarnation: number
  /** How long a node may take to confirm that it was told. */
  readonly giveUpMs: number
  /** Keys under promise at most. */
  readonly max: number
}

/** A server's promises to call back. */
export class Promises {
  readonly #options: PromisesOptions
  /** Key -> the nodes that cache it. */
  readonly #holders = new Map<string, Set<NodeId>>()
  readonly #breaking = new Map<string, Promise<void>>()
  readonly #givenUp = new Map<NodeId, number>()
  readonly counts = { broken: 0, givenUp: 0 }

  constructor(options: PromisesOptions) {
    this.#options = options
    options.rpc.serve(FETCH, (key, from) => this.#fetch(key, from))
    options.rpc.serve(WORD, (_, from) => this.#word(from))
  }

  /** The key has changed. Resolves when every node that caches it knows, or was given up. */
  async changed(key: string): Promise<void> {
    const holders = [...(this.#holders.get(key) ?? [])]
    this.#holders.delete(key)
    // A write that arrives twice must not be confirmed before the first copy of it is.
    const all = Promise.all([this.#breaking.get(key), ...holders.map(node => this.#tell(node, key))]).then(() => undefined)
    this.#breaking.set(key, all)
    await all
    if (this.#breaking.get(key) === all) this.#breaking.delete(key)
  }

  async #fetch(key: string, from: NodeId): Promise<readonly [Word, Cell]> {
    const holders = this.#holders.get(key) ?? new Set()
    // Before the read: of a change after it the node must hear.
    this.#holders.set(key, holders.add(from))
    if (this.#holders.size > this.#options.max) void this.changed(this.#holders.keys().next().value!)
    const said = this.#word(from)
    return [said, await this.#options.storage.read(key)]
  }

  #word(node: NodeId): Word {
    return [this.#options.incarnation, this.#givenUp.get(node) ?? 0]
  }

  #tell(node: NodeId, key: string): Promise<void> {
    const { rpc, clock, giveUpMs } = this.#options
    this.counts.broken++
    return new Promise(resolve => {
      let waiting = true
      const end = (heard: boolean): void => {
        if (!waiting) return
        waiting = false
        late.cancel()
        if (!heard) {
          this.counts.givenUp++
          this.#givenUp.set(node, (this.#givenUp.get(node) ?? 0) + 1)
        }
        resolve()
      }
      const late = clock.after(giveUpMs, () => end(false))
      void rpc.gather(BREAK, { to: [node], request: key, need: 1 }).then(({ complete }) => end(complete))
    })
  }
}

/** The same store, one server for each key, behind caches with call-backs. */
export function callBackCache(inner: Replication, coordinator: Pick<Coordinator, 'config' | 'clock' | 'rpc' | 'lists' | 'partitioner'>): Replication {
  const { config, clock, rpc, lists, partitioner } = coordinator
  const cache = new KeyCache(clock, config.cache_entries_max)
  const words = new Map<NodeId, Heard>()
  rpc.serve(BREAK, key => {
    cache.forget(key)
    return null
  })
  const serverOf = (key: string): NodeId => lists.replicas(partitioner.token(key))[0]!

  function forgetAllOf(server: NodeId): void {
    for (const key of cache.keys()) if (serverOf(key) === server) cache.forget(key)
    words.delete(server)
  }

  function hear(server: NodeId, { said, askedAt }: Heard): void {
    const before = words.get(server)
    const same = before !== undefined && before.said[0] === said[0] && before.said[1] === said[1]
    if (before !== undefined && !same) forgetAllOf(server)
    // Answers may overtake each other.
    words.set(server, { said, askedAt: same ? Math.max(before.askedAt, askedAt) : askedAt })
  }

  /** What is remembered of a key under a promise that has not run out. */
  function kept(key: string): Cell | undefined {
    const server = serverOf(key)
    const heard = words.get(server)
    if (heard !== undefined && clock.now() - heard.askedAt > config.cache_ms * 1e6) forgetAllOf(server)
    return cache.get(key)
  }

  async function fetch(key: string): Promise<Cell> {
    const server = serverOf(key)
    const askedAt = clock.now()
    const { replies, refusals } = await rpc.gather(FETCH, { to: [server], request: key, need: 1 })
    if (replies[0] === undefined) throw new StoreError('UNAVAILABLE', `definite: ${refusals[0] ?? `${server}, which holds the key, did not answer within ${config.deadline_ms} ms`}`)
    hear(server, { said: replies[0][0], askedAt })
    return replies[0][1]
  }

  const watch = watching(clock, config.cache_ms / 2, async () => {
    const askedAt = clock.now()
    const servers = new Set([...cache.keys()].map(serverOf))
    await Promise.all([...servers].map(async server => {
      const { replies } = await rpc.gather(WORD, { to: [server], request: null, need: 1 })
      if (replies[0] !== undefined) hear(server, { said: replies[0], askedAt })
    }))
  })

  return {
    ...inner,
    read: key => kept(key) ?? cache.ask(key, () => fetch(key)),
    write: (key, value, session, level) => cache.change(key, () => inner.write(key, value, session, level)),
    stats: () => ({ ...inner.stats?.(), cache_hits: cache.counts.hits, cache_misses: cache.counts.misses }),
    close: async () => {
      watch.cancel()
      await inner.close?.()
    },
  }
}

/** Does it every so often, one after the other. */
function watching(clock: Clock, everyMs: number, look: () => Promise<void>): Pick<Timer, 'cancel'> {
  let ended = false
  let timer: Timer
  const again = (): void => {
    timer = clock.after(everyMs, () => void look().then(() => (ended ? undefined : again())))
  }
  again()
  return {
    cancel: () => {
      ended = true
      timer.cancel()
    },
  }
}
