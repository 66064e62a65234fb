/**
 * `npm test`: every test file in a process of its own, several at a time, then judged by more than its exit code
 * (see suite.ts). The full run also lints and runs a slice of every soak.
 *
 *     npm test [-- PATTERN...] [--fast] [--require-all] [--limit SECONDS]
 *
 * The last line is always `N passed, N failed`, with `, N skipped` when there were any; the exit code is 0 or 1.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import * as colors from 'yoctocolors'
import { compiledModules } from './compiled.ts'
import { loadSoaks } from './soaks.ts'
import { runPart, type Outcome, type Part, type RunOptions } from './suite.ts'

const FILE_LIMIT_MS = 120_000
const SLOW_LIMIT_MS = 600_000
const LINGER_MS = 5_000

type Print = (line: string) => void

const plain = (text: string): string => text
const { bold, dim, green, red, yellow } = process.stdout.isTTY ? colors : { bold: plain, dim: plain, green: plain, red: plain, yellow: plain }

/** All parts of the run, the long ones first. `fast` leaves out slow files, the lint and the soaks. */
async function allParts(fast: boolean, limitMs: number | undefined): Promise<Part[]> {
  const files = compiledModules('.test.js').map(({ name, file }): Part => {
    const slow = name.endsWith('.slow.test.ts')
    return { name, type: 'file', args: [file], limitMs: limitMs ?? (slow ? SLOW_LIMIT_MS : FILE_LIMIT_MS) }
  })
  const isSlow = (part: Part): boolean => part.name.endsWith('.slow.test.ts')
  if (fast) return files.filter((part) => !isSlow(part))
  const lint: Part = { name: 'lint', type: 'command', args: ['harness/testing/lint.js'], limitMs: limitMs ?? SLOW_LIMIT_MS }
  const soaks = (await loadSoaks()).map((soak): Part => (
    { name: `soak ${soak.name}`, type: 'command', args: ['harness/testing/soak.js', soak.name, '--slice'], limitMs: limitMs ?? SLOW_LIMIT_MS }
  ))
  return [...files.filter(isSlow), ...soaks, lint, ...files.filter((part) => !isSlow(part))]
}

function report(outcome: Outcome, print: Print): void {
  const time = dim(`${(outcome.ms / 1000).toFixed(2)} s`)
  const failed = outcome.reasons.length > 0
  const counts = [
    `${outcome.passed} passed`,
    ...(outcome.failed > 0 ? [red(`${outcome.failed} failed`)] : []),
    ...(outcome.skipped > 0 ? [yellow(`${outcome.skipped} skipped`)] : []),
  ].join(', ')
  print(`${failed ? red('✘') : green('✔')} ${failed ? bold(outcome.name) : outcome.name}  ${counts}  ${time}`)
  if (failed) {
    for (const line of outcome.output.trim().split('\n')) print(`  | ${line}`)
    for (const reason of outcome.reasons) print(`  ${red(reason)}`)
  }
  for (const skip of outcome.skips) print(`  ${yellow('skip:')} ${skip}`)
}

/** Runs the parts, `parallel` at a time, and prints each as it ends. Resolves to the exit code. */
export async function runParts(parts: readonly Part[], parallel: number, options: RunOptions, print: Print): Promise<number> {
  const queue = [...parts]
  const sum = { passed: 0, failed: 0, skipped: 0 }
  const work = async (): Promise<void> => {
    for (let part = queue.shift(); part !== undefined && !options.signal?.aborted; part = queue.shift()) {
      const outcome = await runPart(part, options)
      if (options.signal?.aborted) return
      sum.passed += outcome.passed
      sum.failed += outcome.failed
      sum.skipped += outcome.skipped
      report(outcome, print)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  print(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
  return sum.failed === 0 && !options.signal?.aborted ? 0 : 1
}

const usage = 'npm test [-- PATTERN...] [--fast] [--require-all] [--limit SECONDS]: a PATTERN is a part of a name, as in "harness/clock" or "lint".'

interface Request {
  readonly patterns: readonly string[]
  readonly fast: boolean
  readonly requireAll: boolean
  readonly limitMs: number | undefined
}

/** Throws a TypeError with a sentence for unknown options. */
function parse(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { fast: { type: 'boolean' }, 'require-all': { type: 'boolean' }, limit: { type: 'string' } },
  })
  const limitMs = values.limit === undefined ? undefined : Number(values.limit) * 1000
  if (limitMs !== undefined && !(limitMs > 0)) throw new TypeError(`--limit takes seconds, not "${values.limit}".`)
  return {
    patterns: positionals,
    fast: values.fast ?? false,
    requireAll: values['require-all'] ?? process.env['SPLITBRAIN_REQUIRE_ALL'] === '1',
    limitMs,
  }
}

/** Runs the tests; resolves to 0 when all passed, 1 when not, 254 for bad usage. */
export async function main(argv: readonly string[], print: Print = console.log): Promise<number> {
  let request: Request
  try {
    request = parse(argv)
  } catch (error) {
    print(`${(error as Error).message} ${usage}`)
    return 254
  }
  const { patterns } = request
  const parts = (await allParts(request.fast, request.limitMs)).filter(({ name }) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)))
  if (parts.length === 0) {
    print(`No test matches ${patterns.join(' ') || 'at all'}. ${usage}`)
    print('0 passed, 1 failed')
    return 1
  }
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await runParts(parts, availableParallelism(), { requireAll: request.requireAll, lingerMs: LINGER_MS, signal: interrupted.signal }, print)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}
