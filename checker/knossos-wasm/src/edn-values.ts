/**
 * EDN as JSON. A keyword, a symbol and a character become the string of their name, an integer beyond 2^53 that of its
 * digits, so that `:a` is "a", as everybody expects. In EDN these differ from each other and from the string, and two
 * values must not become one, or a read of the string "a" would return what a write of the keyword `:a` wrote. So a
 * history in which one text stands in two notations is refused; such histories are hardly ever meant.
 */
import { EdnMap, EdnName } from './edn.ts'
import { HistoryError } from './history.ts'
import type { Edn } from './edn.ts'
import type { Json } from './values.ts'

/** The values of one history. */
export class EdnValues {
  /** By text, and by what stands in a map's key, which is never compared with a value: how it was written. */
  readonly #written = { value: new Map<string, string>(), key: new Map<string, string>() }

  /** A value as JSON; `row` for the HistoryError that is thrown when it cannot be told from another one. */
  json(value: Edn | Json, row: number): Json {
    if (Array.isArray(value)) return (value as readonly Edn[]).map((part) => this.json(part, row))
    if (value instanceof EdnMap) return Object.fromEntries(value.entries.map(([key, part]) => [this.#keyText(key, row), this.json(part, row)]))
    if (typeof value === 'string' || typeof value === 'bigint' || value instanceof EdnName) return this.#text(value, 'value', row)
    return value as Json
  }

  #keyText(key: Edn, row: number): string {
    if (typeof key === 'string' || typeof key === 'bigint' || key instanceof EdnName) return this.#text(key, 'key', row)
    const text = JSON.stringify(this.json(key, row))
    this.#note(text, text, 'key', row)
    return text
  }

  #text(value: string | bigint | EdnName, place: 'value' | 'key', row: number): string {
    const text = value instanceof EdnName ? value.text : String(value)
    this.#note(text, value instanceof EdnName ? value.written : typeof value === 'bigint' ? text : JSON.stringify(value), place, row)
    return text
  }

  #note(text: string, written: string, place: 'value' | 'key', row: number): void {
    const before = this.#written[place].get(text)
    if (before === undefined) this.#written[place].set(text, written)
    else if (before !== written) throw new HistoryError('SAME_TEXT', row, `${written} and ${before} both occur among the values, and in JSON they would be the same; write one of them otherwise`)
  }
}
