import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../../../harness/random.ts'
import type { Cluster } from '../../cluster.ts'
import { netnsCapabilities } from '../netns/capabilities.ts'
import { netnsDriver } from '../netns/driver.ts'
import { ask, toySystem } from '../testing/toy.ts'

const PATIENCE_MS = 10_000
const { cut, 'power-loss': powerLoss } = await netnsCapabilities()
const test = suite<{ cluster: Cluster }>('disks of their own')
const dir = await mkdtemp(join(tmpdir(), 'splitbrain-fuse-'))
const claim = cut.available && powerLoss.available ? test : test.skip

if (cut.available && powerLoss.available) {
  test.before(async (context) => {
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    context.cluster = await netnsDriver().start(toySystem(), { runId: `fuse${process.pid}`, nodes: ['n1'], needs: ['power-loss', 'disk'], dir, seed: 1, random: seededRandom(1), log: silent })
  })
  test.after(async ({ cluster }) => {
    await cluster.stop()
    assert.not.ok((await readFile('/proc/mounts', 'utf8')).includes(dir), 'no mount is left on the machine')
    await rm(dir, { recursive: true })
  })
}

claim('a power loss keeps what a node synced, and takes a write that nobody synced', async ({ cluster }) => {
  const [node] = cluster.nodes
  for (let i = 0; i < 5; i++) await ask(cluster, 'n1', `SET k${i} safe`, PATIENCE_MS)
  for (let i = 0; i < 5; i++) await ask(cluster, 'n1', `PUT u${i} unsafe`, PATIENCE_MS)
  const { lost, canary } = await node!.powerLoss!(false)
  assert.is(canary.keptBytes, 0)
  assert.is.not(canary.wroteBytes, 0)
  await node!.start()
  for (let i = 0; i < 5; i++) assert.is(await ask(cluster, 'n1', `GET k${i}`, PATIENCE_MS), 'safe')
  const unsafe = await Promise.all([0, 1, 2, 3, 4].map((i) => ask(cluster, 'n1', `GET u${i}`, PATIENCE_MS)))
  // What is left is a prefix of what was written.
  assert.is(unsafe.lastIndexOf('unsafe') + 1, unsafe.filter((value) => value === 'unsafe').length)
  assert.is(lost > 0, unsafe.includes('NIL'))
})

claim('a torn write leaves a part, and the node starts again without it', async ({ cluster }) => {
  const [node] = cluster.nodes
  await ask(cluster, 'n1', 'SET k safe', PATIENCE_MS)
  await ask(cluster, 'n1', 'PUT u unsafe', PATIENCE_MS)
  const { canary } = await node!.powerLoss!(true)
  assert.ok(canary.keptBytes > 0 && canary.keptBytes < canary.wroteBytes, `${canary.keptBytes} of ${canary.wroteBytes}`)
  await node!.start()
  assert.is(await ask(cluster, 'n1', 'GET k', PATIENCE_MS), 'safe')
})

claim('a full disk, one that is read-only and one that cannot sync fail as programs know it, and reads go on', async ({ cluster }) => {
  const disk = cluster.nodes[0]!.disk!
  await ask(cluster, 'n1', 'SET k safe', PATIENCE_MS)
  for (const [type, code] of [['full', 'ENOSPC'], ['read-only', 'EROFS'], ['failing-sync', 'EIO']] as const) {
    await disk.set({ type }, PATIENCE_MS)
    assert.is((await disk.trial(PATIENCE_MS)).error, code)
    assert.is(await ask(cluster, 'n1', 'GET k', PATIENCE_MS), 'safe')
  }
  await disk.set(undefined, PATIENCE_MS)
  assert.is((await disk.trial(PATIENCE_MS)).error, undefined)
})

test.run()
