/** `splitbrain bisect`: the commit that broke a promise. */
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import { findingsOf } from '../../reports/campaign/results.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import { shortened } from '../../reports/format.ts'
import { terminalAbilities } from '../../reports/terminal.ts'
import { bisect, type Tried } from '../bisect/bisect.ts'
import { keepRun, placeOf, tryCell, type Cell } from '../bisect/cell.ts'
import { checkoutOf, commitOf, commitsBetween } from '../bisect/checkout.ts'
import { openTree } from '../bisect/tree.ts'
import { conclusion, opening, outcomeDocument, triedLine, type Asked } from '../bisect/words.ts'
import type { Arguments, Command } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import { findRuns, loadJudged } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'

/** Holding runs that make a commit good. */
const SEEDS = 5

export const bisectCommand: Command = {
  name: 'bisect',
  arguments: ['RUN'],
  describes: "Finds the commit that broke a promise. Repeats a failing run at the commits that git bisect asks for, in a working tree of its own: your checkout stays as it is, and what is not committed is not tested. A commit is bad at the first run that shows the same finding, good when all its seeds hold, and skipped when nothing can be known of it.",
  options: {
    good: { value: 'REV', describes: 'a commit at which the run holds (needed)' },
    bad: { value: 'REV', describes: 'a commit at which it fails', default: 'HEAD' },
    checkout: { value: 'DIR', describes: 'the git checkout that holds the system under test', default: "the current folder's" },
    build: { value: 'COMMAND', describes: "builds a commit: a shell reads it at the tree's root; what git ignores stays from one commit to the next", default: 'none' },
    seeds: { value: 'N', describes: "runs that must hold at a good commit, with the run's own seed and the following", default: String(SEEDS) },
    'time-limit': { value: 'TIME', describes: 'a commit whose build or run takes longer is skipped', default: '10m' },
    json: { describes: 'print what came of it as JSON, and the rest to the errors' },
  },
  notes: () => [
    'A system of your own (--system ./my-store.ts) is the file of that name at each commit. Our own store is bisected in a',
    'checkout of splitbrain, whose own command line then runs.',
    '',
    "  npx splitbrain bisect --good v1.2 --build 'npm ci && npm run build' runs/latest",
    '',
    'Exit codes: 0 the first bad commit was found, 2 it was not, 254 bad usage.',
  ],
  async execute(args) {
    const good = args.text('good')
    if (good === undefined) throw new UsageError('splitbrain bisect needs --good REV, a commit at which the run holds; see splitbrain bisect --help.')
    const folder = path.resolve(args.text('checkout') ?? '.')
    const run = await failingRun(args.positionals[0]!)
    const checkout = await checkoutOf(folder)
    const ends = { good: await commitOf(checkout, good, '--good'), bad: await commitOf(checkout, args.text('bad') ?? 'HEAD', '--bad') }
    const between = await commitsBetween(checkout, ends.good, ends.bad)
    const cell: Cell = {
      plan: run.plan,
      wanted: new Set(run.findings.map(({ fingerprint }) => fingerprint)),
      ...(await placeOf(run.plan, checkout, folder)),
      build: args.text('build'),
      seeds: args.integer('seeds', { min: 1, max: 1_000 }) ?? SEEDS,
      limitMs: limitFrom(args),
    }
    const asked = { checkout, cell, ...ends }
    return search(asked, args.flag('json'), opening(asked, await realpath(run.dir), between))
  },
}

/** Throws UsageError for a limit that nothing can keep. */
function limitFrom(args: Arguments): number {
  const limitMs = parseDuration(args.text('time-limit') ?? '10m')
  if (limitMs < 1) throw new UsageError('--time-limit must be longer than 0.')
  return limitMs
}

/** The one run that a folder holds, and what it found. Throws UsageError when it found nothing. */
async function failingRun(where: string) {
  const dirs = await findRuns(where)
  if (dirs.length > 1) throw new UsageError(`${where} holds ${dirs.length} runs; name one of them: ${dirs.map((dir) => path.relative(process.cwd(), dir)).join(', ')}.`)
  const { dir, plan, history, document } = await loadJudged(dirs[0]!)
  const findings = findingsOf(document, history)
  if (document.verdict !== 'violated' || findings.length === 0) throw new UsageError(`${where} breaks no promise, so there is nothing to bisect: ${document.sentence}`)
  return { dir, plan, findings }
}

/** Bisects, and tells. Resolves to the exit code. */
async function search(asked: Asked, json: boolean, heading: string): Promise<number> {
  const line = createLine(json ? process.stderr : process.stdout)
  const interrupt = onInterrupt(() => line.say('Interrupted: removing the working tree. Once more to leave at once.'))
  const all: Tried[] = []
  line.say(heading)
  const tree = await openTree(asked.checkout, asked.bad)
  try {
    const outcome = await bisect({
      ...asked,
      tree,
      attempt: (commit) => tryCell(tree, commit, asked.cell, { signal: interrupt.signal, onPhase: (phase) => line.live(`${commit.short}  ${phase} ...`) }),
      onTried: (tried) => {
        all.push(tried)
        line.say(triedLine(tried))
      },
      nowMs: () => performance.now(),
    })
    const kept = outcome.type === 'found' ? await keepRun(tree, outcome.commit, outcome.trial.seed) : null
    line.say('')
    if (json) console.log(JSON.stringify(outcomeDocument(asked, outcome, all, kept), null, 2))
    else console.log(conclusion(asked, outcome, all, kept))
    return outcome.type === 'found' ? exitCodes.holds : exitCodes.unknown
  } catch (error) {
    if (interrupt.signal.aborted) return exitCodes.unknown
    throw error
  } finally {
    tree.dispose()
    interrupt.dispose()
  }
}

/** Lines, and on a terminal below them one that is rewritten: what goes on now. */
function createLine(stream: NodeJS.WriteStream): { say(text: string): void; live(text: string): void } {
  const { live } = terminalAbilities(stream, process.env)
  const clear = live ? '\r\u001b[K' : ''
  return {
    say: (text) => void stream.write(`${clear}${text}\n`),
    live: (text) => void (live && stream.write(`${clear}${shortened(text, (stream.columns || 80) - 1)}`)),
  }
}
