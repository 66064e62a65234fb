/**
 * One node as a program of its own. It is told everything in the environment variable SPLITBRAIN_NODE, as JSON
 * `{config, addresses}`; says `ready` on standard output once its ports accept; logs to standard error; and ends on
 * SIGTERM or, with SPLITBRAIN_PARENT=1, as soon as its standard input does, so that no node outlives a killed controller.
 */
import type { NodeAddresses } from '../system.ts'
import { murmur3 } from './hash.ts'
import { parseNodeConfig } from './config.ts'

const variable = process.env['SPLITBRAIN_NODE']
if (variable === undefined) {
  process.stderr.write('SPLITBRAIN_NODE must hold the configuration of this node as JSON {"config": ..., "addresses": ...}\n')
  process.exit(254)
}

const { config: given, addresses } = JSON.parse(variable) as { config: unknown; addresses: NodeAddresses }
const config = parseNodeConfig(given)
// The secret is not for whatever this process may ever start.
delete process.env['SPLITBRAIN_NODE']

const [{ realEnv }, { FilteredDisk }, { startNode }] = await Promise.all([import('../drivers/real/env.ts'), import('./filtered-disk.ts'), import('./node.ts')])
const env = await realEnv({ id: config.id, addresses, seed: murmur3(config.id) })
const node = await startNode({ ...env, disk: new FilteredDisk(env.disk, env.clock) }, config)

const STOP_DEADLINE_MS = 2000

let ending = false
async function end(): Promise<void> {
  if (ending) return
  ending = true
  env.clock.after(STOP_DEADLINE_MS, () => process.exit(1))
  await node.stop()
  await env.close()
  process.exit(0)
}

process.on('SIGTERM', () => void end())
process.on('SIGINT', () => void end())
if (process.env['SPLITBRAIN_PARENT'] === '1') {
  // Nobody is left who could want an orderly end, and the disk recovers from any other.
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('error', () => process.exit(0))
  process.stdin.resume()
}
process.stdout.write('ready\n')
