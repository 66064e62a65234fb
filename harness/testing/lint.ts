/**
 * `npm run lint`: oxlint with type information, the TypeScript compiler, knip, and the direction of imports.
 * Prints `file:line  rule  sentence` for each finding; exit code 0 when there is none, 1 otherwise.
 *
 *     npm run lint [-- PATH...]     findings under these paths alone
 */
import { root } from './compiled.ts'
import type { Finding } from './lint/finding.ts'
import { checkLayers } from './lint/layers.ts'
import { checkDeadCode, checkOxlint, checkTypes } from './lint/tools.ts'

const byPlace = (a: Finding, b: Finding): number => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)

/** Runs all checks; resolves to the exit code. */
export async function main(paths: readonly string[], print: (line: string) => void = console.log): Promise<number> {
  const checks = await Promise.all([checkOxlint(root), checkTypes(root), checkDeadCode(root)])
  const findings = [...checks.flat(), ...checkLayers(root)]
    .filter(({ file }) => paths.length === 0 || paths.some((path) => file.startsWith(path)))
    .sort(byPlace)
  for (const { file, line, rule, message } of findings) print(`${file}:${line}  ${rule}  ${message}`)
  print(findings.length === 0 ? 'Nothing to complain about.' : `${findings.length} findings.`)
  return findings.length === 0 ? 0 : 1
}
