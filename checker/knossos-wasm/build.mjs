// Builds the engine (AssemblyScript -> WebAssembly), wraps its bytes in a module, and compiles the TypeScript.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const run = (script, ...args) => execFileSync(process.execPath, [script, ...args], { cwd: here, stdio: 'inherit' })

mkdirSync(join(here, 'dist'), { recursive: true })
mkdirSync(join(here, 'src/generated'), { recursive: true })
run(join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js'), '--config', 'asconfig.json')
const bytes = readFileSync(join(here, 'dist/engine.wasm'))
const module = `/** The engine's bytes in base64 (built from assembly/; ${bytes.length} bytes). */\nexport const engineBase64 =\n  '${bytes.toString('base64')}'\n`
const path = join(here, 'src/generated/engine.ts')
let before = ''
try {
  before = readFileSync(path, 'utf8')
} catch {}
if (before !== module) writeFileSync(path, module)
run(join(dirname(require.resolve('typescript/package.json')), 'bin/tsc'), '-p', 'tsconfig.json')
