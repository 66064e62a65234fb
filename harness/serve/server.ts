/**
 * The local web server of `splitbrain serve`. What a run left behind is hostile until shown otherwise, and so is
 * every other page that is open in the same browser:
 *
 * - it listens on the loopback address only, and answers only to the names of that address, so that a foreign name
 *   that was rebound to it (DNS rebinding) gets nothing;
 * - nothing may be asked from another site (`Sec-Fetch-Site`, no CORS, `Cross-Origin-Resource-Policy`);
 * - it reads, and cannot be made to do anything else;
 * - a path is looked up among real files below the folder of runs: no "..", no link that leads out, no hidden file,
 *   and of pages only `report.html`, which carries its own Content-Security-Policy; everything else is plain text.
 */
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import path from 'node:path'
import { renderBrowser } from '../../reports/html/browse.ts'
import type { Clock } from '../env.ts'
import { Catalog, currentRun } from './catalog.ts'
import { Live } from './live.ts'

/** What may be read, and as what. */
const types: Readonly<Record<string, string>> = { '.json': 'application/json', '.jsonl': 'text/plain', '.log': 'text/plain', '.xml': 'text/plain', '.md': 'text/plain', '.txt': 'text/plain' }

const everywhere = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const

/** Serves a folder of runs. `listen` is the caller's. */
export function createRunServer(root: string, clock: Clock): Server {
  const catalog = new Catalog(root)
  const live = new Live(root, clock)
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      if (!response.headersSent) send(response, 500, 'text/plain', `${error.message}\n`)
      else response.destroy()
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refuse(request, portOf(server))
    if (refusal !== undefined) return send(response, refusal.status, 'text/plain', `${refusal.reason}\n`)
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/') return send(response, 200, 'text/html', renderBrowser())
    if (pathname === '/api/runs') return send(response, 200, 'application/json', JSON.stringify(await catalog.list(clock.wall())))
    if (pathname === '/api/live') return send(response, 200, 'application/json', JSON.stringify(await live.look(await currentRun(root, clock.wall()))))
    const file = pathname.startsWith('/runs/') ? await fileBelow(root, pathname.slice('/runs/'.length)) : undefined
    if (file === undefined) return send(response, 404, 'text/plain', 'There is nothing here.\n')
    response.writeHead(200, { ...everywhere, 'content-type': `${file.type}; charset=utf-8`, 'content-length': file.size })
    if (request.method === 'HEAD') response.end()
    else createReadStream(file.path).on('error', () => response.destroy()).pipe(response)
  }
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  return address === null || typeof address === 'string' ? 0 : address.port
}

/** Why a request gets nothing. */
function refuse({ method, headers }: IncomingMessage, port: number): { readonly status: number; readonly reason: string } | undefined {
  if (![`127.0.0.1:${port}`, `localhost:${port}`].includes((headers.host ?? '').toLowerCase())) return { status: 421, reason: 'This server answers to 127.0.0.1 and localhost only.' }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, reason: 'This server only reads.' }
  const site = headers['sec-fetch-site']
  const navigates = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates) return { status: 403, reason: 'Other sites may link here and nothing else.' }
  return undefined
}

/** The real file that an address names; undefined when it names none that may be read. */
async function fileBelow(root: string, address: string): Promise<{ readonly path: string; readonly type: string; readonly size: number } | undefined> {
  let parts: string[]
  try {
    parts = address.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
  if (parts.some((part) => part === '' || part.startsWith('.') || /[/\\\0]/.test(part))) return undefined
  const name = parts.at(-1)!
  const type = name === 'report.html' ? 'text/html' : types[path.extname(name)]
  if (type === undefined) return undefined
  try {
    const base = await realpath(root)
    const real = await realpath(path.join(base, ...parts))
    const found = await stat(real)
    // The last name is looked at again: a link must not turn a page into a report.
    return real.startsWith(base + path.sep) && path.basename(real) === name && found.isFile() ? { path: real, type, size: found.size } : undefined
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text)
  response.writeHead(status, { ...everywhere, 'content-type': `${type}; charset=utf-8`, 'content-length': body.length, ...(status === 405 ? { allow: 'GET, HEAD' } : {}) })
  response.end(body)
}
