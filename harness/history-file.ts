/**
 * Reads a history file of any format and size: JSONL with two threads, gzipped JSONL as it is unpacked, everything else
 * (Jepsen's EDN and etcd logs, JSON, transaction texts) as a whole, up to two gigabytes.
 */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { formatOf, JsonlReader, readHistory, refuseChangedWrites } from 'knossos-wasm'
import { readJsonlFile } from 'knossos-wasm/file'
import { HistoryError, type History } from '../checker/history/index.ts'
import { isTransactionText, readTransactionText } from '../checker/transactions/text-format.ts'
import { UsageError } from './usage-error.ts'

/** Files of which nothing can be judged before all of them is there. */
const WHOLE_BYTES_MAX = 2 ** 31 - 1

/** Reads a history; `lenient` turns malformed lines into warnings. What is no file but a pipe is read as a whole. Throws UsageError with file and line. */
export async function readHistoryFile(file: string, lenient: boolean): Promise<History> {
  const options = { tolerateTruncation: true, lenient }
  try {
    if (!statSync(file).isFile()) return await piped(file, options)
    const head = headOf(file)
    if (isGzip(head)) return await unpacked(file, createReadStream(file), options)
    if (isPlain(head)) return withWritesAsAsked(await readJsonlFile(file, options), options)
    if (statSync(file).size > WHOLE_BYTES_MAX) throw new UsageError(tooLarge(file))
    return whole(file, await bytesOf(file), options)
  } catch (error) {
    if (error instanceof HistoryError) throw new UsageError(`${file}${error.line === undefined ? '' : `:${error.line}`}: ${error.message.replace(/^line \d+: /, '')}`)
    throw error
  }
}

/** A pipe can be read once, and not be looked into before. */
async function piped(file: string, options: Options): Promise<History> {
  const bytes = await bytesOf(file)
  return isGzip(bytes) ? unpacked(file, Readable.from([bytes]), options) : whole(file, bytes, options)
}

async function bytesOf(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of createReadStream(file)) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > WHOLE_BYTES_MAX) throw new UsageError(tooLarge(file))
  }
  return Buffer.concat(chunks)
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b

const isPlain = (head: Uint8Array): boolean => formatOf(head) === 'jsonl' && !isTransactionText(Buffer.from(head.subarray(0, 1_000)).toString())

const tooLarge = (file: string): string => `${file} is larger than 2 GB, and only JSONL (also gzipped) in a file can be read piece by piece; convert it to JSONL, one event a line.`

function headOf(file: string): Uint8Array {
  const head = Buffer.alloc(65_536)
  const descriptor = openSync(file, 'r')
  try {
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

interface Options {
  readonly tolerateTruncation: boolean
  readonly lenient: boolean
}

/** Nobody can ask the recorder of a file what a write wrote that was acknowledged with another value. */
function withWritesAsAsked(history: History, { lenient }: Options): History {
  refuseChangedWrites(history, lenient)
  return history
}

/** A gzipped file: JSONL goes to the reader as it comes. */
async function unpacked(file: string, packed: Readable, options: Options): Promise<History> {
  let reader: JsonlReader | undefined
  let waiting: Buffer[] = []
  let bytes = 0
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (reader === undefined && waiting.length === 0 && isPlain(chunk)) reader = new JsonlReader(options)
      if (reader !== undefined) reader.push(chunk)
      else waiting.push(chunk)
      if (reader === undefined && bytes > WHOLE_BYTES_MAX) throw new UsageError(tooLarge(file))
    }
  }
  try {
    await pipeline(packed, createGunzip({ chunkSize: 1 << 20 }), take)
  } catch (error) {
    if (error instanceof HistoryError || error instanceof UsageError) throw error
    throw new UsageError(`${file} begins like gzip but cannot be unpacked: ${(error as Error).message}. Is it whole?`)
  }
  if (reader !== undefined) return withWritesAsAsked(reader.end(), options)
  const all = Buffer.concat(waiting)
  waiting = []
  return whole(file, all, options)
}

function whole(file: string, bytes: Buffer, options: Options): History {
  const history = isTransactionText(bytes.subarray(0, 1_000).toString()) ? readTransactionText(bytes.toString()) : readHistory(bytes, options)
  // A run that was killed early leaves an empty (or blank) JSONL file or a torn first line; anything else without events is no history.
  const killedEarly = formatOf(bytes) === 'jsonl'
  if (history.length === 0 && !killedEarly) throw new UsageError(`${file} holds no event of a history; expected JSONL as in runs/*/*/history.jsonl, Jepsen's EDN, or a Jepsen etcd log.`)
  return history
}
