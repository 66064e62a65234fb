/** The links of a cluster in containers whose controller is dead, tried from inside. */
import { connectEngines } from '../../cluster/drivers/docker/engine.ts'
import { labels } from '../../cluster/drivers/docker/labels.ts'
import { containerNamespace } from '../../cluster/drivers/docker/namespace.ts'
import { realClock } from '../clock.ts'

const CONNECT_MS = 500
/** Connects to each address from the network it runs in, and says which it could not reach. */
const PROGRAM = `
const reach = (address) => new Promise((resolve) => {
  const [host, port] = address.split(':')
  const socket = require('node:net').connect(Number(port), host)
  const end = (reached) => { socket.destroy(); resolve(reached ? '' : address) }
  socket.on('connect', () => end(true)).on('error', () => end(false))
  setTimeout(() => end(false), ${CONNECT_MS})
})
Promise.all(process.argv.slice(1).map(reach)).then((unreached) => { process.stdout.write(unreached.join(' ').trim()); process.exit(0) })`

/** Which nodes of a run still cannot reach which peers when `deadlineMs` are over; none as soon as all can. */
export async function orphanedLinks(runId: string, deadlineMs: number): Promise<string[]> {
  const [engine] = await connectEngines()
  const { docker, close } = engine!
  const clock = realClock()
  const deadline = clock.now() + deadlineMs * 1e6
  try {
    const filters = { label: [`${labels.run}=${runId}`, `${labels.role}=network`] }
    const found = await docker.listContainers({ filters })
    const seats = found.map(({ Id, Labels, NetworkSettings }) => ({ id: Labels[labels.node] ?? Id, namespace: containerNamespace(docker.getContainer(Id)), address: `${Object.values(NetworkSettings.Networks)[0]?.IPAddress}:7001` }))
    for (;;) {
      const cut = await Promise.all(seats.map(async ({ id, namespace, address }) => {
        const peers = seats.map((seat) => seat.address).filter((peer) => peer !== address)
        const unreached = await namespace.feed([process.execPath, '-e', PROGRAM, ...peers], '')
        return unreached === '' ? undefined : `${id} -> ${unreached}`
      }))
      const still = cut.filter((line) => line !== undefined)
      if (still.length === 0 || clock.now() > deadline) return still
    }
  } finally {
    close()
  }
}
