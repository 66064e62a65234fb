/**
 * The images that nodes run in, made from this machine's files and named by their content, so that an image is
 * made once and found again.
 *
 * Two layers: `splitbrain-base:<hash>` holds executables with their libraries (imported as one tar), and
 * `splitbrain-node:<hash>` puts the bundled program on top, so that a changed program costs half a second and a
 * megabyte instead of Node's hundred.
 */
import type { Log } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { ImageContents } from '../../system.ts'
import { bundleProgram, closure, contentHash, findExecutable, libraryFolders, tarOf } from './closure.ts'
import type { ImageFile } from './closure.ts'
import type { Engine } from './engine.ts'
import { engineMessage, engineStatus, explain, explaining } from './errors.ts'
import { labels } from './labels.ts'

const BASE = 'splitbrain-base'
const NODE = 'splitbrain-node'

/** Podman puts names without a registry under localhost/; Docker takes that for a registry's name. */
function tagged(engine: Engine, repository: string, hash: string): string {
  return `${engine.kind === 'podman' ? 'localhost/' : ''}${repository}:${hash}`
}

/** Whether the engine holds an image of that name. */
async function hasImage(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.docker.getImage(name).inspect()
    return true
  } catch (error) {
    if (engineStatus(error) === 404) return false
    throw explain(error, `Looking for the image ${name}`)
  }
}

interface ProgressLine {
  readonly errorDetail?: { readonly message: string }
  readonly error?: string
}

/** Waits for the end of a build or import. The library reports an engine's error as one more line of progress. */
async function finished(engine: Engine, stream: NodeJS.ReadableStream, doing: string): Promise<void> {
  const lines = await new Promise<ProgressLine[]>((resolve, reject) => {
    engine.docker.modem.followProgress(stream, (error: Error | null, output: ProgressLine[]) => (error ? reject(error) : resolve(output)))
  })
  const failed = lines.find((line) => line.errorDetail !== undefined || line.error !== undefined)
  if (failed !== undefined) throw explain(new Error(failed.errorDetail?.message ?? failed.error), doing)
}

/** What the harness itself needs in a container: to hold a network namespace open, and to filter its packets. */
function ownExecutables(): string[] {
  const tools = ['sleep', 'sh', 'iptables-restore', 'tc'].map(findExecutable)
  return [process.execPath, ...tools.filter((path) => path !== undefined)]
}

const FOREIGN_ARCH = (engine: Engine): ClusterError =>
  new ClusterError(
    'image-arch',
    `The engine at ${engine.name} runs linux/${engine.arch}, this machine is ${process.platform}/${process.arch}: its own Node cannot run there. Name a base image that holds Node (--base-image node:20-slim).`,
  )

/** Imports an image of these executables unless the engine has it, and says its name. */
async function ensureClosure(engine: Engine, executables: readonly string[], log: Log): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== engine.arch) throw FOREIGN_ARCH(engine)
  const files = await closure(executables)
  const name = tagged(engine, BASE, contentHash(files))
  if (await hasImage(engine, name)) return name
  log.info(`importing ${name} on ${engine.name} (${Math.round(files.reduce((sum, file) => sum + file.content.length, 0) / 1e6)} MB)`)
  const changes = [`ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LD_LIBRARY_PATH=${libraryFolders(files)}`, `LABEL ${labels.image}=base`]
  // Podman's engine API does not look at `tag`, and Docker's wants it apart.
  const [repo, tag] = splitTag(name)
  const named = engine.kind === 'podman' ? { repo: name } : { repo, tag }
  const doing = `Importing the image ${name}`
  await explaining(doing, async () => {
    const tar = tarOf(files, ['tmp', 'data', 'run', 'proc', 'sys', 'dev', 'etc'])
    await finished(engine, await engine.docker.importImage(tar, { fromSrc: '-', ...named, changes }), doing)
  })
  return name
}

function splitTag(name: string): [repository: string, tag: string] {
  const colon = name.lastIndexOf(':')
  return [name.slice(0, colon), name.slice(colon + 1)]
}

/** Adds a bundled program to a base image unless the engine has the result, and says its name. */
async function ensureProgram(engine: Engine, base: string, program: string, log: Log): Promise<string> {
  const files = await bundleProgram(program, engine.arch)
  const name = tagged(engine, NODE, contentHash(files, base))
  if (await hasImage(engine, name)) return name
  log.info(`building ${name} from ${base} on ${engine.name}`)
  const dockerfile = `FROM ${base}\nCOPY app /app\nLABEL ${labels.image}=node\n`
  const context: ImageFile[] = [{ path: 'Dockerfile', content: Buffer.from(dockerfile), executable: false }, ...files]
  const doing = `Building the image ${name}`
  await explaining(doing, async () => {
    await finished(engine, await engine.docker.buildImage(tarOf(context), { t: name, forcerm: true }), doing)
    await removeSuperseded(engine)
  })
  return name
}

/** Node images that are kept besides the newest: other checkouts' and other runs' may be about to be used. */
const SUPERSEDED_KEPT = 8

/** Removes node images that newer ones have superseded, unless a container uses them. A new one is made for every change of the program. */
async function removeSuperseded(engine: Engine): Promise<void> {
  const images = await engine.docker.listImages({ filters: { label: [`${labels.image}=node`] } })
  const oldest = images.toSorted((a, b) => b.Created - a.Created).slice(1 + SUPERSEDED_KEPT)
  await Promise.allSettled(oldest.map(({ Id }) => engine.docker.getImage(Id).remove()))
}

/** The images of one run on one engine. */
export interface RunImages {
  /** For the containers that hold the nodes' network namespaces. */
  readonly base: string
  /** Whether `base` is the user's: then Node is found by name, and tools may be missing. */
  readonly foreignBase: boolean
  /** For the nodes: by the image's name or contents as the system gives it. */
  of(image: string | ImageContents): string
}

/** A user's base image is used as it is; it is pulled when the engine does not hold it. */
async function ensureNamed(engine: Engine, name: string, log: Log): Promise<string> {
  if (await hasImage(engine, name)) return name
  log.info(`pulling ${name} on ${engine.name}`)
  const doing = `Pulling the image ${name}`
  try {
    await finished(engine, (await engine.docker.pull(name)), doing)
  } catch (error) {
    const known = explain(error, doing)
    if (known.code !== 'docker') throw known
    throw new ClusterError('image-missing', `${doing}: it is not on ${engine.name}, and no registry hands it out (${engineMessage(error)}). Build it or pull it first, or leave the image out to use the harness's own.`, { cause: error })
  }
  return name
}

/** Makes or finds every image that a run needs on one engine. */
export async function ensureImages(
  engine: Engine,
  wanted: readonly (string | ImageContents)[],
  options: { readonly baseImage: string | undefined; readonly log: Log },
): Promise<RunImages> {
  const { baseImage, log } = options
  const base = baseImage === undefined ? await ensureClosure(engine, ownExecutables(), log) : await ensureNamed(engine, baseImage, log)
  const names = new Map<string, string>()
  for (const image of wanted) {
    const key = JSON.stringify(image)
    if (names.has(key)) continue
    if (typeof image === 'string') {
      names.set(key, await ensureNamed(engine, image, log))
      continue
    }
    const extra = image.executables ?? []
    const layer = extra.length === 0 ? base : await ensureClosure(engine, [...ownExecutables(), ...extra], log)
    names.set(key, image.program === undefined ? layer : await ensureProgram(engine, layer, image.program, log))
  }
  const of = (image: string | ImageContents): string => names.get(JSON.stringify(image)) ?? base
  return { base, foreignBase: baseImage !== undefined, of }
}

/** One image that the harness made. */
export interface BuiltImage {
  readonly engine: string
  readonly name: string
  readonly bytes: number
  readonly createdMs: number
}

/** The images that the harness has made on an engine. */
export async function builtImages(engine: Engine): Promise<BuiltImage[]> {
  const images = await explaining('Listing images', () => engine.docker.listImages({ filters: { label: [labels.image] } }))
  return images.flatMap((image) =>
    // An image that has lost its name to a newer one is listed under none.
    (image.RepoTags ?? []).filter((name) => name !== '<none>:<none>').map((name) => ({ engine: engine.name, name, bytes: image.Size, createdMs: image.Created * 1000 })),
  )
}
