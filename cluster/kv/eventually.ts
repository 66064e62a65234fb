/**
 * Values that are there now or later. What is in memory costs no turn of the event loop, and no promise.
 */

/** A value now, or the promise of one. */
export type Eventually<T> = T | Promise<T>

/** Maps a value that may be there already. */
export function eventually<T, U>(value: Eventually<T>, map: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(map) : map(value)
}

/** All of these values, once each of them is there. */
export function allOf<T>(values: readonly Eventually<T>[]): Eventually<readonly T[]> {
  return values.some(value => value instanceof Promise) ? Promise.all(values.map(async value => value)) : (values as readonly T[])
}
