/**
 * The interpreter's processes: what is known of each, and which threads are free.
 */
import type { Completion } from '../checker/history/index.ts'
import type { Client } from '../cluster/system.ts'
import type { NodeId, Timer } from './env.ts'
import type { ReadyOp, Thread } from './generator/index.ts'

/** Which process: its number, its thread, and the node to which its client is bound. */
export interface ProcessIdentity {
  readonly thread: Thread
  /** Position among the interpreter's threads. */
  readonly slot: number
  readonly number: number | 'nemesis'
  readonly node: NodeId | undefined
}

/** One process. After an `info` another takes its thread, and whatever still comes for this one is ignored. */
export class Process implements ProcessIdentity {
  readonly thread: Thread
  readonly slot: number
  readonly number: number | 'nemesis'
  readonly node: NodeId | undefined
  /** Opened with its first operation. */
  client: Client | undefined
  /** The open operation. */
  op: ReadyOp | undefined
  /** When the open operation is given up, and the error that it then ends with. */
  deadline = Infinity
  lateness: 'timeout' | 'aborted' = 'timeout'
  /** Since when the thread could have carried out an operation. */
  freeSince: number
  /** While the thread rests after a failure. */
  rest: Timer | undefined
  readonly onAnswer: (completion: Completion) => void
  readonly onCrash: (reason: unknown) => void

  constructor(identity: ProcessIdentity, freeSince: number, complete: (process: Process, completion: Completion) => void) {
    this.thread = identity.thread
    this.slot = identity.slot
    this.number = identity.number
    this.node = identity.node
    this.freeSince = freeSince
    this.onAnswer = completion => complete(this, completion)
    this.onCrash = reason => complete(this, { type: 'info', error: reasonOf(reason) })
  }
}

/** The error code of an exception, or its message. */
export function reasonOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason)
  const { code } = reason as { code?: unknown }
  return typeof code === 'string' ? code : reason.message
}

/** Whether what a client answered is an answer. */
export function isCompletion(completion: Completion | undefined): completion is Completion {
  return completion?.type === 'ok' || completion?.type === 'fail' || completion?.type === 'info'
}

/** The free threads, as an array from which any can be removed in constant time. */
export class FreeThreads {
  readonly list: Thread[] = []
  readonly #position: number[] = []
  readonly #slots: number[] = []
  add(thread: Thread, slot: number): void {
    this.#position[slot] = this.list.push(thread) - 1
    this.#slots.push(slot)
  }
  has(slot: number): boolean {
    return (this.#position[slot] ?? -1) >= 0
  }
  remove(slot: number): void {
    const hole = this.#position[slot]!
    const thread = this.list.pop()!
    const last = this.#slots.pop()!
    if (last !== slot) {
      this.list[hole] = thread
      this.#slots[hole] = last
      this.#position[last] = hole
    }
    this.#position[slot] = -1
  }
}

/** Closes a process's client. What goes wrong there changes nothing in the history. */
export function closeQuietly(process: Process): void {
  try {
    process.client?.close()
  } catch {
    // The connection is gone either way.
  }
  process.client = undefined
}
