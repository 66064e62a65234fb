/**
 * Members of an overlay, where nobody knows all of them and nobody has to agree: a node joins by starting and leaves by
 * itself, and who the members are is found out by going around the ring (`lookup/around.ts`).
 *
 * Whoever joins finds its place by the overlay's own protocol, through one who is there, and is a member when it has
 * fetched what is its own now from those who hold it. Whoever leaves has its neighbours forget it, confirms no write from
 * then on, and hands everything over that it holds to those whose it is: only then has it left. The dead are dropped by
 * their neighbours anyway, so to let one go or to replace it takes no more than to see that nobody finds it any more.
 *
 * A node notes down whom it knows, so that one that starts again finds the others though those that it was once told
 * of have all left.
 */
import type { Clock, Log, NodeId, Timer } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import { StoreError } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import { hasLeft } from '../lookup/asking.ts'
import type { OpenOverlay } from '../lookup/lookup.ts'
import { list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Custody } from '../repair/custody.ts'
import type { Rpc } from '../rpc.ts'
import type { MemberChanges, MembersReply } from './commands.ts'

/** It has not yet fetched what is its own; it has; it hands over; it has handed over all that it held. */
type Standing = 'joining' | 'member' | 'leaving' | 'gone'

/** How do you stand? */
const STANDING: Kind<null, string> = { code: 59, request: plain(() => null), reply: plain(text) }

const RETRY_MS = 100
/** How often a node looks whether it knows others than it has noted down. */
const NOTE_MS = 1_000
const NOTE = 'overlay'

/** What the disk says of a node's membership. */
export interface OverlayNote {
  readonly known: readonly NodeId[]
  /** Whether it has fetched what is its own since it joined. */
  readonly member: boolean
}

/** What the disk holds; undefined on an empty one. */
export function overlayNote(ledger: Ledger): OverlayNote | undefined {
  const note = ledger.get(NOTE)
  if (note === undefined) return undefined
  const [member, known] = list(JSON.parse(Buffer.from(note).toString()), 2)
  return { member: member === true, known: list(known).map(text) }
}

/** What a member works with. */
export interface OverlayMembersOptions {
  readonly self: NodeId
  /** Whether it joins others, or has joined them once. */
  readonly joining: boolean
  readonly overlay: OpenOverlay
  readonly custody: Custody
  readonly ledger: Ledger
  readonly rpc: Rpc
  readonly clock: Clock
  readonly log: Log
}

/** One node's membership. */
export class OverlayMembers implements MemberChanges {
  readonly #options: OverlayMembersOptions
  #standing: Standing
  /** Nobody is to find it here any more. */
  #isOut = false
  #noted: string
  #timer: Timer | undefined
  #stopped = false

  constructor(options: OverlayMembersOptions) {
    const note = overlayNote(options.ledger)
    this.#options = options
    this.#noted = note === undefined ? '' : encoded(note)
    this.#standing = options.joining && note?.member !== true ? 'joining' : 'member'
    options.rpc.serve(STANDING, () => this.#standing)
  }

  /** Resolves when this node, if it joins, has met somebody. */
  async meet(): Promise<void> {
    const { overlay, clock } = this.#options
    while (this.#standing === 'joining' && overlay.known().length === 0 && !this.#stopped) await sleep(clock, RETRY_MS)
  }

  start(): void {
    this.#schedule()
    if (this.#standing === 'joining') void this.#settleIn()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Whether others hold what this node held: it confirms no write. */
  get isOut(): boolean {
    return this.#isOut
  }

  /** Whether it still has to hand something over. */
  get owes(): boolean {
    return this.#isOut && this.#options.custody.holdsAny
  }

  async members(): Promise<MembersReply> {
    const { overlay, rpc } = this.#options
    const ring = await overlay.around()
    const { complete, replies, from } = await rpc.gather(STANDING, { to: ring, request: null, need: ring.length })
    if (!complete) throw new StoreError('UNAVAILABLE', `definite: only ${from.join(', ')} of ${ring.join(', ')} say how they stand`)
    const standings = new Map(from.map((node, i) => [node, replies[i]]))
    const [members, next] = [ring.filter(node => standings.get(node) !== 'joining'), ring.filter(node => standings.get(node) !== 'leaving')]
    const changes = members.length < ring.length || next.length < ring.length
    return { epoch: 0, members, next: changes ? next : null, tokens: Object.fromEntries([...overlay.placesIn(ring)].map(([node, token]) => [node, [token]])) }
  }

  /** There is nothing to agree on: it enters by itself. */
  async admit(): Promise<void> {
    if (this.#isOut) throw hasLeft(this.#options.self)
  }

  async dismiss(node: NodeId): Promise<void> {
    if (node !== this.#options.self) await this.#missing(node)
    else if (this.#standing !== 'gone') throw new StoreError('BUSY', await this.#leave())
  }

  replace(gone: NodeId): Promise<void> {
    return this.dismiss(gone)
  }

  /** Resolves when nobody finds this node any more. */
  async #missing(node: NodeId): Promise<void> {
    const ring = await this.#options.overlay.around()
    if (ring.includes(node)) throw new StoreError('BUSY', `${node} answers: as long as it does, only ${node} itself can leave`)
  }

  /** Begins to leave, if this node does not yet. Resolves to how far that is. */
  async #leave(): Promise<string> {
    const { self, overlay, log } = this.#options
    if (this.#standing !== 'leaving') {
      const ring = await overlay.around()
      if (ring.length === 1) return `${self} knows nobody who could hold what it holds`
      this.#standing = 'leaving'
      log.info(`${self} leaves ${ring.slice(1).join(', ')}`)
      void this.#handOver()
    }
    return `${self} is handing over what it holds`
  }

  async #handOver(): Promise<void> {
    const { self, overlay, custody, clock, log } = this.#options
    await overlay.leave()
    this.#isOut = true
    // A disk that fails says so to those who write; what is still here is tried again.
    while (!this.#stopped && !(await custody.handAllOver().catch(() => false))) await sleep(clock, RETRY_MS)
    this.#standing = 'gone'
    log.info(`${self} has left, ${custody.counts.handed} cells handed over`)
  }

  /** Until this node stands in the ring and has what is its own. */
  async #settleIn(): Promise<void> {
    const { self, custody, clock, log } = this.#options
    while (!this.#stopped && this.#standing === 'joining') {
      if ((await this.#isFound()) && (await custody.fillUp().catch(() => false)) && this.#standing === 'joining') {
        this.#standing = 'member'
        log.info(`${self} has what is its own, ${custody.counts.repaired} cells fetched so far`)
        await this.#note()
        return
      }
      await sleep(clock, RETRY_MS)
    }
  }

  /** Whether the way around the ring leads to this node. */
  #isFound(): Promise<boolean> {
    return this.#options.overlay.around().then(ring => ring.length > 1, () => false)
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(NOTE_MS, () => {
      void this.#note().then(() => this.#schedule())
    })
  }

  /** Never rejects: a disk that fails says so to those who write. */
  async #note(): Promise<void> {
    const { overlay, ledger } = this.#options
    const note = encoded({ known: [...overlay.known()].sort(), member: this.#standing !== 'joining' })
    if (note === this.#noted) return
    this.#noted = note
    await ledger.put(NOTE, Buffer.from(note)).catch(() => undefined)
  }
}

function encoded({ known, member }: OverlayNote): string {
  return JSON.stringify([member, known])
}
