/**
 * TCP connections from the controller to nodes.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Stream } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'

/** `host:port` taken apart. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

/** Connects, or rejects when refused or after `deadlineMs`. */
export function connectTo(address: string, deadlineMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...splitAddress(address), noDelay: true })
    const refuse = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => refuse(new ClusterError('connect-timeout', `${address} did not accept a connection within ${deadlineMs} ms.`)), deadlineMs)
    socket.once('error', refuse)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', refuse)
      resolve(socket)
    })
  })
}

/** A connected socket as a stream. */
export function socketStream(socket: Socket): Stream {
  let error: Error | undefined
  socket.on('error', (caught) => (error = caught))
  return {
    write: (chunk) => {
      if (!socket.destroyed && socket.writable) socket.write(chunk)
    },
    get buffered() {
      return socket.writableLength
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onData: (handler) => void socket.on('data', handler),
    onClose: (handler) => {
      if (socket.destroyed) handler(error)
      else socket.once('close', () => handler(error))
    },
    close: () => void socket.destroy(),
  }
}

/**
 * Whether whatever listens there answers a request, any answer: a stopped process's kernel still accepts connections,
 * and so does an engine's port proxy when nothing listens behind it.
 */
export async function answersPing(address: string, deadlineMs: number): Promise<boolean> {
  const started = performance.now()
  const socket = await connectTo(address, deadlineMs).catch(() => undefined)
  if (socket === undefined) return false
  const answered = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), Math.max(1, deadlineMs - (performance.now() - started)))
    const settle = (seen: boolean) => (): void => {
      clearTimeout(timer)
      resolve(seen)
    }
    socket.once('data', settle(true))
    socket.once('close', settle(false))
    socket.on('error', settle(false))
    socket.write('PING\r\n')
  })
  socket.destroy()
  return answered
}
