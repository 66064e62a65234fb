/** What the ways of `splitbrain check` print alike. */
import type { History } from '../../checker/history/index.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { visible } from '../../reports/format.ts'
import { operationLines } from './explanation.ts'

/** Prints text for people. What stands in a history may hold what a terminal obeys (escapes, other directions): that is written out. */
export function say(text: string): void {
  for (const line of text.split('\n')) console.log(visible(line))
}

/** That a history ends in the middle of a line, where it does. */
export function printTorn(name: string, { truncated }: History): void {
  if (truncated) say(`${name} ends in the middle of a line: its writer was killed. The whole lines before it are judged.`)
}

/** Operations, as they stand in the file. */
export function printOperations(history: History, rows: readonly number[]): void {
  for (const line of operationLines(history, rows)) say(line)
}

/** The verdict of a document, its ladder, and the first witness. */
export function printDocument(name: string, history: History, document: VerdictDocument): void {
  printTorn(name, history)
  say(`${name}: ${document.verdict}. ${document.sentence}`)
  for (const rung of document.ladder) say(`  ${rung.model.padEnd(22)}${rung.verdict.padEnd(10)}${rung.by}`)
  const witness = document.judgements.find((j) => j.verdict === 'violated')?.witnesses[0]
  if (!witness) return
  say(witness.explanation)
  printOperations(history, witness.operations)
}
