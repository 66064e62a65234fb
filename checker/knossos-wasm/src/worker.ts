/**
 * A worker thread that decides registers with the window engine: columns in, verdict out. Explanations are made by the
 * main thread, which has the history.
 */
import { parentPort } from 'node:worker_threads'
import { systemElapsedMs } from './clock.ts'
import { createEngine } from './engine.ts'
import { registerProblem } from './problem.ts'
import { runWindow } from './window.ts'
import type { Job, Outcome } from './pool.ts'

const engine = createEngine()

parentPort?.on('message', (job: Job) => {
  void engine.then((ready) => {
    const problem = registerProblem(job.ops, job.initial, (code) => code)
    const result = runWindow(ready, problem, { memoryLimitMb: job.memoryLimitMb, elapsedMs: systemElapsedMs, deadlineMs: systemElapsedMs() + job.timeLimitMs })
    parentPort!.postMessage({ id: job.id, result } satisfies Outcome)
  })
})
