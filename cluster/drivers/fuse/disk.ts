/**
 * A disk of a node's own: its data folder, mounted over itself through a file system in user space. Whatever program
 * uses it, linked in whatever way, meets what a spoilt disk would tell it. Needs /dev/fuse, and the right to mount: in a
 * user namespace everybody has it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, stat, unlink } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../../harness/env.ts'
import { ClusterError, type DiskFault, type DiskTrial, type PowerLoss } from '../../cluster.ts'
import type { DiskOrder } from './main.ts'

/** How it is done, in words for the doctor. */
export const FUSE_DISK = "a file system in user space (FUSE) that is mounted over the node's data folder when a run's faults need it"

const extension = extname(fileURLToPath(import.meta.url))
const program = fileURLToPath(new URL(`./main${extension}`, import.meta.url))

/** Opens the kernel's end, mounts the folder that `$1` names over itself, and becomes the file system. The working directory stays the folder below. */
const MOUNT = 'dir=$1; shift; exec 7<>/dev/fuse; mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 splitbrain "$dir"; exec "$@"'

/** Prints `fuse` where it can be done, for `sh` in namespaces of its own. */
export const FUSE_PROBE = "(exec 7<>/dev/fuse && mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 probe /mnt && umount -l /mnt) >/dev/null 2>&1 && echo fuse\n"

const TRIAL = '.splitbrain-trial'
const CANARY = { name: '.splitbrain-canary', bytes: 4_096 } as const

/** One mounted folder. It ends with the process that made it. */
export class FuseDisk {
  readonly #dir: string
  readonly #clock: Clock
  readonly #child: ChildProcess
  #last: Promise<unknown>

  /** Mounts `dir`; it exists. */
  static async mount(dir: string, clock: Clock): Promise<FuseDisk> {
    await mkdir(dir, { recursive: true })
    const disk = new FuseDisk(dir, clock)
    await disk.#last
    return disk
  }

  private constructor(dir: string, clock: Clock) {
    this.#dir = dir
    this.#clock = clock
    const node = [process.execPath, ...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []), program]
    this.#child = spawn('sh', ['-ec', MOUNT, 'sh', dir, ...node], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#last = this.#next()
  }

  /** The next word of the file system. */
  #next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let complaint = ''
      const hear = (chunk: Buffer): void => {
        complaint = (complaint + chunk.toString()).slice(-1_000)
      }
      const settle = (act: () => void) => (): void => {
        this.#child.stderr!.off('data', hear)
        this.#child.off('message', said).off('exit', ended)
        act()
      }
      const said = (word: unknown): void => settle(() => resolve(word))()
      const ended = (): void => settle(() => reject(new ClusterError('disk', `the file system of ${this.#dir} has ended: ${complaint.trim()}`)))()
      this.#child.stderr!.on('data', hear)
      this.#child.on('message', said).on('exit', ended)
    })
  }

  #order(order: DiskOrder): Promise<unknown> {
    const done = this.#last.then(() => {
      const word = this.#next()
      this.#child.send(order)
      return word
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  /** From now on the disk is so; null: it is whole. */
  async set(fault: DiskFault | null): Promise<void> {
    await this.#order({ type: 'set', fault })
  }

  /** Loses what was not synced. The node is dead. What is left of the canary is asked of the mounted folder. */
  async lose(tear: boolean): Promise<PowerLoss> {
    const lost = await this.#order({ type: 'lose', tear, canary: CANARY })
    if (typeof lost !== 'number') throw new ClusterError('disk', `the disk could not lose its power: ${String(lost)}`)
    const canary = join(this.#dir, CANARY.name)
    const { size } = await stat(canary)
    await unlink(canary)
    return { lost, canary: { wroteBytes: CANARY.bytes, keptBytes: size } }
  }

  /** Writes a file of its own as any program would, and syncs it. */
  async trial(): Promise<DiskTrial> {
    const path = join(this.#dir, TRIAL)
    const began = this.#clock.now()
    const attempt = async (): Promise<void> => {
      const file = await open(path, 'w')
      try {
        await file.write('trial')
        await file.sync()
      } finally {
        await file.close()
      }
    }
    const error = await attempt().then(() => undefined, ({ code, message }: NodeJS.ErrnoException) => code ?? message)
    const tookMs = (this.#clock.now() - began) / 1e6
    await unlink(path).catch(() => undefined)
    return { tookMs, error }
  }
}
