import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from './cli.ts'
import { version } from './version.ts'

/** What the command line prints to both streams, and its exit code. */
async function typed(...words: string[]): Promise<{ readonly code: number; readonly text: string }> {
  const said: string[] = []
  const { log, error } = console
  console.log = console.error = (text: string) => void said.push(text)
  try {
    return { code: await main(words), text: said.join('\n') }
  } finally {
    Object.assign(console, { log, error })
  }
}

test('help of a command is the same in both ways of asking', async () => {
  const { code, text } = await typed('run', '--help')
  assert.is(code, 0)
  assert.match(text, /^splitbrain run /)
  assert.equal(await typed('help', 'run'), { code, text })
})

test('help alone lists the commands, and help of what is no command is refused', async () => {
  const { code, text } = await typed('help')
  assert.is(code, 0)
  assert.match(text, /^splitbrain COMMAND/)
  assert.equal(await typed('--help'), { code, text })
  assert.equal(await typed('help', 'chekc'), { code: 254, text: 'There is no command "chekc". Did you mean check? See splitbrain --help.' })
})

test('the version is that of the package', async () => {
  assert.equal(await typed('--version'), { code: 0, text: version })
})

test.run()
