/**
 * Long histories for benchmarks: clients work on atomic registers, each operation taking effect at a moment between
 * its invocation and its completion; a few crash. Event-driven, so that the order of the rows is that of time.
 */
import { History } from '../history/index.ts'
import { chance } from './chance.ts'

/** How much load. */
export interface Load {
  readonly operations: number
  readonly processes: number
  readonly keys: number
  /** One operation in this many ends with an unknown outcome; 0: none. */
  readonly crashEvery: number
  /** One read in this many returns what the key held some writes ago; 0: none. */
  readonly staleEvery: number
  readonly seed: number
}

/** Reads and writes, half and half, with unique values. */
export function loadHistory({ operations, processes, keys, crashEvery, staleEvery, seed }: Load): History {
  const random = chance(seed)
  const history = new History()
  const values = Array.from({ length: keys }, (): (number | null)[] => [null])
  const agenda = new Agenda()
  const names = Array.from({ length: processes }, (_, process) => process)
  const pending: { f: 'read' | 'write'; key: number; value: number | null; step: 0 | 1 | 2 }[] = []
  for (let thread = 0; thread < processes; thread++) {
    pending.push({ f: 'read', key: 0, value: null, step: 2 })
    agenda.push(thread, random(1000))
  }
  let left = operations
  let written = 0
  for (let next = agenda.pop(); next; next = agenda.pop()) {
    const { thread, time } = next
    const op = pending[thread]!
    const event = { time, process: names[thread]!, node: `n${thread % 5 + 1}` }
    if (op.step === 2) {
      if (left-- <= 0) continue
      const f = random(2) === 0 ? 'read' : 'write'
      pending[thread] = { f, key: random(keys), value: f === 'write' ? ++written : null, step: 0 }
      history.push({ ...event, type: 'invoke', f, key: pending[thread].key, value: pending[thread].value })
    } else if (op.step === 0) {
      const held = values[op.key]!
      if (op.f === 'write') held.push(op.value)
      else op.value = held[Math.max(0, held.length - 1 - (staleEvery > 0 && random(staleEvery) === 0 ? random(4) : 0))]!
      op.step = 1
    } else {
      const crashed = crashEvery > 0 && random(crashEvery) === 0
      history.push({ ...event, type: crashed ? 'info' : 'ok', f: op.f, key: op.key, value: crashed && op.f === 'read' ? null : op.value })
      if (crashed) names[thread]! += processes
      op.step = 2
    }
    agenda.push(thread, time + 1 + random(op.step === 2 ? 50_000 : 500_000))
  }
  return history
}

/** A heap of threads by time. */
class Agenda {
  readonly #heap: { readonly thread: number; readonly time: number }[] = []

  push(thread: number, time: number): void {
    const heap = this.#heap
    let at = heap.push({ thread, time }) - 1
    while (at > 0 && heap[(at - 1) >> 1]!.time > heap[at]!.time) {
      const up = (at - 1) >> 1
      ;[heap[at], heap[up]] = [heap[up]!, heap[at]!]
      at = up
    }
  }

  pop(): { readonly thread: number; readonly time: number } | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const down = left + 1 < heap.length && heap[left + 1]!.time < heap[left]!.time ? left + 1 : left
      if (down >= heap.length || heap[down]!.time >= heap[at]!.time) return top
      ;[heap[at], heap[down]] = [heap[down]!, heap[at]!]
      at = down
    }
  }
}
