/**
 * A node's disk as a file system in user space, in a process of its own: it answers the kernel on descriptor 7, which is
 * mounted over the working directory, and does what its parent tells it over the channel.
 */
import { open as openFile, unlink } from 'node:fs/promises'
import { fstatSync, read, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { realClock } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { DiskFault } from '../../cluster.ts'
import { errorNumber, SpoiltFolder } from './spoilt-folder.ts'
import { decodeRequest, encodeReply, REQUEST_BYTES_MAX, type FuseRequest } from './wire.ts'

const KERNEL = 7
const [EINTR, EAGAIN, ENODEV] = ['EINTR', 'EAGAIN', 'ENODEV']
const folder = new SpoiltFolder(realClock())
/** Which writes survive is drawn anew in every run: no two runs of real processes write the same anyway. */
const random = seededRandom(process.pid)

/** What the parent asks for. */
export type DiskOrder =
  | { readonly type: 'set'; readonly fault: DiskFault | null }
  /** The node is dead. `canary`: the folder's own last write, by its name and its length in bytes. */
  | { readonly type: 'lose'; readonly tear: boolean; readonly canary: { readonly name: string; readonly bytes: number } }

async function reply(request: FuseRequest): Promise<void> {
  let answer: Buffer
  try {
    const body = await folder.answer(request)
    if (body === undefined) return
    answer = encodeReply(request.unique, 0, body)
  } catch (error) {
    answer = encodeReply(request.unique, errorNumber(error))
  }
  try {
    writeSync(KERNEL, answer)
  } catch {
    // Whoever asked was interrupted or is gone: the kernel wants no answer any more.
  }
}

async function serve(): Promise<void> {
  const buffer = Buffer.alloc(REQUEST_BYTES_MAX)
  for (;;) {
    try {
      const { bytesRead } = await promisify(read)(KERNEL, buffer, 0, buffer.length, null)
      if (bytesRead > 0) void reply(decodeRequest(buffer.subarray(0, bytesRead)))
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === ENODEV) process.exit(0)
      if (code !== EINTR && code !== EAGAIN && code !== 'ENOENT') throw error
    }
  }
}

/** Returns how many writes are gone, but for the canary. */
async function lose({ tear, canary }: Extract<DiskOrder, { type: 'lose' }>): Promise<number> {
  const path = `./${canary.name}`
  await unlink(path).catch(() => undefined)
  const file = await openFile(path, 'w+')
  try {
    folder.write(path, file.fd, 0, Buffer.alloc(canary.bytes, 'x'))
    return folder.unsynced.lose(random, tear, fstatSync(file.fd, { bigint: true }).ino)
  } finally {
    await file.close()
  }
}

process.on('message', (order: DiskOrder) => {
  if (order.type === 'set') {
    folder.fault = order.fault ?? undefined
    process.send?.(0)
    return
  }
  lose(order).then((lost) => process.send?.(lost), (error: Error) => process.send?.(error.message))
})
process.on('disconnect', () => process.exit(0))
void serve()
process.send?.('ready')
