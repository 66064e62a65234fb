/** `splitbrain init`: writes a system file to start from, with a toy store that it tests. */
import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { packageRoot } from '../version.ts'

const FILES = ['my-store.ts', 'toy-server.mjs'] as const

export const initCommand: Command = {
  name: 'init',
  arguments: ['[FOLDER]'],
  describes: 'Writes a system file to start from (my-store.ts) and the toy store that it tests (toy-server.mjs) into FOLDER, or here.',
  options: {},
  async execute(args) {
    const folder = args.positionals[0] ?? '.'
    await mkdir(folder, { recursive: true })
    for (const file of FILES) await writeNew(path.join(packageRoot(), 'harness', 'template', file), path.join(folder, file))
    const shown = path.join(folder, FILES[0])
    console.log([
      `${shown} says how to start, ask and judge a store; ${path.join(folder, FILES[1])} is the toy store that it tests. Next:`,
      '',
      `  npx splitbrain run --system ${path.isAbsolute(shown) ? shown : `./${shown}`} --nodes 3 --nemesis partition,kill --time 10s`,
      '',
      'The toy claims to be linearizable. It is not, and the report shows the operations that prove it.',
    ].join('\n'))
    return 0
  },
}

async function writeNew(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new UsageError(`${to} is there already; move it away, or name another folder: splitbrain init FOLDER.`)
    throw new UsageError(`${to} cannot be written: ${message}.`)
  }
}
