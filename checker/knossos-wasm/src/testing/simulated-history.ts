/**
 * Large random histories: an event-driven simulation of real atomic registers under nearly constant load. Every
 * operation has an invocation, a moment of effect and a response; processes think for 50 us and operations take
 * about 1 ms (all exponential), so that about 95 % of the processes have one in flight. Deterministic in the seed.
 */
import { History } from '../history.ts'
import type { EventType, Json } from '../history.ts'

export interface SimulationShape {
  readonly operations: number
  readonly processes: number
  readonly model: 'register' | 'cas-register'
  /** Default 1. */
  readonly keys?: number
  /** Distinct values; 0 (the default): every write writes a new one. */
  readonly values?: number
  /** Share of operations that crash; half of those take effect, late. */
  readonly crashed?: number
  /** One read near the end returns a value that was certainly overwritten (unique values only). */
  readonly stale?: boolean
  readonly seed?: number
  /** Nanoseconds between events. Default 1. */
  readonly tickNs?: number
}

const THINK_US = 50
const HALF_US = 500
const LATE = 20

type Action = (now: number) => void

/** Actions by time: a binary heap. */
class Agenda {
  readonly #times: number[] = []
  readonly #actions: Action[] = []

  add(time: number, action: Action): void {
    let i = this.#times.length
    for (; i > 0; ) {
      const parent = (i - 1) >> 1
      if (this.#times[parent]! <= time) break
      this.#times[i] = this.#times[parent]!
      this.#actions[i] = this.#actions[parent]!
      i = parent
    }
    this.#times[i] = time
    this.#actions[i] = action
  }

  run(): void {
    while (this.#times.length > 0) {
      const now = this.#times[0]!
      const action = this.#actions[0]!
      this.#removeFirst()
      action(now)
    }
  }

  #removeFirst(): void {
    const time = this.#times.pop()!
    const action = this.#actions.pop()!
    const n = this.#times.length
    if (n === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (child + 1 < n && this.#times[child + 1]! < this.#times[child]!) child++
      if (this.#times[child]! >= time) break
      this.#times[i] = this.#times[child]!
      this.#actions[i] = this.#actions[child]!
      i = child
    }
    this.#times[i] = time
    this.#actions[i] = action
  }
}

/** Simulates a history. */
export function simulatedHistory(shape: SimulationShape): History {
  const { operations, processes, model, keys = 1, values = 0, crashed = 0, stale = false, seed = 1, tickNs = 1 } = shape
  const history = new History()
  const registers: Json[] = Array.from({ length: keys }, () => null)
  const agenda = new Agenda()
  const acknowledged: Json[] = []
  let state = (Math.imul(seed, 0x9e3779b1) >>> 0) || 1
  const uniform = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
  const about = (mean: number): number => -Math.log(1 - uniform()) * mean
  let [time, started, fresh, planted] = [0, 0, 0, false]
  const value = (): Json => (values > 0 ? 1 + Math.floor(uniform() * values) : ++fresh)

  const begin = (process: number, now: number): void => {
    if (started++ >= operations) return
    const key = Math.floor(uniform() * keys)
    const dice = uniform()
    const f = model === 'register' ? (dice < 0.5 ? 'read' : 'write') : dice < 1 / 3 ? 'read' : dice < 2 / 3 ? 'write' : 'cas'
    const input: Json = f === 'read' ? null : f === 'write' ? value() : [registers[key]!, value()]
    history.push({ time: (time += tickNs), process, type: 'invoke', f, key, value: input })
    const crashes = uniform() < crashed
    let type: EventType = 'ok'
    let output = input
    const effect = now + about(HALF_US) * (crashes ? LATE : 1)
    if (!crashes || uniform() < 0.5) {
      agenda.add(effect, () => {
        if (f === 'read') output = registers[key]!
        else if (f === 'write') registers[key] = input
        else if (registers[key] === (input as readonly Json[])[0]) registers[key] = (input as readonly Json[])[1]!
        else type = 'fail'
      })
    }
    if (crashes) {
      agenda.add(now + about(2 * HALF_US), (later) => {
        history.push({ time: (time += tickNs), process, type: 'info', f, key, value: input })
        agenda.add(later + about(THINK_US), (next) => begin(process + processes, next))
      })
      return
    }
    agenda.add(effect + about(HALF_US), (later) => {
      if (stale && !planted && f === 'read' && key === 0 && started > operations * 0.99 && acknowledged.length > 4 * processes) {
        planted = true
        output = acknowledged[acknowledged.length - 4 * processes]!
      }
      if (f === 'write' && key === 0) acknowledged.push(input)
      history.push({ time: (time += tickNs), process, type, f, key, value: output })
      agenda.add(later + about(THINK_US), (next) => begin(process, next))
    })
  }
  for (let process = 0; process < processes; process++) agenda.add(about(THINK_US), (now) => begin(process, now))
  agenda.run()
  return history
}
