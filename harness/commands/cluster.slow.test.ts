import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../version.ts'

const splitbrain = path.join(packageRoot(), 'harness', 'bin', 'splitbrain.mjs')

test('a cluster that is started in the background answers, tells its status, takes a node in and lets one go, and is stopped', async () => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'splitbrain-cluster-'))
  const run = (...words: string[]) => execa(process.execPath, [splitbrain, 'cluster', ...words], { cwd, reject: false })
  try {
    const started = await run('start', '--preset', 'dynamo', '--nodes', '3', '--racks', '2', '--background')
    assert.is(started.exitCode, 0, started.stderr)
    assert.match(started.stdout, /n3 +127\.0\.0\.1:\d+ +redis-cli -p \d+/)
    const second = await run('start', '--background')
    assert.is(second.exitCode, 254)
    assert.match(second.stderr, 'A cluster of dynamo runs here already')
    const status = await run('status')
    assert.is(status.exitCode, 0)
    assert.is(status.stdout.split('\n').filter((line) => /^n\d .* up .*%/.test(line)).length, 3)
    const added = await run('add')
    assert.match(added.stdout, /^n4 is a member and has what is its own/)
    const removed = await run('remove', 'n2')
    assert.match(removed.stdout, /^n2 is no member any more/)
    const unknown = await run('remove', 'n2')
    assert.is(unknown.exitCode, 254)
    assert.match(unknown.stderr, 'There is no node n2 in this cluster; there are n1, n3, n4.')
    assert.equal((await run('status')).stdout.split('\n').flatMap((line) => /^(n\d) .* up +yes .*%/.exec(line)?.[1] ?? []), ['n1', 'n3', 'n4'])
    const stopped = await run('stop')
    assert.is(stopped.stdout, 'Stopped 3 nodes.')
    const after = await run('status')
    assert.is(after.exitCode, 254)
    assert.match(after.stderr, 'No cluster is running here')
  } finally {
    await run('stop')
    await rm(cwd, { recursive: true, force: true })
  }
})

test('an impossible cluster is refused in one sentence', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [splitbrain, 'cluster', 'start', '--nodes', '3', '--replicas', '4'], { reject: false })
  assert.is(exitCode, 254)
  assert.match(stderr, '--replicas 4 needs that many nodes')
})

test.run()
