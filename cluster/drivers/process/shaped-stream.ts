/**
 * A stream of the harness's own to a node. It runs along the link `clients -> node` and suffers what that suffers, but
 * needs no proxy for it: what the proxy would do to its bytes is done before they reach the socket, which leaves the
 * harness twice the throughput. What the node answers is never disturbed, as with the proxy.
 */
import type { Stream } from '../../../harness/env.ts'
import type { SocketStream } from '../real/socket-stream.ts'
import { dialAddress } from '../real/socket-stream.ts'
import type { LinkState } from './link-state.ts'
import { Lane } from './link-state.ts'

/** The socket is given no more while it holds this much. */
const SOCKET_BYTES_MAX = 64 * 1024

/** Connects along a link: while it is cut, not even the connection comes about. */
export function dialAlong(state: LinkState, address: () => string, deadlineMs: number): Promise<Stream> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      forget()
      reject(new Error(`no connection to ${address()} within ${deadlineMs} ms`))
    }, deadlineMs)
    const forget = state.whenOpen(() => {
      clearTimeout(late)
      dialAddress(address(), Math.max(1, deadlineMs - (performance.now() - started))).then((socket) => resolve(shape(socket, state)), reject)
    })
  })
}

function shape(socket: SocketStream, state: LinkState): Stream {
  let closed = false
  const lane = new Lane(state, {
    pass: (what) => (typeof what === 'string' ? socket.close() : socket.write(what)),
    ready: () => socket.buffered < SOCKET_BYTES_MAX,
    reset: () => socket.close(),
    flow: () => undefined,
  })
  socket.onClose(() => lane.leave())
  socket.onDrain(() => lane.follow())
  return {
    get buffered() {
      return lane.bytes + socket.buffered
    },
    write: (chunk) => {
      if (!closed && chunk.length > 0) lane.take(chunk)
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    onData: (handler) => socket.onData(handler),
    onClose: (handler) => socket.onClose(handler),
    close: () => {
      if (closed) return
      closed = true
      socket.resume()
      lane.take('end')
    },
  }
}
