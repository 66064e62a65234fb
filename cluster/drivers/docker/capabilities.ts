/**
 * What the driver can do with an engine, found out by trying: the packet filter's parts are loaded into a network
 * namespace that nobody uses, on the machine whose kernel would apply them.
 */
import type { Log } from '../../../harness/env.ts'
import { capabilities } from '../../cluster.ts'
import type { CapabilityReport, CapabilityStatus } from '../../cluster.ts'
import { NO_POWER_LOSS, OWN_CLOCK, OWN_DISK } from '../answers.ts'
import { SPARE_MACHINES } from '../roster.ts'
import { controllerLabel, thisController } from './controller.ts'
import { explaining } from './errors.ts'
import type { Engine } from './engine.ts'
import { PROBE_SCRIPT, probed } from './filter.ts'
import { ensureImages } from './image.ts'
import { labels } from './labels.ts'
import { feedHere } from './namespace.ts'
import type { Mechanism } from './namespace.ts'
import { unframe } from './output.ts'

/** How namespaces are entered on one engine, and which parts of the packet filter its kernel and tools have. */
export interface FilterSupport {
  readonly mechanism: Mechanism
  /** Words of PROBE_SCRIPT: `filter`, `time`, `statistic`, `classify`, `htb`, `netem`, .... */
  readonly parts: ReadonlySet<string>
  /** Why there is nothing, when there is nothing. */
  readonly complaint: string
}

/** What capability probing may be told. */
export interface ProbeOptions {
  /** Enter namespaces in this way even if another would be faster. */
  readonly mechanism: Mechanism | undefined
  readonly baseImage: string | undefined
  readonly log: Log
}

async function probeHere(): Promise<FilterSupport> {
  try {
    const { parts, complaint } = probed(await feedHere(['unshare', '-n', 'sh'], PROBE_SCRIPT))
    return { mechanism: 'nsenter', parts, complaint: parts.has('filter') ? '' : `iptables-restore does not work on this machine (${complaint ?? 'it said nothing'}); install iptables` }
  } catch (error) {
    return { mechanism: 'nsenter', parts: new Set(), complaint: error instanceof Error ? error.message : String(error) }
  }
}

/** Runs the probe in a container of its own, with the rights that network containers get. */
async function probeInContainer(engine: Engine, { baseImage, log }: ProbeOptions): Promise<FilterSupport> {
  const { base } = await ensureImages(engine, [], { baseImage, log })
  const output = await explaining('Probing the packet filter in a container', async () => {
    const container = await engine.docker.createContainer({
      Image: base,
      Entrypoint: ['sh', '-c', PROBE_SCRIPT],
      // Of a run of its own name, so that `clean` finds it when its controller is killed before it has removed it.
      Labels: { [labels.run]: 'probe', [labels.controller]: controllerLabel(await thisController()) },
      HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN', 'NET_RAW'] },
    })
    try {
      await container.start()
      await container.wait()
      return unframe((await container.logs({ stdout: true, stderr: true, follow: false }))).toString()
    } finally {
      await container.remove({ force: true })
    }
  })
  const { parts, complaint } = probed(output)
  return { mechanism: 'exec', parts, complaint: parts.has('filter') ? '' : whyUnfiltered(base, complaint ?? 'iptables-restore said nothing') }
}

/** Why the network container of a node could not filter its packets, and what to do. */
function whyUnfiltered(base: string, complaint: string): string {
  if (/not found/.test(complaint)) return `the image ${base} holds no iptables-restore; install iptables on this machine, or name a base image that holds it (--base-image)`
  return `containers on this engine may not set packet filters although they ask for NET_ADMIN (${complaint}); allow that, name another engine (--docker-host), or use --driver netns or process`
}

/** Finds out how an engine's network namespaces can be filtered. */
export async function probeFilters(engine: Engine, options: ProbeOptions): Promise<FilterSupport> {
  const isRootHere = engine.isHere && process.getuid?.() === 0
  if (options.mechanism !== 'exec' && isRootHere) {
    const support = await probeHere()
    if (support.parts.has('filter') || options.mechanism === 'nsenter') return support
  }
  return probeInContainer(engine, options)
}

const yes = (reason: string): CapabilityStatus => ({ available: true, reason })
const no = (reason: string): CapabilityStatus => ({ available: false, reason })

function needing(support: FilterSupport, parts: readonly string[], how: string): CapabilityStatus {
  if (support.complaint !== '') return no(support.complaint)
  const names: Readonly<Record<string, string>> = { time: 'the time match (xt_time), which ends a fault when its controller dies', statistic: 'the statistic match', classify: 'the CLASSIFY target', reject: 'the REJECT target', connmark: 'connection marks', tee: 'the TEE target', dnat: 'the DNAT target', htb: 'HTB queues or the program tc', netem: 'netem' }
  const missing = parts.filter((part) => !support.parts.has(part))
  if (missing.length > 0) return no(`the kernel that runs the containers (or its tools there) lacks ${missing.map((part) => names[part] ?? part).join(' and ')}`)
  const where = support.mechanism === 'nsenter' ? 'entered by nsenter' : 'entered through its network container'
  return yes(`${how} in the node's network namespace, ${where}`)
}

/** The report for one engine. */
export function reportOf(engine: Engine, support: FilterSupport): CapabilityReport {
  const detour = (how: string, without = ''): CapabilityStatus => (engine.isHere ? needing(support, ['filter', 'time', 'reject', 'dnat'], how) : no(`${without}the nodes cannot reach a proxy of the controller, which does not run on the engine's machine`))
  return {
    kill: yes('SIGKILL through the engine'),
    terminate: yes('SIGTERM through the engine'),
    restart: yes('the same container and volume, started again'),
    pause: yes("the engine's freezer"),
    throttle: engine.kind === 'podman' ? no("Podman's engine API cannot change a running container's limits; use Docker") : yes('processor quota'),
    'power-loss': no(NO_POWER_LOSS),
    'torn-write': no(NO_POWER_LOSS),
    files: engine.isHere && process.getuid?.() === 0 ? yes("the files of the node's volume, where the engine keeps them") : no("the node's volume can be reached past it by root on the engine's machine alone; run the controller there as root"),
    memory: engine.kind === 'podman' ? no("Podman's engine API cannot change a running container's limits; use Docker") : yes("a limit close above what the container uses, and a greedy shell beside the node until the kernel's OOM killer takes the larger of both"),
    disk: OWN_DISK,
    clock: OWN_CLOCK,
    membership: yes(SPARE_MACHINES),
    cut: needing(support, ['filter', 'time'], 'iptables'),
    lose: needing(support, ['filter', 'time', 'statistic'], 'iptables, statistic match'),
    limit: needing(support, ['filter', 'time', 'classify', 'htb'], 'HTB queue per link'),
    delay: support.parts.has('netem') ? needing(support, ['filter', 'time', 'classify', 'htb'], 'netem queue per link') : detour('a detour through a proxy of the controller (the kernel has no netem)', 'the kernel that runs the containers has no netem, and '),
    duplicate: needing(support, ['filter', 'time', 'statistic', 'tee'], 'iptables, TEE target'),
    corrupt: detour('a detour through a proxy of the controller that flips bits'),
    reset: needing(support, ['filter', 'time', 'statistic', 'reject'], 'iptables, REJECT target with tcp-reset'),
    'half-open': needing(support, ['filter', 'time', 'connmark'], 'iptables, connmark: packets of connections without the mark are dropped'),
    reorder: no('TCP puts packets back in order; use --driver sim, which reorders messages'),
  }
}

/** What all engines of a cluster can do. */
export function commonReport(reports: readonly CapabilityReport[]): CapabilityReport {
  const [first, ...others] = reports
  if (first === undefined) throw new Error('a cluster has an engine')
  return others.reduce<CapabilityReport>((common, report) => {
    const merged = Object.entries(common).map(([name, status]) => [name, status.available ? report[name as keyof CapabilityReport] : status])
    return Object.fromEntries(merged) as CapabilityReport
  }, first)
}

/** When there is no engine at all. */
export function nothingReport(reason: string): CapabilityReport {
  const none = no(reason)
  return Object.fromEntries(capabilities.map((name) => [name, none])) as CapabilityReport
}
