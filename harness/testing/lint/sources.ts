/** The files of the project that the lint looks at, relative to the root. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const folders = ['checker', 'cluster', 'harness', 'nemesis', 'reports', 'workloads']
/** `assembly` holds AssemblyScript, which its own compiler checks. */
const skipped = new Set(['node_modules', 'dist', 'build', 'assembly'])

function* walk(root: string, folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && !skipped.has(entry.name)) yield* walk(root, path)
  }
}

function files(root: string): string[] {
  return folders.filter((folder) => existsSync(join(root, folder))).flatMap((folder) => [...walk(root, folder)])
}

/** Every TypeScript source. */
export function sourceFiles(root: string): string[] {
  return files(root).filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
}

/** Every TypeScript project: the root's, the workspace's, and those of parts that run elsewhere (the browser). */
export function typeScriptProjects(root: string): string[] {
  return ['tsconfig.json', ...files(root).filter((path) => path.endsWith('/tsconfig.json'))]
}
