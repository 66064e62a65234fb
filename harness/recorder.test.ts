import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readJsonl } from 'knossos-wasm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History, type Event } from '../checker/history/index.ts'
import { sleep, VirtualClock } from './clock.ts'
import { limit, mix, unfold } from './generator/index.ts'
import { interpret } from './interpreter.ts'
import { seededRandom } from './random.ts'
import { openRecorder } from './recorder.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'splitbrain-recorder-'))
let files = 0
const newFile = (): string => path.join(dir, `history-${files++}.jsonl`)
test.after(() => rmSync(dir, { recursive: true }))

const write = (n: number): Event => ({ time: n * 10, process: n, type: 'invoke', f: 'write', key: `k${n % 8}`, value: n, node: 'n1' })

test('what is recorded stands in the columns and in the file', async () => {
  const file = newFile()
  const history = new History()
  const recorder = openRecorder(file, history)
  for (let n = 0; n < 5000; n++) recorder.record(write(n))
  await recorder.close()
  const read = readJsonl(readFileSync(file))
  assert.is(read.length, 5000)
  for (const row of [0, 1, 2500, 4999]) assert.equal(read.event(row), history.event(row))
})

test('the file is written as events happen, and not only at the end', async () => {
  const file = newFile()
  const recorder = openRecorder(file, new History())
  recorder.record(write(0))
  while (statSync(file).size === 0) await new Promise(resolve => setTimeout(resolve, 5))
  for (let n = 1; n < 1000; n++) recorder.record(write(n))
  assert.ok(statSync(file).size >= 64 * 1024, 'a full buffer does not wait for the timer')
  await recorder.close()
  await recorder.close()
  assert.throws(() => recorder.record(write(1001)), /closed/)
})

test('an event that contradicts the process model is refused and not written', async () => {
  const file = newFile()
  const recorder = openRecorder(file, new History())
  recorder.record(write(0))
  assert.throws(() => recorder.record(write(0)), /still open/)
  await recorder.close()
  assert.is(readFileSync(file, 'utf8').trim().split('\n').length, 1)
})

test('a history that exists is never written over', async () => {
  const file = newFile()
  await openRecorder(file, new History()).close()
  assert.throws(() => openRecorder(file, new History()), /EEXIST/)
})

test('cut at any byte, the file is a valid prefix with at most a torn last line', async () => {
  const file = newFile()
  const recorder = openRecorder(file, new History())
  for (let n = 0; n < 20; n++) recorder.record(write(n))
  await recorder.close()
  const whole = readFileSync(file)
  for (let bytes = whole.length - 1; bytes > 0; bytes--) {
    truncateSync(file, bytes)
    const read = readJsonl(readFileSync(file), { tolerateTruncation: true })
    const lines = whole.subarray(0, bytes).filter(byte => byte === 10).length
    assert.ok(read.length === lines || (whole[bytes] === 10 && read.length === lines + 1))
  }
})

test('kill -9 in the middle of recording leaves a history that can be read', async () => {
  const file = newFile()
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), 'record-until-killed', file], { stdio: 'inherit' })
  const gone = new Promise(resolve => child.once('exit', resolve))
  while (!(statSync(file, { throwIfNoEntry: false })?.size ?? 0)) await new Promise(resolve => setTimeout(resolve, 5))
  child.kill('SIGKILL')
  await gone
  const read = readJsonl(readFileSync(file), { tolerateTruncation: true })
  assert.ok(read.length > 0)
})

test('the same seed on the virtual clock writes the same bytes', async () => {
  const record = async (seed: number): Promise<Buffer> => {
    const file = newFile()
    const clock = new VirtualClock()
    const recorder = openRecorder(file, new History())
    const random = seededRandom(seed)
    const latency = random.fork('latency')
    const writes = unfold({ state: 1, next: n => [{ f: 'write', key: 'k0', value: n }, n + 1] })
    const openClient = () => ({
      invoke: async () => {
        await sleep(clock, latency.float() * 10)
        return latency.int(10) === 0 ? ({ type: 'info', error: 'reset' } as const) : ({ type: 'ok' } as const)
      },
      close: () => undefined,
    })
    await clock.run(() => interpret({ generator: limit(2000, mix(writes, () => ({ f: 'read', key: 'k0' }))), clock, random: random.fork('generator'), threads: 10, nodes: ['n1', 'n2'], openClient, opTimeoutMs: 9, record: recorder.record }))
    await recorder.close()
    return readFileSync(file)
  }
  const first = await record(1)
  assert.ok(first.equals(await record(1)))
  assert.not.ok(first.equals(await record(2)))
})

/** The child of the kill test: records until it is killed (or, should nobody kill it, some twenty megabytes). */
async function recordUntilKilled(file: string): Promise<void> {
  const recorder = openRecorder(file, new History())
  for (let n = 0; n < 200_000; n++) {
    recorder.record(write(n))
    if (n % 100 === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

if (process.argv[2] === 'record-until-killed') await recordUntilKilled(process.argv[3]!)
else test.run()
