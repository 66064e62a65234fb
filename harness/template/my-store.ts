/**
 * A store of your own as a system under test. Try it as it is, then replace the toy by yours:
 *
 *     npx splitbrain run --system ./my-store.ts --nodes 3 --nemesis partition,kill --time 10s
 */
import { fileURLToPath } from 'node:url'
import { defineSystem, type Cluster, type NodeId } from 'splitbrain'

const program = fileURLToPath(new URL('./toy-server.mjs', import.meta.url))

/** One request to a node, through whatever the nemesis has put in between. */
async function ask(cluster: Cluster, node: NodeId, key: string, deadlineMs: number, value?: string): Promise<string> {
  const put = value === undefined ? {} : { method: 'PUT', body: value }
  const answer = await fetch(`http://${cluster.address(node, 'client')}/${key}`, { ...put, signal: AbortSignal.timeout(deadlineMs) })
  return answer.text()
}

export const system = defineSystem({
  name: 'my-store',
  // What it claims to be. A run is judged by this; the report also says which weaker models it kept or broke.
  expected: 'linearizable',
  promise: 'every read sees the newest write, on whichever node',
  functions: ['read', 'write'],

  // How to start a node: as a process, and (with `image`) in a container. The harness gives it addresses to listen on,
  // the addresses of the other nodes (links that the nemesis can cut), and `dataDir`, a folder that survives a kill.
  nodes: (ids) => ids.map((id) => ({
    id,
    command: ({ listen, peers }) => ({ file: process.execPath, args: [program, listen.client, listen.peer, ...Object.values(peers)] }),
    image: { program },
  })),

  // How to know that a node is there.
  ping: async (cluster, node, deadlineMs) => (await ask(cluster, node, '', deadlineMs)) !== '',

  // A client of one node. `ok`: it happened. `fail`: it certainly did not. `info`: nobody knows, as after a write
  // without an answer. Never call that `fail`: the verdict would be wrong.
  client: (cluster, node, { deadlineMs }) => ({
    async invoke({ f, key, value }) {
      try {
        const answer = await ask(cluster, node, key as string, deadlineMs, f === 'write' ? JSON.stringify(value) : undefined)
        return f === 'read' ? { type: 'ok', value: JSON.parse(answer) } : { type: 'ok' }
      } catch (error) {
        return { type: f === 'read' ? 'fail' : 'info', error: (error as Error).name }
      }
    },
    close: () => undefined,
  }),

  // Optional: what one replica holds, so that convergence and lost writes can be judged.
  peek: async (cluster, node, keys, deadlineMs) => {
    const held = JSON.parse(await ask(cluster, node, '', deadlineMs)) as Record<string, string>
    return keys.map((key) => ({ key, value: JSON.parse(held[key as string] ?? 'null') }))
  },
})
