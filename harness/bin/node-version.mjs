/**
 * Says in one sentence when Node is too old. Loaded before everything else, so it keeps to syntax
 * that Node 12 can read.
 */
import { readFileSync } from 'node:fs'

/** Whether version `have` ("20.19.1") is at least `need` ("20.19"). */
function atLeast(have, need) {
  const h = have.split('.').map(Number)
  const n = need.split('.').map(Number)
  for (let i = 0; i < n.length; i++) {
    const part = h[i] || 0
    if (part !== n[i]) return part > n[i]
  }
  return true
}

/** Ends the process with 255 and a sentence unless this Node satisfies package.json's `engines` (`>=X.Y`). */
export function requireNode() {
  const engines = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).engines
  const need = engines.node.replace('>=', '')
  if (atLeast(process.versions.node, need)) return
  console.error(
    'splitbrain needs Node ' + need + ' or newer; this is Node ' + process.versions.node + ' (' + process.execPath + '). ' +
    'Install a newer one from https://nodejs.org, or switch with your version manager ("nvm install 22", "fnm use 22").',
  )
  process.exit(255)
}
