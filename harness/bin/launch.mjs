/** Calls the `main` of a compiled module in this process, having made the checkout ready. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

/** How long something forgotten (a socket, a timer) may keep the process alive after `main` is done. */
const LINGER_MS = 2_000

/** Node ends with 0 and without a word when a promise is awaited that nothing can settle any more. */
function complain() {
  console.error('splitbrain: it stopped in the middle, waiting for something that can no longer happen; this is a defect of splitbrain. `splitbrain clean` removes what the run has left behind.')
  process.exit(255)
}

/** Node would end with 1, which says "violated". */
function crash(error) {
  console.error('splitbrain: it stopped in the middle, at an error that nothing caught. `splitbrain clean` removes what the run has left behind.')
  console.error(error)
  process.exit(255)
}

/** A reader that has seen enough (`| head`) is no failure: what goes on is finished, unheard. */
function ignoreDeafReaders(error) {
  if (error.code !== 'EPIPE') throw error
}

/** Runs `main(args)` of `dist/<module>`; its number becomes the exit code. */
export async function launch(module, args) {
  await prepare()
  const file = join(root, 'dist', module ?? '')
  if (module === undefined || !existsSync(file)) {
    console.error(`splitbrain: there is no compiled module ${module ?? ''} in ${join(root, 'dist')}. Remove that folder and try again.`)
    process.exit(255)
  }
  process.once('beforeExit', complain)
  process.on('uncaughtException', crash)
  process.stdout.on('error', ignoreDeafReaders)
  const { main } = await import(pathToFileURL(file).href)
  process.exitCode = await main(args)
  process.off('beforeExit', complain)
  setTimeout(() => process.exit(), LINGER_MS).unref()
}
