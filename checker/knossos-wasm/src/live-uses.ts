/** Operations without a response that took effect in a configuration of the streaming window: how many of each type. */
import type { Type } from './live-object.ts'

/** Sets to remember; equal ones that were forgotten may come twice. */
const REMEMBERED_MAX = 4096

/** How many of each type. */
export interface Used {
  readonly counts: ReadonlyMap<Type, number>
  readonly size: number
  /** The same and one more of a type, as far as they were asked for. */
  readonly more: Map<Type, Used>
}

export function nothingUsed(): Used {
  return { counts: new Map(), size: 0, more: new Map() }
}

/** Whether one has no more of any type than another. */
export function isWithin(a: Used, b: Used): boolean {
  if (a.size > b.size) return false
  for (const [type, count] of a.counts) if ((b.counts.get(type) ?? 0) < count) return false
  return true
}

/** Equal sets as one record. */
export class Uses {
  readonly #known = new Map<string, Used>()

  /** Begins a walk. */
  begin(): void {
    if (this.#known.size > REMEMBERED_MAX) this.#known.clear()
  }

  /** One more of a type. */
  oneMore(used: Used, type: Type): Used {
    let more = used.more.get(type)
    if (more !== undefined) return more
    const counts = new Map(used.counts).set(type, (used.counts.get(type) ?? 0) + 1)
    const name = [...counts].map(([{ number }, count]) => `${number}x${count}`).sort().join()
    more = this.#known.get(name)
    if (more === undefined) {
      more = { counts, size: used.size + 1, more: new Map() }
      this.#known.set(name, more)
    }
    used.more.set(type, more)
    return more
  }
}
