/**
 * All nodes are killed with SIGKILL at once, at a random moment of writing, again and again: real processes, real disks,
 * sync `always`. What was confirmed before must be read afterwards.
 */
import { realClock, sleep } from '../../harness/clock.ts'
import { seededRandom } from '../../harness/random.ts'
import { withProcesses } from './testing/processes.ts'
import type { NodeProcess } from './testing/processes.ts'

const PRESETS = ['abd', 'paxos', 'primary-sync', '2pc'] as const
const WRITERS = 8
const DEADLINE_MS = 2_000
/** Writing goes on this long, then half a second more at most. */
const WRITING_MS = 300
const RECOVERY_LIMIT_MS = 20_000

/** Writes one key after the other until the node is gone; adds what was confirmed. */
async function write(node: NodeProcess, prefix: string, confirmed: Map<string, string>): Promise<void> {
  const connection = await node.connect('client')
  try {
    for (let i = 0; ; i++) {
      const key = `${prefix}-${i}`
      await connection.ask(['SET', key, `value of ${key}`], DEADLINE_MS)
      confirmed.set(key, `value of ${key}`)
    }
  } catch {
    // The node is gone, or too few others are left: what this write became nobody knows.
  } finally {
    connection.close()
  }
}

/** Reads a key until somebody answers. */
async function read(node: NodeProcess, key: string): Promise<string | null> {
  const clock = realClock()
  for (let refused = ''; ; ) {
    const connection = await node.connect('client')
    try {
      const reply = await connection.ask(['GET', key], DEADLINE_MS)
      return reply instanceof Uint8Array ? Buffer.from(reply).toString() : null
    } catch (error) {
      refused = String(error)
    } finally {
      connection.close()
    }
    if (clock.now() > RECOVERY_LIMIT_MS * 1e6) throw new Error(`"${key}" could not be read within ${RECOVERY_LIMIT_MS} ms: ${refused}`)
    await sleep(clock, 100)
  }
}

async function kill(nodes: readonly NodeProcess[], round: number, delayMs: number): Promise<{ readonly confirmed: number; readonly lost: readonly string[] }> {
  const confirmed = new Map<string, string>()
  const writing = Array.from({ length: WRITERS }, (_, i) => write(nodes[i % nodes.length]!, `${round}-${i}`, confirmed))
  await sleep(realClock(), delayMs)
  await Promise.all(nodes.map((node) => node.kill()))
  await Promise.all(writing)
  await Promise.all(nodes.map((node) => node.start()))
  const lost: string[] = []
  for (const [key, value] of confirmed) if ((await read(nodes[0]!, key)) !== value) lost.push(key)
  return { confirmed: confirmed.size, lost }
}

async function run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
  let passed = true
  for (const preset of cases < PRESETS.length ? PRESETS.slice(1, 2) : PRESETS) {
    const random = seededRandom(seed).fork(preset)
    let confirmed = 0
    let lost = 0
    const rounds = Math.max(1, Math.floor(cases / PRESETS.length))
    await withProcesses({ preset, processes: 3, token: 'soak' }, async (nodes) => {
      await read(nodes[0]!, 'nothing')
      for (let round = 0; round < rounds; round++) {
        const outcome = await kill(nodes, round, WRITING_MS + random.float() * 500)
        confirmed += outcome.confirmed
        lost += outcome.lost.length
        if (outcome.lost.length > 0) print(`${preset}, round ${round}: confirmed and gone: ${outcome.lost.slice(0, 5).join(', ')}`)
      }
    })
    print(`${preset}: ${rounds} times all nodes killed at once; ${confirmed} writes confirmed, ${lost} lost`)
    passed &&= lost === 0 && confirmed > 0
  }
  return passed
}

export const soak = {
  name: 'kv-kill-all',
  describes: 'kill -9 of all nodes at once, on real processes with sync always: no confirmed write is lost',
  full: 200,
  slice: 1,
  run,
}
