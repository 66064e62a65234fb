/**
 * Who opened a TCP connection on this machine: the kernel's tables of sockets name the inode of its other end, and the
 * process that has that inode among its open files is the one. Linux only (/proc).
 */
import { readdir, readFile, readlink } from 'node:fs/promises'

/** The kernel's tables of TCP sockets; programs may use sockets of the sixth kind for addresses of the fourth. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const

const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`

/** The inode of the socket at `port` that is connected to `peerPort`; undefined when it is closed. */
async function inodeOf(port: number, peerPort: number): Promise<string | undefined> {
  for (const table of TABLES) {
    const text = await readFile(table, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      // Columns: number, local address, remote address, state, queues, timer, retransmissions, user, time-out, inode.
      const columns = line.trim().split(/\s+/)
      if (columns[1]?.endsWith(hex(port)) === true && columns[2]?.endsWith(hex(peerPort)) === true && columns[9] !== '0') return columns[9]
    }
  }
  return undefined
}

/** A process and everything that it has started and that is still its own. */
async function family(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')))
  const children = texts.flatMap((text) => text.split(' ').filter((word) => word !== '').map(Number))
  return [pid, ...(await Promise.all(children.map(family))).flat()]
}

async function holds(pid: number, inode: string): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
  return targets.includes(`socket:[${inode}]`)
}

/**
 * Which of these processes, or of their children, opened the connection that comes from `remotePort` to `localPort` of
 * this machine; undefined when none of them did, or when it is closed already. Costs a look at every open file of the
 * processes: milliseconds.
 */
export async function openerOf(connection: { readonly remotePort: number; readonly localPort: number }, leaders: readonly number[]): Promise<number | undefined> {
  const inode = await inodeOf(connection.remotePort, connection.localPort)
  if (inode === undefined) return undefined
  for (const leader of leaders) {
    for (const pid of await family(leader)) {
      if (await holds(pid, inode)) return leader
    }
  }
  return undefined
}
