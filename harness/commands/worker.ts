/** `splitbrain worker`: carries out campaigns' runs on this machine. */
import os from 'node:os'
import { cellName } from '../../reports/campaign/summary.ts'
import { formatMs, shortened, visible } from '../../reports/format.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { work } from '../campaign/worker.ts'
import { commitHere } from '../campaign/prepare.ts'
import { realClock } from '../clock.ts'
import type { Command } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import { UsageError } from '../usage-error.ts'
import { databaseUrl, withStore, workOptions } from './store-options.ts'

export const workerCommand: Command = {
  name: 'worker',
  arguments: [],
  describes: "Carries out campaigns' runs on this machine, with the drivers that it has, as many at once as it has processors. Any number of workers on any number of machines share a database; one that dies loses nothing. Ctrl-C ends it.",
  options: { ...workOptions, once: { describes: 'end when no campaign has work left for this machine' } },
  async execute(args) {
    if (databaseUrl(args) === undefined) throw new UsageError('splitbrain worker takes runs from a database that it shares with others: name it with --database postgres://user:password@host:5432/name.')
    const concurrency = args.integer('concurrency', { min: 1, max: 1_000 }) ?? os.availableParallelism()
    const interrupt = onInterrupt(() => console.error('Interrupted: runs that go on are stopped and given back. Once more to leave at once.'))
    const tell = (line: string): void => console.error(line)
    try {
      return await withStore(args, { migrates: false, connections: concurrency + 2, tell }, async (store) => {
        console.log(`Working: ${concurrency} at once, campaigns in ${store.database.where}. Ctrl-C ends it.`)
        await work({
          ...store,
          clock: realClock(),
          concurrency,
          whenIdle: args.flag('once') ? 'end' : 'wait',
          signal: interrupt.signal,
          commit: await commitHere(),
          onResult: (result) => console.log(`${visible(cellName(result))}, seed ${result.seed}: ${result.verdict}${result.verdict === 'holds' ? '' : ` ${shortened(visible(result.reason ?? result.findings[0]?.fingerprint ?? result.sentence), 100)}`} (${formatMs(result.elapsed_ms)})`),
          tell,
        })
        return exitCodes.holds
      })
    } finally {
      interrupt.dispose()
    }
  },
}
