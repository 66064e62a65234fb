/**
 * What a container engine says when it cannot do something, turned into one sentence with what to do about it.
 */
import { ClusterError } from '../../cluster.ts'

/** The fields by which dockerode's and Node's errors tell themselves apart. */
interface EngineFailure {
  readonly code?: string
  readonly statusCode?: number
  readonly message: string
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof Error) return error
  return { message: String(error) }
}

/** The engine's own words, without dockerode's wrapping. */
export function engineMessage(error: unknown): string {
  return failureOf(error)
    .message.replace(/^\(HTTP code \d+\) [^-]*- /, '')
    .trim()
}

/** The HTTP status that the engine answered with, when it answered. */
export function engineStatus(error: unknown): number | undefined {
  return failureOf(error).statusCode
}

/** Whether the thing asked about is not there (any more). */
export function isGone(error: unknown): boolean {
  return engineStatus(error) === 404
}

interface Explanation {
  readonly code: string
  readonly pattern: RegExp
  /** Of the connection to the engine: an engine that answers says such words about something else. */
  readonly unanswered?: true
  readonly sentence: (doing: string, words: string) => string
}

/** Known complaints of engines, most specific first. */
const explanations: readonly Explanation[] = [
  {
    code: 'no-space',
    pattern: /no space left on device/i,
    sentence: (doing) => `${doing}: the engine's disk is full. See what takes it with \`docker system df\`, make room (\`docker image prune\`), and run again.`,
  },
  {
    code: 'subnet-clash',
    pattern: /pool overlaps|overlaps with (other|existing)|subnet .* is already used/i,
    sentence: (doing) => `${doing}: every address range tried is taken. Remove networks that are no longer used (\`splitbrain clean\`, \`docker network prune\`) and run again.`,
  },
  {
    code: 'port-taken',
    pattern: /port is already allocated|address already in use/i,
    sentence: (doing, words) => `${doing}: a port is taken (${words}). Stop the program that holds it and run again.`,
  },
  {
    code: 'name-clash',
    pattern: /name .* (is )?already (in use|used|exists)|already exists/i,
    sentence: (doing, words) =>
      `${doing}: something of that name is there already (${words}). Remove what an earlier run left with \`splitbrain clean\`, or give this run another name.`,
  },
  {
    code: 'image-missing',
    pattern: /no such image|manifest .*unknown|pull access denied|image .* not found|failed to resolve|unable to find image|image not known/i,
    sentence: (doing, words) => `${doing}: the image is not on this engine (${words}). Build it or pull it first, or leave the image out to use the harness's own.`,
  },
  {
    code: 'docker-permission',
    unanswered: true,
    pattern: /EACCES|EPERM/,
    sentence: (doing) =>
      `${doing}: this user may not use the engine's socket. Join its group (\`sudo usermod -aG docker $USER\`, then log in again), or use --driver process.`,
  },
  {
    code: 'docker-missing',
    unanswered: true,
    pattern: /ENOENT|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/i,
    sentence: (doing) => `${doing}: no container engine answers there. Start Docker (or point DOCKER_HOST at an engine), or use --driver process, which needs none.`,
  },
  {
    code: 'docker-lost',
    unanswered: true,
    pattern: /ECONNRESET|EPIPE|socket hang up/i,
    sentence: (doing) => `${doing}: the engine closed the connection. See whether it still runs (\`docker info\`) and run again.`,
  },
]

/** Explains an engine's failure. An error that is explained already is handed back as it is. */
export function explain(error: unknown, doing: string): ClusterError {
  if (error instanceof ClusterError) return error
  const words = engineMessage(error).replace(/\.$/, '')
  const evidence = `${failureOf(error).code ?? ''} ${words}`
  const answered = engineStatus(error) !== undefined
  const known = explanations.find(({ pattern, unanswered }) => pattern.test(evidence) && !(unanswered === true && answered))
  if (known !== undefined) return new ClusterError(known.code, known.sentence(doing, words), { cause: error })
  return new ClusterError('docker', `${doing}: the engine refused (${words}). \`splitbrain doctor\` shows what it can do.`, { cause: error })
}

/** Runs one conversation with the engine, and explains its failure. */
export async function explaining<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw explain(error, doing)
  }
}
