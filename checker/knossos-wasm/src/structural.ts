/**
 * JSON values by their structure: equal arrays and objects become one, by hash instead of by text, which is several times as fast
 * where they are small and new every time (states and transactions of a history that is being watched).
 */
import { same } from './values.ts'
import type { Json } from './values.ts'

/** Remembers one of every array and object that it was asked for. */
export class Structures {
  /** By hash, or by the next number that was free. */
  readonly #known = new Map<number, Json>()

  /** What is equal to a value: itself, or of arrays and objects the first that was asked for. */
  one(value: Json): Json {
    if (typeof value !== 'object' || value === null) return value
    for (let at = hashOf(value); ; at = (at + 1) | 0) {
      const known = this.#known.get(at)
      if (known === undefined) {
        this.#known.set(at, value)
        return value
      }
      if (same(known, value)) return known
    }
  }
}

function hashOf(value: Json): number {
  if (typeof value === 'number') return Number.isInteger(value) ? mixed(value | 0) : hashOfText(String(value))
  if (typeof value === 'string') return hashOfText(value)
  if (typeof value !== 'object' || value === null) return value === null ? 1 : value ? 2 : 3
  if (Array.isArray(value)) {
    let hash = value.length
    for (const element of value as readonly Json[]) hash = mixed(Math.imul(hash, 31) + hashOf(element))
    return hash
  }
  // In whatever order its keys come.
  const object = value as { readonly [key: string]: Json }
  let hash = 5
  for (const key in object) hash = (hash + mixed(Math.imul(hashOfText(key), 31) + hashOf(object[key]!))) | 0
  return hash
}

function hashOfText(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mixed(hash)
}

function mixed(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
