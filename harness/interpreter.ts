/**
 * The interpreter drives clients and nemesis through what a generator says, and records what happens.
 *
 * The process model is Jepsen's. Each of the client threads is a *process* that invokes one operation at a time. When
 * nobody knows how an operation ended (`info`: time-out, exception, a client that says so), the process is finished:
 * its operation may still take effect at any time. The thread closes its client, opens a new one and goes on as
 * process `number + threads`. The nemesis is a thread of its own beside them; its `info` finishes nothing.
 *
 * Everything happens in one loop, `#pump`: ask the generator, start what it hands out, until it says that there is
 * nothing to do; then wait for an answer or for the moment that it named. Clients that answer at once would keep that
 * loop (and the microtask queue) busy for ever, so every so many operations it yields through the clock, and timers,
 * sockets and signals get their turn.
 */
import type { Completion, Event, Invocation } from '../checker/history/index.ts'
import type { Client } from '../cluster/system.ts'
import type { Clock, NodeId, Random, Timer } from './env.ts'
import { lift, LOG, type Context, type Generator, type GeneratorEvent, type GeneratorSource, type ReadyOp, type Thread } from './generator/index.ts'
import { closeQuietly, FreeThreads, isCompletion, Process, reasonOf, type ProcessIdentity } from './process.ts'

const NANOSECONDS_PER_MS = 1e6

/** Steps of the generator between two yields. */
const STEPS_PER_YIELD = 256

const NEMESIS_TIMEOUT_MS = 60_000

/** What the interpreter drives, and with what. */
export interface InterpreterOptions {
  readonly generator: GeneratorSource
  readonly clock: Clock
  readonly random: Random
  /** Client threads. Thread i is bound to `nodes[i % nodes.length]`. */
  readonly threads: number
  /** The number of the first thread's first process: beyond all that an interpretation before this one used. Default 0. */
  readonly firstProcess?: number
  readonly nodes: readonly NodeId[]
  readonly openClient: (thread: number, node: NodeId) => Client
  /** Carries out operations of the nemesis thread; without it there is no such thread. */
  readonly nemesis?: (op: Invocation) => Promise<Completion>
  /** A client operation without an answer by then is `info`, error `timeout`. */
  readonly opTimeoutMs: number
  /** The same for operations of the nemesis; a minute when absent. */
  readonly nemesisTimeoutMs?: number
  /** How long a client thread rests after an operation that was not `ok`: a node that refuses at once would otherwise fill the history. Default 0. */
  readonly restAfterFailureMs?: number
  /** Called with every event as it happens. What it throws ends the interpretation. */
  readonly record: (event: Event) => void
  /** What `log` generators say. */
  readonly log?: (message: string) => void
  /** Called when something happened, at most every 100 ms, and at the end. */
  readonly onProgress?: (progress: Progress) => void
  /** When it aborts, no further operation starts; open ones get `opTimeoutMs` to complete and are `info`, error `aborted`, after that. */
  readonly signal?: AbortSignal
}

/** How many client operations there were so far. */
export interface Progress {
  /** Nanoseconds. */
  time: number
  invoked: number
  ok: number
  fail: number
  info: number
}

const PROGRESS_INTERVAL_NS = 100 * NANOSECONDS_PER_MS

/** Resolves when the generator is exhausted (or the signal aborted) and every operation has completed. */
export function interpret(options: InterpreterOptions): Promise<void> {
  return new Promise((resolve, reject) => new Interpreter(options, resolve, reject).start())
}

class Interpreter {
  readonly #options: InterpreterOptions
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void
  readonly #clock: Clock
  readonly #free = new FreeThreads()
  readonly #context: { -readonly [K in keyof Context]: Context[K] }
  /** The current process of each thread; the nemesis comes last. */
  readonly #processes: Process[] = []
  readonly #progress: Progress = { time: 0, invoked: 0, ok: 0, fail: 0, info: 0 }
  #progressAt = 0
  #generator: Generator
  /** No further operation is wanted. */
  #exhausted = false
  #ended = false
  #open = 0
  #resting = 0
  #steps = 0
  #yield: Timer | undefined
  #wake: Timer | undefined
  #wakeAt = Infinity
  /** A moment for which the generator promised an operation at a time when a thread was free to carry it out. */
  #promised = -1
  #sweep: Timer | undefined
  #sweepAt = Infinity
  readonly #onAbort = (): void => this.#abort()
  readonly #onCompletion = (process: Process, completion: Completion): void => this.#answered(process, completion)

  constructor(options: InterpreterOptions, resolve: () => void, reject: (reason: unknown) => void) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#clock = options.clock
    this.#generator = lift(options.generator)
    const threads: Thread[] = Array.from({ length: options.threads }, (_, i) => i)
    if (options.nemesis) threads.push('nemesis')
    this.#context = { time: 0, threads, free: this.#free.list, random: options.random }
    threads.forEach((thread, slot) => {
      const client = thread !== 'nemesis'
      this.#processes.push(this.#newProcess({ thread, slot, number: thread === 'nemesis' ? thread : (options.firstProcess ?? 0) + thread, node: client ? options.nodes[slot % options.nodes.length] : undefined }, -Infinity))
      this.#free.add(thread, slot)
    })
  }

  start(): void {
    const { signal } = this.#options
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) this.#abort()
    else this.#guarded(() => this.#pump())
  }

  #newProcess(identity: ProcessIdentity, freeSince: number): Process {
    return new Process(identity, freeSince, this.#onCompletion)
  }

  /** Whatever goes wrong in the generator or in `record` ends the interpretation with that error. */
  #guarded(work: () => void): void {
    if (this.#ended) return
    try {
      work()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  /** Asks the generator and starts operations until there is nothing to do for now. */
  #pump(): void {
    const context = this.#context
    while (!this.#ended && this.#yield === undefined) {
      if (this.#exhausted) return this.#endWhenQuiet()
      if (++this.#steps % STEPS_PER_YIELD === 0) return this.#yieldToOthers()
      context.time = this.#clock.now()
      const step = this.#generator.op(context)
      if (step === null) {
        this.#exhausted = true
        continue
      }
      this.#generator = step.next
      if (step.type === 'pending') return this.#wait(step.wakeAt)
      if (step.op.f === LOG) this.#options.log?.(step.op.value as string)
      else this.#invoke(step.op, context.time)
    }
  }

  #yieldToOthers(): void {
    this.#yield = this.#clock.after(0, () => {
      this.#yield = undefined
      this.#guarded(() => this.#pump())
    })
  }

  /** Nothing to do until an event, or until this moment. */
  #wait(wakeAt: number): void {
    this.#promised = this.#hasFreeClient() ? wakeAt : -1
    if (wakeAt === Infinity && this.#open === 0 && this.#resting === 0) throw new Error('the generator waits for ever: it is pending, and nothing is under way that could cause an event')
    if (wakeAt === this.#wakeAt) return
    this.#wake?.cancel()
    this.#wake = undefined
    this.#wakeAt = wakeAt
    if (wakeAt === Infinity) return
    this.#wake = this.#clock.after((wakeAt - this.#context.time) / NANOSECONDS_PER_MS, () => {
      this.#wake = undefined
      this.#wakeAt = Infinity
      this.#guarded(() => this.#pump())
    })
  }

  #hasFreeClient(): boolean {
    const { list } = this.#free
    return list.length > 1 || (list.length === 1 && list[0] !== 'nemesis')
  }

  #invoke(op: ReadyOp, now: number): void {
    const slot = op.thread === 'nemesis' ? this.#options.threads : op.thread
    const process = this.#processes[slot]
    if (process === undefined || !this.#free.has(slot)) throw new Error(`the generator handed out "${op.f}" for thread ${op.thread}, which ${process ? 'is busy' : 'does not exist'}`)
    this.#free.remove(slot)
    process.op = op
    this.#open++
    const late = op.time < process.freeSince && op.time !== this.#promised
    this.#tell(process, op, 'invoke', op.value, now, late ? op.time : undefined, undefined)
    this.#bound(process, now)
    this.#send(process, op)
  }

  #send(process: Process, op: ReadyOp): void {
    let answer: Promise<Completion>
    try {
      answer = Promise.resolve(process.thread === 'nemesis' ? this.#options.nemesis!(op) : this.#invokeClient(process, op))
    } catch (reason) {
      answer = Promise.resolve({ type: 'info', error: reasonOf(reason) })
    }
    answer.then(process.onAnswer, process.onCrash)
  }

  /** An operation for which there is not even a client was certainly not carried out. */
  #invokeClient(process: Process, op: ReadyOp): Promise<Completion> {
    if (process.client === undefined) {
      try {
        process.client = this.#options.openClient(process.slot, process.node!)
      } catch (reason) {
        return Promise.resolve({ type: 'fail', error: `no-client: ${reasonOf(reason)}` })
      }
    }
    return process.client.invoke(op)
  }

  /** An answer from outside: late ones are ignored, malformed ones mean that nobody knows. */
  #answered(process: Process, completion: Completion): void {
    if (this.#ended || this.#processes[process.slot] !== process || process.op === undefined) return
    try {
      this.#complete(process, isCompletion(completion) ? completion : { type: 'info', error: 'malformed-completion' })
      this.#pump()
    } catch (error) {
      this.#fail(error)
    }
  }

  #complete(process: Process, completion: Completion): void {
    const { type, error } = completion
    const op = process.op!
    const now = this.#clock.now()
    process.op = undefined
    process.deadline = Infinity
    this.#open--
    const resting = type !== 'ok' && process.thread !== 'nemesis' && (this.#options.restAfterFailureMs ?? 0) > 0
    const current = type === 'info' ? this.#succeed(process, now) : process
    current.freeSince = now
    if (resting) this.#rest(current)
    else this.#free.add(process.thread, process.slot)
    this.#tell(process, op, type, completion.value === undefined ? op.value : completion.value, now, undefined, error)
  }

  /** Another process takes the thread. A nemesis keeps its name, but late answers to it are ignored likewise. */
  #succeed(process: Process, now: number): Process {
    closeQuietly(process)
    const { thread, slot, number, node } = process
    const successor = this.#newProcess({ thread, slot, node, number: number === 'nemesis' ? number : number + this.#options.threads }, now)
    this.#processes[slot] = successor
    return successor
  }

  #rest(process: Process): void {
    this.#resting++
    process.rest = this.#clock.after(this.#options.restAfterFailureMs!, () => {
      this.#resting--
      process.rest = undefined
      process.freeSince = this.#clock.now()
      this.#free.add(process.thread, process.slot)
      this.#guarded(() => this.#pump())
    })
  }

  /** Records an event and tells the generator of it. */
  #tell(process: Process, op: ReadyOp, type: Event['type'], value: Event['value'], time: number, intended: number | undefined, error: string | undefined): void {
    const { f, key } = op
    this.#options.record({ time, process: process.number, type, f, key, value, node: op.node ?? process.node, intended, error })
    this.#context.time = time
    const event: GeneratorEvent = { type, thread: process.thread, f, key, value, time }
    this.#generator = this.#generator.update(this.#context, event)
    if (process.thread === 'nemesis') return
    const progress = this.#progress
    progress[type === 'invoke' ? 'invoked' : type]++
    progress.time = time
    if (time >= this.#progressAt && this.#options.onProgress) {
      this.#progressAt = time + PROGRESS_INTERVAL_NS
      this.#options.onProgress({ ...progress })
    }
  }

  /** Sets an operation's deadline. One timer, for the earliest, serves all operations. */
  #bound(process: Process, now: number): void {
    const { opTimeoutMs, nemesisTimeoutMs = NEMESIS_TIMEOUT_MS } = this.#options
    process.deadline = now + (process.thread === 'nemesis' ? nemesisTimeoutMs : opTimeoutMs) * NANOSECONDS_PER_MS
    if (process.deadline < this.#sweepAt) this.#armSweep(process.deadline, now)
  }

  #armSweep(deadline: number, now: number): void {
    this.#sweep?.cancel()
    this.#sweepAt = deadline
    this.#sweep = this.#clock.after((deadline - now) / NANOSECONDS_PER_MS, () => this.#guarded(() => this.#timeOut()))
  }

  /** Completes what is past its deadline, and waits for the next. */
  #timeOut(): void {
    const now = this.#clock.now()
    this.#sweepAt = Infinity
    let earliest = Infinity
    for (const process of this.#processes.slice()) {
      if (process.deadline <= now) this.#complete(process, { type: 'info', error: process.lateness })
      else earliest = Math.min(earliest, process.deadline)
    }
    if (earliest < Infinity) this.#armSweep(earliest, now)
    this.#pump()
  }

  /** Stops asking the generator; nobody waits longer than an operation may take. */
  #abort(): void {
    this.#guarded(() => {
      const now = this.#clock.now()
      const last = now + this.#options.opTimeoutMs * NANOSECONDS_PER_MS
      this.#exhausted = true
      for (const process of this.#processes) {
        if (process.op === undefined || process.deadline <= last) continue
        process.deadline = last
        process.lateness = 'aborted'
      }
      if (this.#open > 0) this.#armSweep(Math.min(...this.#processes.map(({ deadline }) => deadline)), now)
      this.#pump()
    })
  }

  #endWhenQuiet(): void {
    if (this.#open > 0) return
    this.#end()
    this.#options.onProgress?.({ ...this.#progress })
    this.#resolve()
  }

  #end(): void {
    this.#ended = true
    for (const timer of [this.#yield, this.#wake, this.#sweep, ...this.#processes.map(({ rest }) => rest)]) timer?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    for (const process of this.#processes) closeQuietly(process)
  }
}
