/**
 * Reads transactions in the text format of Plume, AWDIT and CobraVerifier's successors: a line `r key value` or
 * `w key value` per micro-operation, `-----` between transactions, `=====` between sessions. Everything committed, and
 * nothing is known of real time, so that all events have the same one.
 */
import { History, HistoryError, type Json } from '../history/index.ts'

const LINE = /^([rw])\s+(\S+)\s+(\S+)$/

/** Whether a file is in this format, by its first line. */
export function isTransactionText(text: string): boolean {
  return LINE.test(text.slice(0, 1_000).split('\n').find((line) => line.trim() !== '')?.trim() ?? '')
}

/** The history of a text. Throws HistoryError with the line. */
export function readTransactionText(text: string): History {
  const history = new History()
  let session = 0
  let micros: Json[] = []
  const commit = (): void => {
    if (micros.length === 0) return
    history.push({ time: 0, process: session, type: 'invoke', f: 'txn', value: micros })
    history.push({ time: 0, process: session, type: 'ok', f: 'txn', value: micros })
    micros = []
  }
  for (const [at, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (/^-+$/.test(trimmed)) commit()
    else if (/^=+$/.test(trimmed)) {
      commit()
      session++
    } else if (trimmed !== '') {
      const match = LINE.exec(trimmed)
      if (match === null) throw new HistoryError('NOT_A_MICRO_OPERATION', history.length, `line ${at + 1}: expected "r key value" or "w key value", found ${JSON.stringify(trimmed.slice(0, 60))}`, at + 1)
      micros.push([match[1]!, word(match[2]!), word(match[3]!)])
    }
  }
  commit()
  return history
}

const word = (text: string): Json => (/^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text)
