/**
 * The order of each key's versions, as lists show it: the longest list that a committed transaction read. All orders
 * stand in one column, so that a million transactions over many keys cost no objects.
 */
import { READ, type Transactions } from './transactions.ts'

/** The orders of all keys. */
export class VersionOrders {
  /** By key: the micro-operation that read the longest list, -1 when there is none. */
  readonly longest: Int32Array
  /** The places of a key's versions are first[key] to first[key + 1]. */
  readonly first: Int32Array
  /** By place: the code of the element. */
  readonly element: Int32Array
  readonly #transactions: Transactions
  /** By key: the last list that was found to be a beginning of the order. */
  readonly #shown: Int32Array

  constructor(transactions: Transactions, longest: Int32Array, first: Int32Array, element: Int32Array) {
    this.#transactions = transactions
    this.longest = longest
    this.first = first
    this.element = element
    this.#shown = new Int32Array(longest.length).fill(-1)
  }

  /** Whether a list (by its code) is a beginning of the key's order. Linear in the list, constant when it was asked before. */
  shows(key: number, list: number): boolean {
    if (list === -1 || list === this.#shown[key]) return true
    const { values, value } = this.#transactions
    const longest = this.longest[key]!
    if (longest < 0) return values.length(list) === 0
    if (value[longest] !== list) {
      const length = values.length(list)
      const begin = this.first[key]!
      if (length > this.first[key + 1]! - begin) return false
      for (let at = 0; at < length; at++) if (values.at(list, at) !== this.element[begin + at]) return false
    }
    this.#shown[key] = list
    return true
  }
}

/** Finds the longest lists. Linear. */
export function versionOrders(transactions: Transactions): VersionOrders {
  const { count, first: micros, kind, key, keys, value, values } = transactions
  const longest = new Int32Array(keys.length).fill(-1)
  const first = new Int32Array(keys.length + 1)
  for (let micro = 0; micro < micros[count]!; micro++) {
    if (kind[micro] !== READ) continue
    const length = values.length(value[micro]!)
    if (length <= first[key[micro]! + 1]!) continue
    first[key[micro]! + 1] = length
    longest[key[micro]!] = micro
  }
  for (let at = 0; at < keys.length; at++) first[at + 1]! += first[at]!
  const element = new Int32Array(first[keys.length]!)
  for (let on = 0; on < keys.length; on++) {
    for (let place = first[on]!; place < first[on + 1]!; place++) element[place] = values.at(value[longest[on]!]!, place - first[on]!)
  }
  return new VersionOrders(transactions, longest, first, element)
}
