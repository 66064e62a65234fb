/** The corpora of published histories: where they lie, and what lies there. They are no part of the repository. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Their folder: named by SPLITBRAIN_CORPORA, or beside the repository or above it; undefined where there is none. */
export function findCorpora(): string | undefined {
  const candidates = [process.env['SPLITBRAIN_CORPORA']]
  for (let above = path.dirname(fileURLToPath(import.meta.url)); above !== path.dirname(above); above = path.dirname(above)) candidates.push(path.join(above, 'shared/corpora'))
  return candidates.find((one) => one !== undefined && existsSync(path.join(one, 'INDEX.md')))
}

/** Every history under these folders, relative to the corpora's. */
export function historiesIn(corpora: string, ...folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(path.join(corpora, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)))
    .filter((file) => /\.(edn|json|jsonl|log|txt)$/.test(file))
    .sort()
}
