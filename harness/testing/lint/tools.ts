/**
 * The tools of the lint, each run as a program of its own and its findings brought into one form: oxlint
 * (.oxlintrc.json), the TypeScript compiler (every tsconfig.json), knip (knip.json).
 */
import { execa } from 'execa'
import { join } from 'node:path'
import type { Finding } from './finding.ts'
import { typeScriptProjects } from './sources.ts'

/** Runs a tool's JavaScript entry in `root`. Throws when it did not even come to a result. */
async function run(root: string, entry: string, args: readonly string[], acceptable: readonly number[]): Promise<string> {
  const result = await execa({ cwd: root, reject: false, stdin: 'ignore' })`${process.execPath} ${join(root, 'node_modules', entry)} ${args}`
  if (result.exitCode === undefined || !acceptable.includes(result.exitCode)) {
    throw new Error(`${entry} failed with ${result.exitCode ?? result.signal ?? 'no exit code'}: ${result.stderr || result.stdout}`)
  }
  return result.stdout
}

interface OxlintDiagnostic {
  readonly message: string
  readonly code?: string
  readonly help?: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

/** Rules whose own messages do not say why they are here. */
const reasons: Readonly<Record<string, string>> = {
  'import(no-nodejs-modules)': 'What is under test reaches the outside world through Env (harness/env.ts) alone, or the simulator cannot replay it.',
  'import(no-cycle)': 'Files that import each other in a loop cannot be understood, or loaded, one at a time.',
  'import(no-default-export)': 'The same thing has the same name everywhere.',
}

/** oxlint's findings. With `paths`, only in those. */
export async function checkOxlint(root: string, paths: readonly string[] = []): Promise<Finding[]> {
  const output = await run(root, 'oxlint/bin/oxlint', ['--format', 'json', ...paths], [0, 1])
  const { diagnostics } = JSON.parse(output) as { diagnostics: OxlintDiagnostic[] }
  return diagnostics.map(({ message, code = 'oxlint', help, filename, labels }) => {
    const restricted = code.includes('no-restricted-globals') // its message holds the reason, its help is beside the point
    return { file: filename, line: labels[0]?.span.line ?? 1, rule: code, message: [message, restricted ? '' : (reasons[code] ?? help ?? '')].join(' ').trim() }
  })
}

const compilerLine = /^(?<file>[^(\n]+)\((?<line>\d+),\d+\): error (?<rule>TS\d+): (?<message>.*)$/gm

/** The compiler's errors in every TypeScript project of the repository. */
export async function checkTypes(root: string): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const project of typeScriptProjects(root)) {
    const output = await run(root, 'typescript/bin/tsc', ['-p', project, '--noEmit', '--incremental', 'false', '--pretty', 'false'], [0, 1, 2])
    for (const { groups } of output.matchAll(compilerLine)) {
      findings.push({ file: groups!['file']!, line: Number(groups!['line']), rule: groups!['rule']!, message: groups!['message']! })
    }
    if (output.startsWith('error ')) findings.push({ file: project, line: 1, rule: 'tsc', message: output })
  }
  return findings
}

type KnipIssue = { readonly file: string } & Readonly<Record<string, readonly { readonly name: string; readonly line?: number }[]>>

const knipSentences: Readonly<Record<string, string>> = {
  files: 'is used by nothing: no command, test, soak or benchmark reaches it.',
  exports: 'is exported and used nowhere else: export few names.',
  types: 'is exported and used nowhere: export few names.',
  dependencies: 'is a dependency that nothing imports.',
  devDependencies: 'is a dependency of development that nothing uses.',
  unlisted: 'is imported but not in package.json.',
  unresolved: 'is imported and does not exist.',
  duplicates: 'is exported twice.',
}

/** knip's findings: dead files, exports, types and dependencies. */
export async function checkDeadCode(root: string): Promise<Finding[]> {
  const output = await run(root, 'knip/bin/knip.js', ['--reporter', 'json', '--no-progress'], [0, 1])
  const { issues } = JSON.parse(output) as { issues: KnipIssue[] }
  return issues.flatMap(({ file, ...kinds }) =>
    Object.entries(kinds).flatMap(([kind, found]) =>
      found.map(({ name, line = 1 }) => ({ file, line, rule: `knip(${kind})`, message: `${name} ${knipSentences[kind] ?? `(${kind})`}` })),
    ),
  )
}
