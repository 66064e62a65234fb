/** The thread that runs blocks of a soak's cases, one after the other, for `soak.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Block, TrialsSoak } from './soak.ts'

const { soak } = (await import(workerData as string)) as { readonly soak: TrialsSoak }

parentPort!.on('message', (block: Block) => void soak.block(block).then((result) => parentPort!.postMessage(result)))
