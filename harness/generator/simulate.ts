/**
 * Runs a generator without clients, without a clock and at once: what tests of generators are made of (as in
 * jepsen.generator.test). Every operation takes as long and ends as the options say; the same options give the same events.
 */
import type { Json } from '../../checker/history/index.ts'
import type { Random } from '../env.ts'
import { lift, LOG, type GeneratorSource } from './basic.ts'
import type { GeneratorEvent, ReadyOp, Thread } from './generator.ts'

/** How operations end. */
export interface SimulatedAnswer {
  readonly type: 'ok' | 'fail' | 'info'
  readonly value?: Json
}

/** What carries out the operations. */
export interface SimulateOptions {
  /** Client threads. */
  readonly threads: number
  /** Whether there is a nemesis thread beside them. */
  readonly nemesis?: boolean
  readonly random: Random
  /** How long an operation takes; 10 ns when absent. */
  readonly latencyNs?: number | ((op: ReadyOp) => number)
  /** How it ends; `ok` when absent. */
  readonly answer?: (op: ReadyOp) => SimulatedAnswer
  /** Stops after this many operations: for generators that never end. */
  readonly operations?: number
}

/** An event of a simulation. Invocations tell when they were `meant` to start. */
export interface SimulatedEvent extends GeneratorEvent {
  readonly meant?: number
}

/** An operation under way. */
interface Open {
  readonly op: ReadyOp
  readonly end: number
}

/** All events until the generator is exhausted and every operation has completed. Throws when it would wait for ever. */
export function simulate(source: GeneratorSource, options: SimulateOptions): SimulatedEvent[] {
  const { random, latencyNs = 10, answer = (): SimulatedAnswer => ({ type: 'ok' }) } = options
  const threads: Thread[] = Array.from({ length: options.threads }, (_, i) => i)
  if (options.nemesis) threads.push('nemesis')
  const events: SimulatedEvent[] = []
  let free: Thread[] = threads
  let open: readonly Open[] = []
  let generator = lift(source)
  let time = 0
  let left = options.operations ?? Infinity

  const tell = (event: SimulatedEvent): void => {
    events.push(event)
    generator = generator.update({ time, threads, free, random }, event)
  }
  const completeNext = (): void => {
    const { op, end } = open[0]!
    open = open.slice(1)
    time = end
    free = [...free, op.thread]
    const { type, value } = answer(op)
    tell({ type, thread: op.thread, f: op.f, key: op.key, value: value ?? op.value, time })
  }

  for (;;) {
    const step = left === 0 ? null : generator.op({ time, threads, free, random })
    if (step === null) {
      if (open.length === 0) return events
      completeNext()
      continue
    }
    generator = step.next
    if (step.type === 'op') {
      const { op } = step
      if (op.f === LOG) continue
      left--
      free = free.filter(thread => thread !== op.thread)
      const end = time + (typeof latencyNs === 'number' ? latencyNs : latencyNs(op))
      open = [...open, { op, end }].sort((a, b) => a.end - b.end)
      tell({ type: 'invoke', thread: op.thread, f: op.f, key: op.key, value: op.value, time, meant: op.time })
    } else if (open.length > 0 && open[0]!.end <= step.wakeAt) completeNext()
    else if (step.wakeAt === Infinity) throw new Error(`the generator waits for ever at ${time} ns: nothing is under way that could cause an event`)
    else time = Math.max(time, step.wakeAt)
  }
}

/** The invocations among the events. */
export function invocations(events: readonly SimulatedEvent[]): SimulatedEvent[] {
  return events.filter(({ type }) => type === 'invoke')
}
