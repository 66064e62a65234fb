/**
 * Histories: the operation, its events, the columns, and how they are written and read.
 *
 * The columns and the readers live in the `knossos-wasm` workspace, because that package must be usable alone;
 * the rest of the project imports them from here.
 */
export { History, HistoryError, INVOKE, OK, FAIL, INFO, NEMESIS, OBSERVER, readJsonl, rowsInTimeOrder } from 'knossos-wasm'
export type { Event, Json, Values } from 'knossos-wasm'
import type { Json } from 'knossos-wasm'

/** What a client is asked to do. */
export interface Invocation {
  readonly f: string
  readonly key?: Json
  readonly value?: Json
  /** The node that is to be asked, where it is not the client's own. */
  readonly node?: string
}

/** What came of it. `value` is the result (for a read, what was read); `error` a code from the client's error registry. */
export interface Completion {
  readonly type: 'ok' | 'fail' | 'info'
  readonly value?: Json
  readonly error?: string
}
