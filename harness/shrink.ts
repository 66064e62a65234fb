/**
 * Shrinks a failing run to a small one that still fails: fewer faults, shorter faults, fewer operations, keys and clients.
 *
 * Faults are minimized by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
 * IEEE TSE 28(2), 2002, algorithm ddmin), numbers by halving the distance to their minimum, as property testing does.
 * The passes alternate until none of them gets any further. Everything rests on the simulator, where a candidate is
 * cheap to run and its outcome certain. Because a smaller run meets other chances, a candidate may be tried with
 * several seeds; the one that failed becomes the candidate's own.
 */
import type { ScheduledFault } from '../nemesis/schedule.ts'

/** What decides a simulated run, as far as it can be made smaller. */
export interface Trial<F> {
  readonly faults: readonly F[]
  readonly operations: number
  readonly keys: number
  readonly clients: number
  readonly seed: number
}

/** How far to go. */
export interface ShrinkOptions<F> {
  /** Runs at most. Default 500. */
  readonly attemptsMax?: number
  /** Seeds tried per candidate: its own and the following. Default 1. */
  readonly seeds?: number
  /** Simpler forms of one fault, simplest first. Default: none. */
  readonly simpler?: (fault: F) => readonly F[]
  /** Called with every smaller trial that still fails. */
  readonly onProgress?: (trial: Trial<F>, attempts: number) => void
  /** Stops; the smallest trial so far is the result. */
  readonly signal?: AbortSignal
}

/** What came of it. */
export interface Shrunk<F> {
  readonly trial: Trial<F>
  readonly attempts: number
  /** Whether nothing smaller was left to try; false when the attempts ran out. */
  readonly minimal: boolean
}

const numbers = ['operations', 'keys', 'clients'] as const

/** The smallest trial found for which `violates` is still true. Rejects when it is not true of the first one. */
export async function shrink<F>(first: Trial<F>, violates: (trial: Trial<F>) => Promise<boolean>, options: ShrinkOptions<F> = {}): Promise<Shrunk<F>> {
  const search = new Search(first, violates, options)
  if (!(await search.accept(first))) throw new Error('there is nothing to shrink: the run as given is not violated')
  for (;;) {
    const before = search.best
    await search.fewerFaults()
    await search.simplerFaults()
    for (const name of numbers) await search.smaller(name)
    if (search.best === before || search.exhausted) return { trial: search.best, attempts: search.attempts, minimal: !search.exhausted }
  }
}

class Search<F> {
  best: Trial<F>
  attempts = 0
  /** Attempts ran out, or somebody said stop. */
  exhausted = false
  readonly #violates: (trial: Trial<F>) => Promise<boolean>
  readonly #options: ShrinkOptions<F>
  readonly #tried = new Set<string>()

  constructor(first: Trial<F>, violates: (trial: Trial<F>) => Promise<boolean>, options: ShrinkOptions<F>) {
    this.best = first
    this.#violates = violates
    this.#options = options
  }

  /** Whether the candidate still fails, with its seed or one of the following. Then it is the best one. */
  async accept(candidate: Trial<F>): Promise<boolean> {
    const { attemptsMax = 500, seeds = 1, signal, onProgress } = this.#options
    for (let i = 0; i < seeds; i++) {
      const trial = { ...candidate, seed: candidate.seed + i }
      const text = JSON.stringify(trial)
      if (this.#tried.has(text)) continue
      if (this.attempts >= attemptsMax || signal?.aborted) {
        this.exhausted = true
        return false
      }
      this.#tried.add(text)
      this.attempts++
      if (!(await this.#violates(trial))) continue
      this.best = trial
      onProgress?.(trial, this.attempts)
      return true
    }
    return false
  }

  /** ddmin: tries to leave out ever smaller chunks, until no single fault can be left out. */
  async fewerFaults(): Promise<void> {
    if (this.best.faults.length > 0 && (await this.#acceptFaults([]))) return
    let chunks = 2
    while (this.best.faults.length > 1 && !this.exhausted) {
      const { length } = this.best.faults
      if (await this.#leaveOutOneOf(chunks)) chunks = Math.max(chunks - 1, 2)
      else if (chunks >= length) return
      else chunks = Math.min(2 * chunks, length)
    }
  }

  async #leaveOutOneOf(chunks: number): Promise<boolean> {
    const { faults } = this.best
    const size = Math.ceil(faults.length / chunks)
    for (let start = 0; start < faults.length; start += size) {
      if (await this.#acceptFaults([...faults.slice(0, start), ...faults.slice(start + size)])) return true
    }
    return false
  }

  #acceptFaults(faults: readonly F[]): Promise<boolean> {
    return this.accept({ ...this.best, faults })
  }

  /** Replaces each fault by a simpler form of it, as often as that works. */
  async simplerFaults(): Promise<void> {
    const { simpler } = this.#options
    if (simpler === undefined) return
    for (let i = 0; i < this.best.faults.length; i++) {
      let simplified = true
      while (simplified) simplified = await this.#simplify(i, simpler(this.best.faults[i]!))
    }
  }

  async #simplify(i: number, forms: readonly F[]): Promise<boolean> {
    for (const form of forms) if (await this.#acceptFaults(this.best.faults.with(i, form))) return true
    return false
  }

  /** Brings a number down: to 1 if possible, else by half the distance, a quarter, ... */
  async smaller(name: (typeof numbers)[number]): Promise<void> {
    let step = this.best[name] - 1
    while (step >= 1 && !this.exhausted) {
      const accepted = step < this.best[name] && (await this.accept({ ...this.best, [name]: this.best[name] - step }))
      step = accepted ? Math.min(step, this.best[name] - 1) : Math.floor(step / 2)
    }
  }
}

/** The shortest fault worth trying, and the earliest: it still has to be injected, seen and healed, and clients to begin. */
const FAULT_MIN_MS = 500

/** Simpler forms of a scheduled fault: at once, in half the time, for half as long. For `ShrinkOptions.simpler`. */
export function simplerFault(fault: ScheduledFault): readonly ScheduledFault[] {
  const halved = (ms: number): number => Math.max(FAULT_MIN_MS, Math.round(ms / 2))
  const forms = [{ ...fault, at_ms: FAULT_MIN_MS }, { ...fault, at_ms: halved(fault.at_ms) }, { ...fault, for_ms: halved(fault.for_ms) }]
  return forms.filter(({ at_ms, for_ms }) => at_ms < fault.at_ms || for_ms < fault.for_ms)
}
