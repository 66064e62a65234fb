/**
 * The user's repository as git sees it: where it lies, and what its revisions are. Nothing here writes.
 */
import { execa } from 'execa'
import { visible } from '../../reports/format.ts'
import { UsageError } from '../usage-error.ts'
import { withoutRepository } from './child.ts'

/** A commit, as people know it. */
export interface Commit {
  readonly hash: string
  /** As short as is unique in its repository. */
  readonly short: string
  readonly subject: string
  /** `Ada Lovelace <ada@example.org>` */
  readonly author: string
  /** ISO 8601, when it was written. */
  readonly date: string
}

/** What git answered. */
interface Answer {
  readonly exitCode: number | undefined
  readonly stdout: string
  /** The first line of what it complained about. */
  readonly complaint: string
}

/** Asks git in a folder. Hooks are left out: they are for the people who work in a checkout. Throws UsageError when there is no git. */
export async function git(dir: string, ...words: string[]): Promise<Answer> {
  const { exitCode, stdout, stderr, code } = await execa('git', ['-c', 'core.hooksPath=/dev/null', ...words], { cwd: dir, env: { ...withoutRepository, LC_ALL: 'C' }, stdin: 'ignore', reject: false })
  if (code === 'ENOENT') throw new UsageError('git cannot be started: it must be installed, and on the PATH.')
  return { exitCode, stdout, complaint: stderr.split('\n')[0]!.replace(/^(fatal|error): /, '') }
}

/** As `git`, for what cannot fail in a sound repository. */
export async function gitOrThrow(dir: string, ...words: string[]): Promise<string> {
  const { exitCode, stdout, complaint } = await git(dir, ...words)
  if (exitCode !== 0) throw new Error(`git ${words.join(' ')} failed in ${dir}: ${complaint}`)
  return stdout
}

/** The root of the checkout in which a folder lies. Throws UsageError. */
export async function checkoutOf(dir: string): Promise<string> {
  const { exitCode, stdout, complaint } = await git(dir, 'rev-parse', '--show-toplevel')
  if (exitCode !== 0 || stdout === '') throw new UsageError(`${dir} is no git checkout (${complaint}); name one with --checkout DIR.`)
  return stdout
}

/** The commit that a revision names. Throws UsageError with the option that named it. */
export async function commitOf(checkout: string, revision: string, option: string): Promise<Commit> {
  const { exitCode, stdout } = await git(checkout, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
  if (exitCode !== 0) throw new UsageError(`${option}: there is no commit "${revision}" in ${checkout}.`)
  return describe(checkout, stdout)
}

/** What there is to say about a commit. Strange characters of its texts are written out. */
export async function describe(checkout: string, hash: string): Promise<Commit> {
  const [short, subject, author, date] = (await gitOrThrow(checkout, 'show', '--no-patch', '--format=%h%x00%s%x00%an <%ae>%x00%aI', hash)).split('\0') as [string, string, string, string]
  return { hash, short, subject: visible(subject), author: visible(author), date }
}

/** How many commits came after `good`, up to `bad`. Throws UsageError when `bad` does not descend from `good`. */
export async function commitsBetween(checkout: string, good: Commit, bad: Commit): Promise<number> {
  if (good.hash === bad.hash) throw new UsageError(`--good and --bad are the same commit, ${good.short}.`)
  const { exitCode } = await git(checkout, 'merge-base', '--is-ancestor', good.hash, bad.hash)
  if (exitCode !== 0) throw new UsageError(`--good ${good.short} is no ancestor of --bad ${bad.short}: there is no first bad commit between them.`)
  return Number(await gitOrThrow(checkout, 'rev-list', '--count', `${good.hash}..${bad.hash}`))
}
