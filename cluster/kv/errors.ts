/**
 * Every error that a client of the store can meet, and whether it is definite: did the operation certainly not
 * happen? A history is only as good as this table, because an indeterminate write that is recorded as `fail`
 * makes a correct store look wrong, and a definite one recorded as `info` hides what a wrong store did.
 *
 * A read has no effect, so whatever goes wrong with it is definite; the table speaks of writes.
 */

/** One kind of error. */
export interface ErrorKind {
  readonly definite: boolean
  /** Who says so: a node in its reply, or the client when there is no reply. */
  readonly by: 'node' | 'client'
  readonly meaning: string
}

/** The registry: code -> kind. Nodes begin their error replies with the code. */
export const errorKinds = {
  UNAVAILABLE: { definite: true, by: 'node', meaning: 'too few replicas answered in time, and the write was sent to none of them' },
  INDETERMINATE: { definite: false, by: 'node', meaning: 'the write may have reached a replica, but too few confirmed it in time' },
  BUSY: { definite: true, by: 'node', meaning: 'the node refused to begin: too much is waiting already' },
  ABORTED: { definite: true, by: 'node', meaning: 'the transaction gave way to another one, or a participant could not take part; nothing of it was done' },
  WRONGTYPE: { definite: true, by: 'node', meaning: 'something is to be appended to a value that is no list' },
  TRYAGAIN: { definite: true, by: 'node', meaning: 'members are changing, and the key has no holder until that is done; nothing was done' },
  TOOBIG: { definite: true, by: 'node', meaning: 'the key or the value exceeds what the store accepts' },
  ERR: { definite: true, by: 'node', meaning: 'the command is unknown or malformed' },
  NOAUTH: { definite: true, by: 'node', meaning: 'the admin port wants the token of the run first' },
  WRONGPASS: { definite: true, by: 'node', meaning: 'the token is not the token of the run' },
  NOPROTO: { definite: true, by: 'node', meaning: 'the protocol version is neither 2 nor 3' },
  DISK: { definite: false, by: 'node', meaning: 'the disk of a replica failed while it wrote' },
  REFUSED: { definite: true, by: 'client', meaning: 'no connection could be made, so nothing was sent' },
  BROKEN: { definite: false, by: 'client', meaning: 'the connection broke after the command had been sent' },
  DEADLINE: { definite: false, by: 'client', meaning: 'no answer came in time' },
  MALFORMED: { definite: false, by: 'client', meaning: 'the answer is not one that the store gives' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds

/** Whether the operation certainly did not happen. A code that nobody knows proves nothing. */
export function isDefinite(code: string): boolean {
  return Object.hasOwn(errorKinds, code) && errorKinds[code as ErrorCode].definite
}

/** An error of the store: its code is in the registry, its sentence says what happened. */
export class StoreError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    // It answers a client and is no defect: taking down the stack would be most of its price.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'StoreError'
    this.code = code
  }

  get definite(): boolean {
    return errorKinds[this.code].definite
  }
}
