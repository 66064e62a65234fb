/**
 * The parts of `npm test` and how each is judged: a uvu test file by its closing lines as well as its exit code
 * and what it leaves behind, a command (the lint, a soak's slice) by its exit code.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './compiled.ts'
import { runInGroup, type GroupResult } from './process-group.ts'
import { parseClosing, skipReasons, uncaughtErrors } from './uvu-output.ts'

/** One process of a test run. */
export interface Part {
  /** A person's name for it: the source's path, `lint`, `soak NAME`. */
  readonly name: string
  /** `file`: a compiled uvu test file. `command`: a module with a `main`, relative to dist, and its arguments. */
  readonly type: 'file' | 'command'
  readonly args: readonly string[]
  readonly limitMs: number
}

/** What came of it, counted in tests. */
export interface Outcome {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why it failed, a sentence each; empty when it passed. */
  readonly reasons: readonly string[]
  readonly skips: readonly string[]
  readonly output: string
  readonly ms: number
}

/** How parts are run. */
export interface RunOptions {
  /** A skip for lack of Docker or of a browser is a failure. */
  readonly requireAll: boolean
  /** How long a file may take to end after its closing lines. */
  readonly lingerMs: number
  readonly signal?: AbortSignal
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`

/** What is wrong with how the process ended, whatever it printed. */
function processReasons(result: GroupResult, part: Part, options: RunOptions): string[] {
  if (result.timedOut) return [`It was killed at its time limit of ${seconds(part.limitMs)}.`]
  const reasons: string[] = []
  if (result.lingered) reasons.push(`It did not end within ${seconds(options.lingerMs)} after its last test: a handle leaked (see "still open" in its output).`)
  else if (result.code !== 0) reasons.push(result.code === null ? 'A signal ended it.' : `Its exit code is ${result.code}.`)
  if (result.leftovers.length > 0) reasons.push(`It left processes running (killed now): ${result.leftovers.join('; ')}`)
  return reasons
}

/** A skip for lack of Docker or of a browser, by how its reason begins. */
const lacking = /^(there is )?(no )?(docker|browser|chromium)\b/i

/** What is wrong with what a uvu file printed. */
function closingReasons(output: string, requireAll: boolean): string[] {
  const closing = parseClosing(output)
  if (closing === undefined) return ['It has no closing lines: test.run() is missing, or it ended before its tests did.']
  const skips = skipReasons(output)
  const reasons = uncaughtErrors(output).map((message) => `An error was not caught: ${message}`)
  if (closing.total === 0 && closing.skipped === 0) reasons.push('It has no tests.')
  if (closing.passed !== closing.total) reasons.push(`Of ${closing.total} tests ${closing.passed} passed.`)
  if (closing.skipped > 0 && skips.length === 0) reasons.push(`It skips ${closing.skipped} tests and prints no line "skip: REASON".`)
  for (const skip of skips) {
    if (requireAll && lacking.test(skip)) reasons.push(`Nothing may be skipped for lack of Docker or of a browser here: ${skip}.`)
  }
  return reasons
}

/** Judges a test file by everything known of its run. */
function judgeFile(part: Part, result: GroupResult, options: RunOptions): Outcome {
  const closing = parseClosing(result.output)
  const wrong = processReasons(result, part, options)
  const reasons = result.timedOut ? wrong : [...wrong, ...closingReasons(result.output, options.requireAll)]
  const skips = skipReasons(result.output)
  // A test that prints its skip and returns counts as passed for uvu.
  const returned = Math.min(closing?.passed ?? 0, Math.max(0, skips.length - (closing?.skipped ?? 0)))
  const failed = (closing?.total ?? 0) - (closing?.passed ?? 0)
  return {
    name: part.name,
    passed: (closing?.passed ?? 0) - returned,
    failed: reasons.length > 0 ? Math.max(1, failed) : 0,
    skipped: (closing?.skipped ?? 0) + returned,
    reasons,
    skips,
    output: result.output,
    ms: result.ms,
  }
}

/** A command that could try nothing ends with 2, and tells why. */
const NOTHING_TRIED = 2

function judgeCommand(part: Part, result: GroupResult, options: RunOptions): Outcome {
  const skips = skipReasons(result.output)
  const reasons = processReasons(skips.length > 0 && result.code === NOTHING_TRIED ? { ...result, code: 0 } : result, part, options)
  const [passed, failed, skipped] = reasons.length > 0 ? [0, 1, 0] : skips.length > 0 ? [0, 0, 1] : [1, 0, 0]
  return { name: part.name, passed, failed, skipped, reasons, skips, output: result.output, ms: result.ms }
}

/** Runs one part to its end. */
export async function runPart(part: Part, options: RunOptions): Promise<Outcome> {
  const require = options.requireAll ? { SPLITBRAIN_REQUIRE_DOCKER: '1', SPLITBRAIN_REQUIRE_BROWSER: '1' } : {}
  const common = {
    cwd: root,
    env: { ...process.env, ...require, NO_COLOR: '1', FORCE_COLOR: undefined },
    limitMs: part.limitMs,
    lingerMs: options.lingerMs,
    ...(options.signal ? { signal: options.signal } : {}),
  }
  if (part.type === 'command') {
    const result = await runInGroup({ ...common, args: [join(root, 'harness/bin/bootstrap.mjs'), ...part.args], isDone: () => false })
    return judgeCommand(part, result, options)
  }
  const preload = pathToFileURL(join(root, 'harness/testing/preload.mjs')).href
  const result = await runInGroup({
    ...common,
    args: ['--enable-source-maps', '--import', preload, ...part.args],
    isDone: (output) => parseClosing(output) !== undefined,
  })
  return judgeFile(part, result, options)
}
