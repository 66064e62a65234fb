/**
 * Log patterns: lines of nodes' logs that no healthy node writes, such as panics, failed assertions and corruption
 * (Jepsen's checker of the same name). What counts can be given; matching is line by line, without regard to case.
 */
import type { Judgement } from './judgement.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'

/** One node's log. */
export interface NodeLog {
  readonly node: string
  readonly text: string
}

const WITNESSES = 10
const LINE_MAX = 300
const usual = ['\\bpanic(ked)?\\b', '\\bassert(ion)? ?(failed|error)\\b', '\\bcorrupt(ed|ion)?\\b', 'segmentation fault', 'unhandled (rejection|exception)', 'uncaught', 'data race', 'out of memory', 'invariant']

/** No node's log has a line that matches. `logs` undefined: they were not collected. `pattern` undefined: the usual suspects, which are told but break no promise. */
export const logPatterns = (logs: readonly NodeLog[] | undefined, pattern?: RegExp): Judgement => ({
  name: 'log-patterns',
  ...(pattern === undefined ? {} : { binding: true }),
  describes: "no node's log tells of a panic, a failed assertion or corruption, or matches what --log-pattern gives",
  judge: () => judge(logs ?? [], pattern ?? new RegExp(usual.join('|'), 'i')),
})

function judge(logs: readonly NodeLog[], pattern: RegExp): JudgementVerdict {
  let lines = 0
  const found: { readonly node: string; readonly line: number; readonly text: string }[] = []
  for (const { node, text } of logs) {
    for (const [at, line] of text.split('\n').entries()) {
      if (line.length > 0) lines++
      if (line.search(pattern) >= 0) found.push({ node, line: at + 1, text: line.slice(0, LINE_MAX) })
    }
  }
  const nodes = [...new Set(found.map((one) => one.node))]
  const base = { judgement: 'log-patterns', operations: 0, metrics: { logs: logs.length, lines, matches: found.length, nodes, pattern: pattern.source } }
  if (logs.length === 0) return { ...base, witnesses: [], verdict: 'unknown', reason: 'no logs of nodes were collected', summary: 'Not judged: no logs of nodes were collected.' }
  if (found.length === 0) return { ...base, witnesses: [], verdict: 'holds', summary: `None of ${lines} lines of ${logs.length} logs matches.` }
  const witnesses = found.slice(0, WITNESSES).map(({ node, line, text }): Witness => ({ operations: [], explanation: `${node}.log:${line}: ${text}` }))
  return { ...base, witnesses, verdict: 'violated', summary: `${found.length} lines of ${nodes.join(', ')}: ${witnesses[0]!.explanation}` }
}
