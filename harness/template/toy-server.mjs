/**
 * A toy store: every node keeps all keys in memory, answers reads from there, and tells the others of each write
 * without waiting for them. GET and PUT of /KEY; the value is the body. GET of / shows all that this
 * node holds.
 *
 *     node toy-server.mjs CLIENT_ADDRESS PEER_ADDRESS [PEER_OF_ANOTHER_NODE ...]
 */
import { createServer, request } from 'node:http'

const [clientAddress, peerAddress, ...others] = process.argv.slice(2)
const values = new Map()

async function bodyOf(message) {
  let body = ''
  for await (const chunk of message) body += chunk
  return body
}

function listen(address, handle) {
  const colon = address.lastIndexOf(':')
  createServer(handle).listen(Number(address.slice(colon + 1)), address.slice(0, colon))
}

/** Tells one other node of a write, and forgets about it. */
function tell(other, key, value) {
  const copy = request(`http://${other}/${key}`, { method: 'PUT', timeout: 2_000 }, (answer) => answer.resume())
  copy.on('timeout', () => copy.destroy())
  copy.on('error', () => undefined)
  copy.end(value)
}

listen(clientAddress, async (message, answer) => {
  const key = message.url.slice(1)
  if (key === '') return answer.end(JSON.stringify(Object.fromEntries(values)))
  if (message.method === 'GET') return answer.end(values.get(key) ?? 'null')
  const value = await bodyOf(message)
  values.set(key, value)
  for (const other of others) tell(other, key, value)
  answer.end('stored')
})

listen(peerAddress, async (message, answer) => {
  values.set(message.url.slice(1), await bodyOf(message))
  answer.end('copied')
})

console.log(`listening on ${clientAddress}`)
