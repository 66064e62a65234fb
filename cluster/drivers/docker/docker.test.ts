import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../../../harness/random.ts'
import { ClusterError } from '../../cluster.ts'
import { closure, contentHash, findExecutable, libraryFolders } from './closure.ts'
import { controllerLabel, parseControllerLabel, thisController, whereabouts } from './controller.ts'
import { dockerDriver } from './driver.ts'
import { explain } from './errors.ts'
import { unframe } from './output.ts'
import { noteSystem } from './testing/note-system.ts'

const ignore = (): void => undefined
const plan = { runId: 'none', nodes: ['n1'], dir: '', seed: 1, random: seededRandom(1), log: { info: ignore, warn: ignore, error: ignore } }

test('an engine that is not there is said to be not there', async () => {
  const driver = dockerDriver({ hosts: ['unix:///nowhere/docker.sock'] })
  const report = await driver.capabilities()
  assert.not(report.cut.available)
  assert.match(report.cut.reason, /no container engine answers there\. Start Docker/)
  try {
    await driver.start(noteSystem(), plan)
    assert.unreachable('it started')
  } catch (error) {
    assert.is((error as ClusterError).code, 'docker-missing')
  }
})

test('an engine whose answer breaks off is an error, not a wait without end', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-engine-'))
  const engine = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Ver')))
  await new Promise<void>((listening) => void engine.listen(join(dir, 'docker.sock'), listening))
  const report = await dockerDriver({ hosts: [`unix://${join(dir, 'docker.sock')}`] }).capabilities()
  assert.match(report.cut.reason, /the engine closed the connection/)
  await new Promise((closed) => void engine.close(closed))
  await rm(dir, { recursive: true })
})

test('a controller is told apart from a later process of the same id', async () => {
  const here = await thisController()
  assert.equal(parseControllerLabel(controllerLabel(here)), here)
  assert.is(await whereabouts(here, true), 'running')
  assert.is(await whereabouts({ ...here, started: '1' }, true), 'gone')
  assert.is(await whereabouts({ ...here, scope: 'another-machine boot pid:[1]' }, true), 'elsewhere')
})

/** An error as dockerode hands it out. */
const refusal = (statusCode: number, words: string): Error => Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${words} `), { statusCode })

test('what engines complain about becomes a code and a sentence with what to do', () => {
  const seen = (error: Error): string => explain(error, 'Doing it').code
  assert.is(seen(refusal(500, 'write /x: no space left on device')), 'no-space')
  assert.is(seen(refusal(403, 'Pool overlaps with other one on this address space')), 'subnet-clash')
  assert.is(seen(refusal(409, 'Conflict. The container name "/a" is already in use by container "b".')), 'name-clash')
  assert.is(seen(refusal(404, 'No such image: a:b')), 'image-missing')
  assert.is(seen(refusal(500, 'Bind for 127.0.0.1:80 failed: port is already allocated')), 'port-taken')
  assert.is(seen(Object.assign(new Error('connect EACCES /var/run/docker.sock'), { code: 'EACCES' })), 'docker-permission')
  assert.is(seen(Object.assign(new Error('connect ECONNREFUSED /var/run/docker.sock'), { code: 'ECONNREFUSED' })), 'docker-missing')
  assert.is(explain(refusal(418, 'I am a teapot'), 'Brewing').message, 'Brewing: the engine refused (I am a teapot). `splitbrain doctor` shows what it can do.')
  const known = new ClusterError('known', 'Said already.')
  assert.is(explain(known, 'Doing it'), known)
})

test("a container's output is put together from the engine's frames", () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8)
    header[0] = stream
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const whole = Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n')])
  assert.is(unframe(whole).toString(), 'out\nerr\n')
  assert.is(unframe(whole.subarray(0, -1)).toString(), 'out\n', 'a frame that was cut off is left out')
})

test('an image of an executable holds its libraries, and its name depends on nothing but the content', async () => {
  if (process.platform !== 'linux') return
  const shell = findExecutable('sh')
  assert.ok(shell)
  const files = await closure([shell])
  assert.ok(files.some(({ path, executable }) => path === shell && executable))
  assert.ok(files.some(({ path }) => /ld-|libc/.test(path)))
  assert.ok(libraryFolders(files).startsWith('/'))
  assert.is(contentHash(files), contentHash(await closure([shell])))
  assert.is.not(contentHash(files), contentHash(files, 'more'))
})

test.run()
