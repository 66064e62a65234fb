/** Engines of a test's own, beside the machine's (`second-engine.sh`): for what needs two of them, or one that is ill. */
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { connectEngines } from '../engine.ts'

/** The machine's own engine. */
export const HERE = 'unix:///var/run/docker.sock'

const script = fileURLToPath(new URL('../../../../../cluster/drivers/docker/testing/second-engine.sh', import.meta.url))
/** Room for the images of a run (about 220 MB) and little more. */
const STORAGE_MB = 400
const NUMBERS = 59

let started = 0

/** Why engines cannot be started here; undefined when they can. */
export async function whyNoEngines(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can start engines of its own'
  for (const program of ['dockerd', 'ip', 'setpriv']) {
    if ((await execa('which', [program], { reject: false })).exitCode !== 0) return `there is no ${program} on this machine`
  }
  try {
    for (const engine of await connectEngines([HERE])) engine.close()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** An engine for as long as `action` takes, started with these options of dockerd. `storage`: the folder of its data, which is small. */
export async function withEngine(options: readonly string[], action: (host: string, storage: string) => Promise<void>): Promise<void> {
  const number = 2 + ((process.pid * 2 + started++) % NUMBERS)
  try {
    const { stdout } = await execa('sh', [script, 'up', String(number), ...options], { env: { STORAGE_MB: String(STORAGE_MB) } })
    await action(stdout.split('\n')[0]!, `/var/lib/splitbrain-engine${number}`)
  } finally {
    await execa('sh', [script, 'down', String(number)], { reject: false })
  }
}
