/**
 * A controller that starts a cluster of toys, stops one node and starves another, says `up`, and then waits to be
 * killed: `controller-main process|netns DIR RUN-ID`.
 */
import { seededRandom } from '../../../harness/random.ts'
import { netnsDriver } from '../netns/driver.ts'
import { processDriver } from '../process/driver.ts'
import { toySystem } from './toy.ts'

const [name, dir, runId] = process.argv.slice(2) as [string, string, string]
const complain = (message: string): void => void process.stderr.write(`${message}\n`)
const driver = name === 'netns' ? netnsDriver() : processDriver()
const cluster = await driver.start(toySystem(), {
  runId,
  dir,
  nodes: ['n1', 'n2', 'n3'],
  seed: 1,
  random: seededRandom(1),
  log: { info: complain, warn: complain, error: complain },
})
await cluster.nodes[1]!.pause!()
await cluster.nodes[2]!.throttle!(0.2)
process.stdout.write('up\n')
setInterval(() => undefined, 1_000)
