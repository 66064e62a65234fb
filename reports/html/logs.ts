/**
 * The nodes' logs as the page carries them: lines with their time in the run, so that they stand beside the timeline.
 *
 * A line that begins with an ISO 8601 instant gets its time from there, less the instant at which the history's clock
 * read zero; a line without one belongs to the line above. Of logs that are too long for a page the beginning and the
 * end of each node's are kept, and the page says how many lines are missing.
 */
import { shortened, visible } from '../format.ts'

/** What a node wrote. */
export interface NodeLog {
  readonly node: string
  readonly text: string
}

/** One line of a node's log. */
export interface LogLine {
  readonly node: string
  /** Seconds since the start of the run; null where neither the line nor one above it says. */
  readonly time_s: number | null
  readonly text: string
}

/** All logs of a run, in order of time. */
export interface Logs {
  readonly lines: readonly LogLine[]
  /** Lines that only stand in the files. */
  readonly missing: number
}

const linesMax = 8000
const lineMax = 400
const instant = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\s*/

/** Reads logs. `zero` is the wall-clock instant (ISO 8601) at which the history began; null: unknown. */
export function readLogs(logs: readonly NodeLog[], zero: string | null): Logs {
  const zeroMs = zero === null ? Number.NaN : Date.parse(zero)
  const each = Math.floor(linesMax / Math.max(1, logs.length))
  let missing = 0
  const lines = logs.flatMap(({ node, text }) => {
    const all = text.split('\n').filter((line) => line.trim() !== '')
    const kept = all.length <= each ? all : [...all.slice(0, each / 2), ...all.slice(-each / 2)]
    missing += all.length - kept.length
    let time_s: number | null = null
    return kept.map((line): LogLine => {
      const found = instant.exec(line)
      if (found !== null && Number.isFinite(zeroMs)) time_s = Number(((Date.parse(found[1]!) - zeroMs) / 1000).toFixed(3))
      return { node: visible(node), time_s, text: shortened(visible(found !== null && time_s !== null ? line.slice(found[0].length) : line), lineMax) }
    })
  })
  return { lines: lines.toSorted((a, b) => (a.time_s ?? -Infinity) - (b.time_s ?? -Infinity)), missing }
}
