/** Where processes listen, as the kernel says (Linux, /proc), for tests of what nodes bind to. */
import { readFile, readdir, readlink } from 'node:fs/promises'
import { endianness } from 'node:os'

/** The kernel's tables of sockets, and the state of those that wait for whoever comes: LISTEN, and unconnected for UDP. */
const TABLES = [
  ['tcp', '0A'],
  ['tcp6', '0A'],
  ['udp', '07'],
  ['udp6', '07'],
] as const

/** A socket that anyone may come to who reaches its address. */
export interface OpenSocket {
  readonly table: (typeof TABLES)[number][0]
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly port: number
}

/** The open sockets of a process, in whatever network it is. */
export async function openSocketsOf(pid: number): Promise<readonly OpenSocket[]> {
  const inodes = await inodesOf(pid)
  const found: OpenSocket[] = []
  for (const [table, open] of TABLES) {
    for (const line of (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).split('\n')) {
      // Columns: number, local address, remote address, state, queues, timer, retransmissions, user, time-out, inode.
      const columns = line.trim().split(/\s+/)
      if (columns[3] !== open || !inodes.has(columns[9]!)) continue
      const [address, port] = columns[1]!.split(':') as [string, string]
      found.push({ table, family: table.endsWith('6') ? 'ipv6' : 'ipv4', address: addressOf(address), port: Number.parseInt(port, 16) })
    }
  }
  return found
}

async function inodesOf(pid: number): Promise<ReadonlySet<string>> {
  const files = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))
}

/** The kernel prints addresses as words of 32 bits, in the byte order of the machine. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':')
}
