/** Calls the `main` of a compiled module in this process, having made the checkout ready. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

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

/**
 * Ends the process when what it said has been handed over. Left to end by itself it would wait for what was forgotten (a
 * socket, a timer), and now and then for ever: Node may turn in circles while it clears up (nodejs/node 47748, 54918).
 */
async function end(code) {
  process.exitCode = code
  const streams = [process.stdout, process.stderr].filter((stream) => !stream.destroyed && stream.writableLength > 0)
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))))
  process.exit(code)
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
  const code = await main(args)
  process.off('beforeExit', complain)
  await end(code)
}
