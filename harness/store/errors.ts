/**
 * What can be wrong with a database, in one sentence each: what, where, what to do. Codes are PostgreSQL's SQLSTATE
 * ("PostgreSQL Error Codes", appendix A of its manual), Node's and postgres.js's.
 */

/** A database that cannot be used; its message is for the user. */
export class DatabaseError extends Error {}

const away = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', '57P01', '57P02', '57P03', '53300'])

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? ''

/** Whether the server cannot be reached for now: it was stopped, is starting, or the network is cut. */
export const isAway = (error: unknown): boolean => away.has(codeOf(error))

/** Two transactions got into each other's way, and the same work may be tried again: a deadlock or a serialization failure. */
export const isConflict = (error: unknown): boolean => ['40001', '40P01', '55P03'].includes(codeOf(error))

/** The sentence for an error of the database, or undefined when it is a defect of ours. */
export function sentenceOf(error: unknown, where: string): string | undefined {
  const message = error instanceof Error ? error.message : String(error)
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return `The database at ${where} refuses this user or password: ${message}. Look at the user and password in --database.`
    case '3D000':
      return `The server at ${where} has no such database (${message}); make it with createdb, or name another in --database.`
    case '42501':
      return `This user lacks a right in the database at ${where}: ${message}. Let the database's owner grant it: splitbrain campaign grant USER.`
    case '53100':
      return `The disk of the database at ${where} is full: ${message}. Free space; what was recorded is kept, and splitbrain campaign resume goes on.`
    case '53300':
      return `The database at ${where} takes no more connections: ${message}. Start fewer workers or raise its max_connections.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of the database at ${where} is unknown: ${message}.`
    default:
      return isAway(error) ? `The database at ${where} does not answer: ${message}. Is it running, and is the address in --database right?` : undefined
  }
}
