/**
 * Free TCP ports on 127.0.0.1. They are taken from below the range that the kernel gives to outgoing connections and to
 * listeners on port 0, so that between our look and the node's bind only someone who asks for this very port can take it.
 */
import { createServer } from 'node:net'

const FIRST = 10_000
const LAST = 32_767
const TRIES_MAX = 5_000

/** Handed out lately by this process: two nodes must not get the same port before either has bound it. */
const recent = new Set<number>()
const RECENT_MAX = 2_000

/** `count` different ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > TRIES_MAX) throw new Error(`there are no ${count} free TCP ports from ${FIRST} to ${LAST} on 127.0.0.1`)
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (recent.has(port) || !(await isFree(port))) continue
    recent.add(port)
    ports.push(port)
  }
  for (const port of recent) {
    if (recent.size <= RECENT_MAX) break
    recent.delete(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
