/**
 * Removing what a run made on an engine: found by label, never remembered, so that it works as well for a run whose
 * controller was killed halfway through its start.
 */
import type { ContainerInfo } from 'dockerode'
import { parseControllerLabel, whereabouts } from './controller.ts'
import type { Engine } from './engine.ts'
import { engineMessage, explaining, isGone } from './errors.ts'
import { labels } from './labels.ts'

const REMOVE_ATTEMPTS = 20
const REMOVE_PAUSE_MS = 100
const LOOKS = 3

/** In the order of removal: a node's container holds its network container, that the network, and the first its volume. */
const kinds = ['node container', 'network container', 'network', 'volume'] as const
type Kind = (typeof kinds)[number]

/** Something on an engine that carries a run's label. */
interface Leftover {
  readonly kind: Kind
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  remove(): Promise<unknown>
}

/** What was removed, one line each, and what could not be. */
export interface Removal {
  readonly removed: string[]
  readonly failed: string[]
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REMOVE_PAUSE_MS))

function containerName({ Names, Id }: ContainerInfo): string {
  return Names[0]?.slice(1) ?? Id.slice(0, 12)
}

/** Everything on the engine that carries a label (`name` or `name=value`). */
async function leftovers(engine: Engine, label: string): Promise<Leftover[]> {
  const { docker } = engine
  const filters = { label: [label] }
  const list = () => Promise.all([docker.listContainers({ all: true, filters }), docker.listNetworks({ filters }), docker.listVolumes({ filters })])
  const [containers, networks, volumes] = await explaining(`Looking for what runs left on ${engine.name}`, () =>
    // Podman's list fails when something goes while it is made.
    list().catch(async () => {
      await pause()
      return list()
    }),
  )
  return [
    ...containers.map((info): Leftover => ({
      kind: info.Labels[labels.role] === 'network' ? 'network container' : 'node container',
      name: containerName(info),
      labels: info.Labels,
      remove: () => docker.getContainer(info.Id).remove({ force: true, v: true }),
    })),
    ...networks.map((info): Leftover => ({ kind: 'network', name: info.Name, labels: info.Labels ?? {}, remove: () => docker.getNetwork(info.Id).remove() })),
    ...(volumes.Volumes ?? []).map((info): Leftover => ({ kind: 'volume', name: info.Name, labels: info.Labels ?? {}, remove: () => docker.getVolume(info.Name).remove() })),
  ]
}

/** Removes one thing. An engine needs a moment to let go of a network or volume whose last container has just gone. */
async function removeOne(leftover: Leftover): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await leftover.remove()
      return undefined
    } catch (error) {
      if (isGone(error)) return undefined
      if (attempt === REMOVE_ATTEMPTS) return engineMessage(error)
      await pause()
    }
  }
}

async function removeAll(engine: Engine, found: readonly Leftover[]): Promise<Removal> {
  const removed: string[] = []
  const failed: string[] = []
  for (const kind of kinds) {
    await Promise.all(
      found
        .filter((leftover) => leftover.kind === kind)
        .map(async (leftover) => {
          const complaint = await removeOne(leftover)
          const what = `${kind} ${leftover.name}${engine.name.startsWith('unix:') ? '' : ` on ${engine.name}`}`
          if (complaint === undefined) removed.push(what)
          else failed.push(`${what} could not be removed: ${complaint}`)
        }),
    )
  }
  return { removed, failed }
}

/** Looks for what carries a label, removes what is chosen, and looks again: a create call that was under way when its caller died ends later. */
async function removeLabelled(engine: Engine, label: string, choose: (found: readonly Leftover[]) => Promise<readonly Leftover[]>): Promise<Removal> {
  const removed: string[] = []
  for (let look = 1; ; look++) {
    const found = await choose(await leftovers(engine, label))
    const result = await removeAll(engine, found)
    removed.push(...result.removed)
    if (found.length === 0 || look === LOOKS) return { removed, failed: result.failed }
  }
}

const all = (found: readonly Leftover[]): Promise<readonly Leftover[]> => Promise.resolve(found)

/** Removes everything of one run. */
export function removeRun(engine: Engine, runId: string): Promise<Removal> {
  return removeLabelled(engine, `${labels.run}=${runId}`, all)
}

/** Removes everything that one start has made. */
export function removeStart(engine: Engine, startId: string): Promise<Removal> {
  return removeLabelled(engine, `${labels.start}=${startId}`, all)
}

/** Removes everything of every run whose controller is gone. */
export function removeAbandoned(engine: Engine): Promise<Removal> {
  return removeLabelled(engine, labels.run, (found) => abandoned(engine, found))
}

async function abandoned(engine: Engine, found: readonly Leftover[]): Promise<readonly Leftover[]> {
  const verdicts = new Map<string, boolean>()
  for (const leftover of found) {
    const label = leftover.labels[labels.controller] ?? ''
    if (verdicts.has(label)) continue
    const controller = parseControllerLabel(label)
    verdicts.set(label, controller !== undefined && (await whereabouts(controller, engine.isHere)) === 'gone')
  }
  return found.filter((leftover) => verdicts.get(leftover.labels[labels.controller] ?? '') === true)
}
