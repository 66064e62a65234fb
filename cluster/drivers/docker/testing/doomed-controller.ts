/**
 * A controller to be killed: starts two nodes, cuts them apart, says so, and waits. Test of leases and of `clean`.
 * Arguments: run id, lease in milliseconds.
 */
import { seededRandom } from '../../../../harness/random.ts'
import { dockerDriver } from '../driver.ts'
import { noteSystem } from './note-system.ts'

const [runId = '', leaseMs = ''] = process.argv.slice(2)
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const cluster = await dockerDriver({ leaseMs: Number(leaseMs) }).start(noteSystem(), {
  runId,
  nodes: ['n1', 'n2'],
  dir: '',
  seed: 1,
  random: seededRandom(1),
  log: silent,
})
await cluster.links.cut([
  { from: 'n1', to: 'n2' },
  { from: 'n2', to: 'n1' },
])
console.log(JSON.stringify({ n1: cluster.address('n1', 'client'), n2: cluster.address('n2', 'client') }))
setInterval(() => undefined, 60_000)
