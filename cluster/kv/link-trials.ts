/**
 * Links, tried from inside: `PROBE` has this node send a nonce to a peer, and `HEARD` tells whether one came; `VOLLEY` sends
 * many numbered messages, and `ECHOES` tells which came, in which order, and how often.
 */
import type { NodeId } from '../../harness/env.ts'
import type { Command } from './door.ts'
import { StoreError } from './errors.ts'
import { PING } from './messages.ts'
import { OK_REPLY, arrayReply, integerReply } from './resp.ts'
import type { Rpc } from './rpc.ts'

/** Nonces remembered per peer: the oldest is forgotten first. */
const NONCES_MAX = 256
/** Volleys whose arrivals are remembered, and messages of one. */
const VOLLEYS_MAX = 16
const VOLLEY_MESSAGES_MAX = 10_000
const VOLLEY_BYTES_MAX = 1 << 20

/** The commands that try links. */
export function linkTrials(rpc: Rpc, nodes: readonly NodeId[]): [string, Command][] {
  const heard = new Map<NodeId, string[]>()
  const volleys = new Map<string, number[]>()
  rpc.serve(PING, (nonce, from) => {
    const [, name, number] = /^volley (\S+) (\d+) /.exec(nonce) ?? []
    if (name !== undefined) {
      arrivalsOf(volleys, `${from} ${name}`).push(Number(number))
      return null
    }
    const nonces = heard.get(from) ?? []
    heard.set(from, nonces)
    if (!nonces.includes(nonce)) nonces.push(nonce)
    if (nonces.length > NONCES_MAX) nonces.shift()
    return null
  })

  const peer = (word: Buffer): NodeId => {
    const id = word.toString('latin1')
    if (!nodes.includes(id)) throw new StoreError('ERR', `there is no node '${id.slice(0, 64)}'; the nodes are ${nodes.join(', ')}`)
    return id
  }

  const probe: Command = {
    words: [3, 3],
    keys: 'none',
    run: ([, to, nonce]) => {
      rpc.send(peer(to!), PING, nonce!.toString('latin1'))
      return OK_REPLY
    },
  }

  const heardFrom: Command = {
    words: [3, 3],
    keys: 'none',
    run: ([, from, nonce]) => integerReply(heard.get(peer(from!))?.includes(nonce!.toString('latin1')) === true ? 1 : 0),
  }

  const whole = (word: Buffer, max: number): number => {
    const value = Number(word.toString('latin1'))
    if (!Number.isInteger(value) || value < 1 || value > max) throw new StoreError('ERR', `a volley takes numbers from 1 to ${max}`)
    return value
  }

  const volley: Command = {
    words: [6, 6],
    keys: 'none',
    run: ([, to, name, first, messages, bytes]) => {
      const receiver = peer(to!)
      const padding = '.'.repeat(whole(bytes!, VOLLEY_BYTES_MAX))
      const from = whole(first!, VOLLEY_MESSAGES_MAX)
      for (let i = from; i < from + whole(messages!, VOLLEY_MESSAGES_MAX); i++) rpc.send(receiver, PING, `volley ${name!.toString('latin1')} ${i} ${padding}`)
      return OK_REPLY
    },
  }

  const echoes: Command = {
    words: [3, 3],
    keys: 'none',
    run: ([, from, name]) => arrayReply((volleys.get(`${peer(from!)} ${name!.toString('latin1')}`) ?? []).map(integerReply)),
  }

  return [['PROBE', probe], ['HEARD', heardFrom], ['VOLLEY', volley], ['ECHOES', echoes]]
}

/** The list of what arrived of a volley. */
function arrivalsOf(volleys: Map<string, number[]>, name: string): number[] {
  const arrivals = volleys.get(name) ?? []
  volleys.set(name, arrivals)
  if (volleys.size > VOLLEYS_MAX) volleys.delete(volleys.keys().next().value!)
  return arrivals
}
