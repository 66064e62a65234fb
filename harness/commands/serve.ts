/** `splitbrain serve`: every run and campaign in a browser, and the one that goes on. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { realClock } from '../clock.ts'
import type { Command } from '../command.ts'
import { runsDir } from '../run-folder.ts'
import { createRunServer } from '../serve/server.ts'
import { UsageError } from '../usage-error.ts'

const PORT = 7474

export const serveCommand: Command = {
  name: 'serve',
  arguments: [],
  describes: 'Shows all runs and campaigns in a browser, and what goes on now. Only this machine can see it. Ctrl-C ends it.',
  options: {
    port: { value: 'N', describes: 'on 127.0.0.1; 0 takes any that is free', default: String(PORT) },
    runs: { value: 'DIR', describes: 'the folder of runs', default: 'runs' },
  },
  async execute(args) {
    const port = args.integer('port', { min: 0, max: 65_535 }) ?? PORT
    const root = path.resolve(args.text('runs') ?? runsDir())
    if (!existsSync(root)) throw new UsageError(`There is no folder ${root}: nothing has been run here yet. splitbrain run makes one.`)
    const server = createRunServer(root, realClock())
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new UsageError(`Port ${port} is taken; choose another with --port, or 0 for any.`) : error))
      server.listen(port, '127.0.0.1', resolve)
    })
    const address = server.address()
    console.log(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}/`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
    })
    server.closeAllConnections()
    server.close()
    return 0
  },
}
