/**
 * What runs may have left on this machine, listed so that two lists can be compared: soaks look before and after.
 * Other runs may go on beside: a thing counts as ours when it carries the soak's mark or lies in its folder, and what
 * carries no name (bridges, packet filters' rules, network namespaces of containers) when it belongs to nothing that an
 * engine still knows.
 */
import { execa } from 'execa'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { realClock, sleep } from '../clock.ts'
import { processesOf } from './processes-of.ts'

/** Lines of what a program prints; none when it is missing or refuses. */
async function lines(file: string, ...args: string[]): Promise<string[]> {
  const { failed, stdout } = await execa(file, args, { reject: false })
  return failed ? [] : stdout.split('\n').filter((line) => line !== '')
}

const mounts = (): Promise<string> => readFile('/proc/mounts', 'utf8').catch(() => '')

const named = (kind: string, names: readonly string[]): string[] => names.map((name) => `${kind} ${name}`)

/** Containers, networks and volumes whose names carry the mark. */
async function onEngine(mark: string): Promise<string[]> {
  const [containers, networks, volumes] = await Promise.all([
    lines('docker', 'ps', '-a', '--format', '{{.Names}}'),
    lines('docker', 'network', 'ls', '--format', '{{.Name}}'),
    lines('docker', 'volume', 'ls', '--format', '{{.Name}}'),
  ])
  return [...named('container', containers), ...named('network', networks), ...named('volume', volumes)].filter((line) => line.includes(mark))
}

/** Bridges of networks and namespaces of containers that the engine has forgotten, and rules of packet filters about them. */
async function forgotten(): Promise<string[]> {
  const interfaces = await lines('ip', '-o', 'link', 'show', 'type', 'bridge')
  const rules = await lines('iptables-save')
  // By what is mounted: the files that namespaces were mounted on are swept by the engine once a minute.
  const sandboxes = [...(await mounts()).matchAll(/docker\/netns\/(\w+)/g)].map(([, name]) => name!)
  // Asked last: what appears meanwhile is known to the engine, and what goes meanwhile was listed above.
  const known = (await lines('docker', 'network', 'ls', '--no-trunc', '-q')).map((id) => `br-${id.slice(0, 12)}`)
  const containers = await lines('docker', 'ps', '-aq')
  const keys = containers.length === 0 ? [] : await lines('docker', 'inspect', '-f', '{{.NetworkSettings.SandboxKey}}', ...containers)
  const isForgotten = (line: string): boolean => {
    const bridge = /\bbr-[0-9a-f]{12}\b/.exec(line)?.[0]
    return bridge !== undefined && !known.includes(bridge)
  }
  return [
    ...named('interface', interfaces.map((line) => line.split(': ')[1] ?? line).filter(isForgotten)),
    ...named('rule', rules.filter((line) => isForgotten(line) || line.includes('SPLITBRAIN'))),
    ...named('namespace of a container', sandboxes.filter((name) => name !== 'default' && !keys.some((key) => path.basename(key) === name))),
  ]
}

/** Data of nodes and records of controllers in run folders: what a run takes away when it ends. */
async function inRunFolders(cwd: string): Promise<string[]> {
  const entries = await readdir(path.join(cwd, 'runs'), { recursive: true, withFileTypes: true }).catch(() => [])
  const left = entries.filter((entry) => /^(pids|controller)\.json$|\.part$/.test(entry.name) || (entry.isDirectory() && path.basename(entry.parentPath) === 'nodes'))
  return left.map((entry) => `file ${path.join(entry.parentPath, entry.name)}`)
}

/**
 * Everything of runs in `cwd` that must go with them, one line for each thing. `mark` stands in the names of the runs;
 * `cwd/tmp` is their folder for temporary files.
 */
export async function thingsOf(cwd: string, mark: string): Promise<string[]> {
  const mounted = (await mounts()).split('\n').filter((line) => line.includes(mark) || line.includes(cwd))
  const namespaces = await lines('ip', 'netns', 'list')
  return [
    ...named('process', (await processesOf(cwd)).map(String)),
    ...named('mount', mounted),
    ...named('temporary file', await readdir(path.join(cwd, 'tmp')).catch(() => [])),
    ...(await inRunFolders(cwd)),
    ...named('namespace', namespaces.filter((line) => /^node\d+\b/.test(line) || line.includes(mark))),
    ...(await onEngine(mark)),
    ...(await forgotten()),
  ]
}

const LOOKS_MAX = 20
const BETWEEN_LOOKS_MS = 500

/**
 * What is left of runs in `cwd` that was not there `before`. Looked for again and again until there is nothing: an engine
 * needs a moment to take things away, and what others take away while we look may seem forgotten for once.
 */
export async function leftOf(cwd: string, mark: string, before: readonly string[] = []): Promise<string[]> {
  let left: string[] | undefined
  for (let look = 0; look < LOOKS_MAX && left?.length !== 0; look++) {
    if (look > 0) await sleep(realClock(), BETWEEN_LOOKS_MS)
    const found = await thingsOf(cwd, mark)
    left = found.filter((line) => !before.includes(line) && (left === undefined || left.includes(line)))
  }
  return left ?? []
}
