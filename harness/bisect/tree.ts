/**
 * A working tree of its own for a bisection (`git worktree`): commits are checked out, built and tested there, and git's
 * own bisection goes on there, whose state belongs to the tree. The user's checkout, its index and a bisection that the
 * user may be in the middle of stay as they are. It lies in the folder for temporary files.
 */
import { execaSync } from 'execa'
import { rmSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { abandonedFolders, claimFolder } from '../claimed-folder.ts'
import { UsageError } from '../usage-error.ts'
import { describe, git, gitOrThrow, type Commit } from './checkout.ts'
import { withoutRepository } from './child.ts'

/** What a person would type after `git bisect`. */
export type Mark = 'good' | 'bad' | 'skip'

/** Where git's bisection has got to. */
export type Step =
  | { readonly type: 'test'; readonly commit: Commit }
  | { readonly type: 'found'; readonly commit: Commit }
  /** Every commit that is left was skipped: the first bad one is among these. */
  | { readonly type: 'undecided'; readonly commits: readonly Commit[] }

/** A tree, until it is disposed of. */
export interface Tree {
  /** Its root. */
  readonly dir: string
  /** A folder beside it that goes when it goes. */
  readonly beside: string
  /** Puts a commit there. What earlier builds left and git ignores (`node_modules`) stays, so that builds are quick; all else is as committed. */
  checkOut(commit: Commit): Promise<void>
  /** Begins git's bisection. */
  bisect(good: Commit, bad: Commit): Promise<Step>
  /** Tells git's bisection of a commit that was tested. */
  mark(commit: Commit, mark: Mark): Promise<Step>
  /** Removes it, and what git noted of it. At once, also while the process exits. */
  dispose(): void
}

/** What the names of the folders begin with that hold the trees. */
const PREFIX = 'splitbrain-bisect-'
/** The tree in its folder, by which git knows it. */
const TREE = 'splitbrain-bisect'

/** Makes a tree of a checkout's repository, at a commit. Rejects with UsageError when git cannot. */
export async function openTree(checkout: string, commit: Commit): Promise<Tree> {
  const beside = await realpath(await mkdtemp(path.join(tmpdir(), PREFIX)))
  await claimFolder(beside)
  const dir = path.join(beside, TREE)
  const dispose = (): void => {
    process.off('exit', dispose)
    execaSync('git', ['worktree', 'remove', '--force', '--force', dir], { cwd: checkout, env: withoutRepository, reject: false })
    rmSync(beside, { recursive: true, force: true })
  }
  process.on('exit', dispose)
  const { exitCode, complaint } = await git(checkout, 'worktree', 'add', '--detach', dir, commit.hash)
  if (exitCode !== 0) {
    dispose()
    throw new UsageError(`git cannot make a working tree of ${checkout}: ${complaint}.`)
  }
  const step = async (...words: string[]): Promise<Step> => {
    await gitOrThrow(dir, 'reset', '--hard', '--quiet')
    const { exitCode: code, complaint: why } = await git(dir, 'bisect', ...words)
    const reached = await stepOf(dir)
    // Git ends with 2 when only skipped commits are left.
    if (code !== 0 && reached.type !== 'undecided') throw new Error(`git bisect ${words.join(' ')} failed in ${dir}: ${why}`)
    return reached
  }
  return {
    dir,
    beside,
    async checkOut({ hash }) {
      await gitOrThrow(dir, 'reset', '--hard', '--quiet')
      await gitOrThrow(dir, 'clean', '-ffd', '--quiet')
      await gitOrThrow(dir, 'checkout', '--detach', '--quiet', hash)
    },
    bisect: (good, bad) => step('start', bad.hash, good.hash),
    mark: ({ hash }, mark) => step(mark, hash),
    dispose,
  }
}

/** Removes the trees of bisections that were killed, and what git noted of them. Resolves to what was removed. */
export async function sweepTrees(): Promise<string[]> {
  const abandoned = await abandonedFolders(await realpath(tmpdir()), PREFIX)
  for (const beside of abandoned) {
    const dir = path.join(beside, TREE)
    const { exitCode, stdout } = await git(beside, '-C', dir, 'rev-parse', '--path-format=absolute', '--git-common-dir')
    if (exitCode === 0) await git(beside, '--git-dir', stdout, 'worktree', 'remove', '--force', '--force', dir)
    await rm(beside, { recursive: true, force: true })
  }
  return abandoned.map((dir) => `working tree ${dir}`)
}

/** Reads git's bisection from its log, whose format does not depend on language or version; git itself has checked out what is to be tested next. */
async function stepOf(dir: string): Promise<Step> {
  const log = await gitOrThrow(dir, 'bisect', 'log')
  const named = (what: string): string[] => [...log.matchAll(new RegExp(`^# ${what}: \\[([0-9a-f]+)\\]`, 'gm'))].map(([, hash]) => hash!)
  const [found] = named('first bad commit')
  if (found !== undefined) return { type: 'found', commit: await describe(dir, found) }
  const possible = named('possible first bad commit')
  if (possible.length > 0) return { type: 'undecided', commits: await Promise.all(possible.map((hash) => describe(dir, hash))) }
  return { type: 'test', commit: await describe(dir, await gitOrThrow(dir, 'rev-parse', 'HEAD')) }
}
