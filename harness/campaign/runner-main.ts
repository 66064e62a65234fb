/**
 * A process that carries out runs for a worker, one after the other, and says what came of each. It ends with its
 * worker, and never by the terminal's Ctrl-C, which the worker hears as well.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { recordOf } from '../../reports/campaign/results.ts'
import { realClock } from '../clock.ts'
import type { Plan } from '../plan.ts'
import { runPlan } from '../run.ts'
import { startedOf } from '../run-in-folder.ts'
import { contentOf } from '../store/contents.ts'
import { planOf } from './definition.ts'
import type { KeptFile, Outcome, Task, ToRunner } from './task.ts'

/** Where a run's compressed files wait for its worker, in the run's folder. */
const OUTBOX = '.kept'

/** Healing, tearing down and going must be done by then when the worker died. */
const PARTING_MS = 60_000

let stop = new AbortController()

process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
// Without its worker nobody wants what it does: it heals, tears down and goes.
process.on('disconnect', () => {
  stop.abort()
  if (idle) process.exit(0)
  setTimeout(() => process.exit(1), PARTING_MS).unref()
})
let idle = true

process.on('message', (message: ToRunner) => {
  if (message.type === 'stop') return stop.abort()
  idle = false
  stop = new AbortController()
  void carryOut(message.task, stop.signal).then((outcome) => {
    idle = true
    if (!process.connected) process.exit(0)
    process.send!(outcome)
  })
})

async function carryOut(task: Task, signal: AbortSignal): Promise<Outcome> {
  const clock = realClock()
  const elapsedMs = (): number => clock.now() / 1e6
  const { repeat } = task
  let plan: Plan | null = null
  try {
    plan = await planOf(task.words)
    const label = `${task.configuration} · ${task.nemesis}`
    const { document, history } = await runPlan(plan, { dir: task.dir, label, emit: () => undefined, signal, repeat, started: startedOf(plan, Date.now()) })
    if (signal.aborted) return { type: 'stopped' }
    const record = recordOf({ configuration: task.configuration, nemesis: task.nemesis, seed: task.seed, repeat, elapsed_ms: Math.round(elapsedMs()) }, document, history)
    return { type: 'done', record, plan, files: await keep(task.dir, record.verdict === 'holds' ? ['history.jsonl'] : await filesOf(task.dir)) }
  } catch (error) {
    if (signal.aborted) return { type: 'stopped' }
    return { type: 'failed', message: error instanceof Error ? error.message : String(error), elapsedMs: Math.round(elapsedMs()), plan }
  }
}

/** Of a run that broke its promise, or of which nothing is known, everything is kept that `splitbrain report` can show. */
async function filesOf(dir: string): Promise<string[]> {
  const logs = await readdir(path.join(dir, 'nodes')).catch(() => [])
  return ['history.jsonl', 'environment.json', ...logs.filter((name) => name.endsWith('.log')).sort().map((name) => `nodes/${name}`)]
}

async function keep(dir: string, names: readonly string[]): Promise<KeptFile[]> {
  const outbox = path.join(dir, OUTBOX)
  await mkdir(outbox, { recursive: true })
  const kept: KeptFile[] = []
  for (const [index, name] of names.entries()) {
    const bytes = await readFile(path.join(dir, name)).catch(() => undefined)
    if (bytes === undefined) continue
    const { sha256, compressed, bytes: size } = contentOf(bytes)
    const file = path.join(outbox, `${index}.gz`)
    await writeFile(file, compressed)
    kept.push({ name, sha256, bytes: size, compressed: file, stored_bytes: compressed.length })
  }
  return kept
}
