import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packageRoot } from '../version.ts'

const program = path.join(packageRoot(), 'harness', 'bin', 'splitbrain.mjs')
const scratch = await realpath(await mkdtemp(path.join(tmpdir(), 'splitbrain-bisect-test-')))
test.after(() => rm(scratch, { recursive: true }))

/** One node; `read`: the map from which it answers reads. */
const server = (read: string, extra = ''): string => `
import { createServer } from 'node:http'
const [host, port] = process.argv[2].split(':')
const values = new Map()
const overwritten = new Map()
createServer(async (message, answer) => {
  if (message.url === '/') return answer.end(JSON.stringify(Object.fromEntries(values)))
  if (message.method === 'GET') return answer.end(${read}.get(message.url) ?? 'null')
  let value = ''
  for await (const chunk of message) value += chunk
  overwritten.set(message.url, values.get(message.url))
  values.set(message.url, value)
  answer.end('stored')
}).listen(Number(port), host)
${extra}
`

const system = `
import { fileURLToPath } from 'node:url'
import { defineSystem } from 'splitbrain'
const program = fileURLToPath(new URL('./server.mjs', import.meta.url))
const ask = async (cluster, node, key, deadlineMs, body) => (await fetch(\`http://\${cluster.address(node, 'client')}/\${key}\`, { signal: AbortSignal.timeout(deadlineMs), ...(body === undefined ? {} : { method: 'PUT', body }) })).text()
export const system = defineSystem({
  name: 'toy',
  expected: 'linearizable',
  promise: 'one node',
  functions: ['read', 'write'],
  nodes: (ids) => ids.map((id) => ({ id, command: ({ listen }) => ({ file: process.execPath, args: [program, listen.client] }) })),
  ping: async (cluster, node, deadlineMs) => (await ask(cluster, node, '', deadlineMs)) !== '',
  client: (cluster, node, { deadlineMs }) => ({
    async invoke({ f, key, value }) {
      const answer = await ask(cluster, node, key, deadlineMs, f === 'write' ? JSON.stringify(value) : undefined)
      return f === 'read' ? { type: 'ok', value: JSON.parse(answer) } : { type: 'ok' }
    },
    close: () => undefined,
  }),
  peek: async (cluster, node, keys, deadlineMs) => {
    const held = JSON.parse(await ask(cluster, node, '', deadlineMs))
    return keys.map((key) => ({ key, value: JSON.parse(held['/' + key] ?? 'null') }))
  },
})
`

const current = server('values')
const stale = server('overwritten')

/** A repository whose commits have these servers in a folder, with the subjects "commit 1", "commit 2", ..., and a failing run of the last. */
async function repository(name: string, servers: readonly string[], folder = '') {
  const root = path.join(scratch, name)
  const dir = path.join(root, folder)
  const identity = ['-c', 'user.name=Ada Lovelace', '-c', 'user.email=ada@example.org']
  const git = async (...words: string[]): Promise<string> => (await execa('git', [...identity, ...words], { cwd: root })).stdout
  await execa('git', ['init', '--quiet', '--initial-branch=main', root])
  await mkdir(dir, { recursive: true })
  await writeFile(path.join(root, '.gitignore'), 'runs/\n')
  await writeFile(path.join(dir, 'my-store.ts'), system)
  for (const [i, text] of servers.entries()) {
    await writeFile(path.join(dir, 'server.mjs'), `// ${i}${text}`)
    await git('add', '.')
    await git('commit', '--quiet', '-m', `commit ${i + 1}`)
  }
  const splitbrain = (...words: string[]) => execa(process.execPath, [program, ...words], { cwd: dir, reject: false, env: { TMPDIR: scratch } })
  const bisect = (...words: string[]) => splitbrain('bisect', 'runs/latest', '--build', `node --check ${path.join(folder, 'server.mjs')}`, '--seeds', '1', ...words)
  const first = await splitbrain('run', '--system', './my-store.ts', ...cell)
  assert.is(first.exitCode, 1, first.stdout + first.stderr)
  return { root, dir, git, splitbrain, bisect }
}

const cell = ['--driver', 'process', '--nodes', '1', '--nemesis', 'none', '--workload', 'register(keys=1)', '--clients', '1', '--time', '1s', '--rate', '300', '--seed', '1']

/** What a bisection may not leave behind. */
async function traces(root: string): Promise<string[]> {
  const trees = path.join(root, '.git', 'worktrees')
  return [...(existsSync(trees) ? await readdir(trees) : []), ...(await readdir(scratch)).filter((name) => name.startsWith('splitbrain-bisect-'))]
}

test('the commit that brought a stale read is found past one that does not build, the checkout stays as it was, and the command that is shown repeats it', async () => {
  // Git asks for the commit in the middle first.
  const { root, dir, git, splitbrain, bisect } = await repository('found', [current, current, current, server('values', '}'), current, stale, stale])
  const culprit = await git('rev-parse', 'main~1')
  // The user is in the middle of something, and of a bisection of something else.
  await git('bisect', 'start', 'main', 'main~6')
  await writeFile(path.join(dir, 'server.mjs'), '// half done')
  const state = async (): Promise<string[]> => [await git('status', '--porcelain'), await git('bisect', 'log'), await git('rev-parse', 'HEAD'), await git('for-each-ref')]
  const before = await state()

  const { exitCode, stdout, stderr } = await bisect('--good', 'main~6', '--bad', 'main')
  assert.is(exitCode, 0, stdout + stderr)
  assert.match(stdout, /^\w+  skipped   0 runs .* commit 4 \(the build command fails: SyntaxError.*\)$/m)
  assert.match(stdout, new RegExp(`commit   ${culprit}\nauthor   Ada Lovelace <ada@example.org>\ndate     .*\nsubject  commit 6\nfinding  Not .* without a fault\n`))
  assert.equal(await state(), before)
  assert.equal(await traces(root), [])

  const [, commit, words] = /^repeat   git checkout (\w+) && node --check server\.mjs && npx splitbrain (run --plan \S+)$/m.exec(stdout)!
  await git('checkout', '--force', '--quiet', commit!)
  assert.is((await splitbrain(...words!.split(' '))).exitCode, 1)
})

test('where git can only be told to skip, and where an end is not what it was said to be, that is said and nothing is found', async () => {
  const { root, git, bisect } = await repository('undecided', [current, server('values', '}'), stale, stale], 'store')
  const skipped = await bisect('--good', 'main~3', '--bad', 'main~1', '--json')
  assert.is(skipped.exitCode, 2, skipped.stderr)
  const { outcome, candidates, tried } = JSON.parse(skipped.stdout) as { outcome: string; candidates: { hash: string }[]; tried: { subject: string; verdict: string }[] }
  assert.is(outcome, 'undecided')
  assert.equal(candidates.map(({ hash }) => hash).sort(), [await git('rev-parse', 'main~1'), await git('rev-parse', 'main~2')].sort())
  assert.equal(tried.map(({ subject, verdict }) => [subject, verdict]), [['commit 3', 'bad'], ['commit 1', 'good'], ['commit 2', 'skipped']])

  const fails = await bisect('--good', 'main~1')
  assert.is(fails.exitCode, 2)
  assert.match(fails.stdout, /unknown: --good \w+ is not good: with seed 1 it fails as the run does \(Not .*\); name an older commit\.$/)
  const holds = await bisect('--good', 'main~3', '--bad', 'main~2')
  assert.match(holds.stdout, /unknown: --bad \w+ cannot be tested: the build command fails: SyntaxError.*\.$/)
  assert.equal(await traces(root), [])
})

test('Ctrl-C ends the run at hand and removes the tree', async () => {
  const { root, bisect } = await repository('interrupted', [current, stale])
  const bisecting = bisect('--good', 'main~1')
  await new Promise((resolve) => bisecting.stdout.on('data', (text) => String(text).includes('bad') && resolve(undefined)))
  bisecting.kill('SIGINT')
  const { exitCode, stdout } = await bisecting
  assert.is(exitCode, 2)
  assert.match(stdout, /Interrupted: removing the working tree/)
  assert.equal(await traces(root), [])
})

test('what a killed bisection leaves is removed by splitbrain clean', async () => {
  const { root, bisect, splitbrain } = await repository('killed', [current, stale])
  // The build ends with the bisection that it is a child of.
  const bisecting = bisect('--good', 'main~1', '--build', 'echo > ../building; exec tail --pid=$PPID -f /dev/null')
  while (!(await readdir(scratch, { recursive: true })).some((name) => name.endsWith('/building'))) await new Promise((resolve) => setTimeout(resolve, 20))
  bisecting.kill('SIGKILL')
  await bisecting
  assert.is((await traces(root)).length, 2)
  assert.match((await splitbrain('clean')).stdout, 'working tree')
  assert.equal(await traces(root), [])
})

test('what cannot be bisected is refused in a sentence before anything is tried', async () => {
  const { dir, git, splitbrain, bisect } = await repository('refused', [current, stale])
  const refusal = async (run: ReturnType<typeof bisect>): Promise<string> => {
    const { exitCode, stdout, stderr } = await run
    assert.is(exitCode, 254, stdout + stderr)
    assert.is(stdout, '')
    return stderr.replaceAll(dir, 'DIR')
  }
  assert.match(await refusal(bisect()), /^splitbrain bisect needs --good REV/)
  assert.is(await refusal(bisect('--good', 'v1')), '--good: there is no commit "v1" in DIR.')
  assert.is(await refusal(bisect('--good', 'HEAD')), `--good and --bad are the same commit, ${await git('rev-parse', '--short', 'HEAD')}.`)
  assert.match(await refusal(bisect('--good', 'HEAD', '--bad', 'HEAD~1')), /^--good \w+ is no ancestor of --bad \w+: /)
  assert.match(await refusal(bisect('--good', 'HEAD~1', '--checkout', '..')), /^.* is no git checkout \(not a git repository.*\); name one with --checkout DIR\.$/)
  assert.match(await refusal(bisect('--good', 'HEAD~1', '--time-limit', '0s')), /^--time-limit must be longer than 0\.$/)
  assert.is((await splitbrain('run', '--preset', 'one', '--bug', 'definite-lie', '--driver', 'sim', '--time', '1s', '--seed', '1')).exitCode, 0)
  assert.match(await refusal(bisect('--good', 'HEAD~1')), /^runs\/latest breaks no promise, so there is nothing to bisect: /)
})

test.run()
