/**
 * etcd's own protocol as a load generator speaks it: gRPC (Put, and Range with its default, linearizable reads) over
 * HTTP/2, written by hand. A client library would spend more processor time than the servers do and so measure itself;
 * this costs about what RESP costs. RFC 9113 for frames, RFC 7541 for headers (literals only), etcd's rpc.proto.
 */
import type { Conversation } from './closed-loop.ts'
import { nameOf } from './resp-conversation.ts'

const FRAME_HEADER = 9
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const END_STREAM = 1
const ACK = 1
const END_HEADERS = 4
const WINDOW = 2 ** 31 - 1
const INITIAL_WINDOW_SIZE = 4
const WINDOW_UPDATE = 8
const DEFAULT_WINDOW = 65_535

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEADER)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Opens the windows of both sides as wide as they go, so that answers never wait for us. */
const greeting = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, INITIAL_WINDOW_SIZE]), uint32(WINDOW)])),
  frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW - DEFAULT_WINDOW)),
])

/** A length and a text, as HPACK writes literals without Huffman's code. */
function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
}

/** The headers of a call: names from the static table where it has them (1 :authority, 4 :path, 31 content-type). */
function headersOf(method: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]),
    literal(`/etcdserverpb.KV/${method}`),
    Buffer.from([0x01]),
    literal('etcd'),
    Buffer.from([0x0f, 31 - 15]),
    literal('application/grpc'),
    Buffer.from([0x00]),
    literal('te'),
    literal('trailers'),
  ])
}

const headers = { read: headersOf('Range'), write: headersOf('Put') }

/** A field of bytes in protobuf. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

/** A client of etcd. */
export function etcdConversation(value: Uint8Array): Conversation {
  let stream = -1
  let held: Buffer = Buffer.alloc(0)
  let message = 0
  return {
    greeting,
    request: ({ type, key }) => {
      stream += 2
      message = 0
      const body = type === 'read' ? field(1, Buffer.from(nameOf(key))) : Buffer.concat([field(1, Buffer.from(nameOf(key))), field(2, value)])
      const prefixed = Buffer.concat([Buffer.from([0]), uint32(body.length), body])
      return Buffer.concat([frame(HEADERS, END_HEADERS, stream, headers[type]), frame(DATA, END_STREAM, stream, prefixed)])
    },
    receive: (chunk, answered) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const replies: Buffer[] = []
      let at = 0
      while (held.length - at >= FRAME_HEADER) {
        const length = held.readUIntBE(at, 3)
        if (held.length - at < FRAME_HEADER + length) break
        const [type, flags] = [held[at + 3]!, held[at + 4]!]
        const payload = held.subarray(at + FRAME_HEADER, at + FRAME_HEADER + length)
        at += FRAME_HEADER + length
        if (type === DATA) message += length
        else if ((type === SETTINGS || type === PING) && (flags & ACK) === 0) replies.push(frame(type, ACK, 0, type === PING ? payload : Buffer.alloc(0)))
        else if (type === RST_STREAM || type === GOAWAY) answered(`frame of type ${type}`)
        // gRPC reports an error by ending the stream without a message.
        else if (type === HEADERS && (flags & END_STREAM) !== 0) answered(message > 0 ? undefined : `no message, trailers ${payload.toString('latin1')}`)
      }
      held = held.subarray(at)
      return replies.length === 0 ? undefined : Buffer.concat(replies)
    },
  }
}
