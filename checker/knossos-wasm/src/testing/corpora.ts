/**
 * The corpora of known histories: where they are, which models they were recorded under, what their verdicts are.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { models } from '../models.ts'
import type { Model } from '../model.ts'

/** The folder, or undefined when it is not on this machine. */
export function findCorpora(): string | undefined {
  const named = process.env['SPLITBRAIN_CORPORA']
  const candidates = [named, join(process.cwd(), '../shared/corpora')]
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) candidates.push(join(folder, 'shared/corpora'))
  return candidates.find((path) => path !== undefined && existsSync(join(path, 'INDEX.md')))
}

export interface CorpusHistory {
  readonly path: string
  readonly model: string
  readonly verdict: 'holds' | 'violated'
}

/** The rows of the index whose model is one of ours. */
export function corpusHistories(index: string): CorpusHistory[] {
  const rows: CorpusHistory[] = []
  for (const line of index.split('\n')) {
    const [, path, , model, verdict] = line.split('|').map((cell) => cell.trim())
    if (path === undefined || model === undefined || (verdict !== 'good' && verdict !== 'bad')) continue
    if (modelOf(path, model) !== undefined) rows.push({ path, model, verdict: verdict === 'good' ? 'holds' : 'violated' })
  }
  return rows
}

/** The model that a history was judged by; its rules differ between Porcupine and Knossos. */
export function modelOf(path: string, name: string): Model | undefined {
  switch (name) {
    case 'cas-register':
      return path.startsWith('porcupine') ? models.casRegister({ failedCas: 'strict', nilReads: 'absent' }) : models.casRegister({ initial: 0, failedCas: 'drop', nilReads: 'unknown' })
    case 'kv': return models.kv()
    case 'mutex': return models.mutex()
    case 'multi-register': return models.multiRegister({ initial: { x: 0, y: 0 } })
    case 'counter': return models.counter()
    case 'set': return models.set()
    default: return undefined
  }
}
