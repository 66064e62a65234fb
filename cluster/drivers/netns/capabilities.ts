/**
 * What network namespaces can do on this machine, found out by trying: the network of one node and every part of the
 * packet filter are set up for a moment, in namespaces that vanish with the attempt.
 */
import type { Capability, CapabilityReport, CapabilityStatus } from '../../cluster.ts'
import { capabilities } from '../../cluster.ts'
import { OWN_CLOCK, OWN_DISK } from '../answers.ts'
import { FUSE_DISK, FUSE_PROBE } from '../fuse/disk.ts'
import { MEMORY_LIMIT } from '../process/node-process.ts'
import { DATA_FOLDER } from '../real/files.ts'
import { SPARE_MACHINES } from '../roster.ts'
import { FILTER_SETUP, PROBE_SCRIPT, probed } from '../docker/filter.ts'
import { setupScript } from './layout.ts'
import { inNamespaces } from './warden-client.ts'

/** Prints `network` when a node's network can be made, then a word for each part of the filter that works. */
const script = `(set -e
${setupScript(1)}
printf '%s' '${FILTER_SETUP}' | nsenter --net=/run/netns/node0 iptables-restore -w -n) >/dev/null && echo network
${FUSE_PROBE}${PROBE_SCRIPT}`

let report: Promise<CapabilityReport> | undefined
let words: Promise<ReadonlySet<string>> | undefined

/** What can be done; tried out once. */
export function netnsCapabilities(): Promise<CapabilityReport> {
  report ??= probe()
  return report
}

/** Tries everything out, once; the words of what works. */
function tryOut(): Promise<ReadonlySet<string>> {
  words ??= inNamespaces(script).then((output) => probed(output).parts)
  return words
}

/** What is done with a disk of the node's own. */
export const DISK_CAPABILITIES: readonly Capability[] = ['disk', 'power-loss', 'torn-write']

/** Whether nodes can have disks of their own. */
export async function netnsHasFuse(): Promise<boolean> {
  return (await tryOut()).has('fuse')
}

/** Whether the kernel delays packets by itself. */
export async function netnsHasNetem(): Promise<boolean> {
  return (await tryOut()).has('netem')
}

async function probe(): Promise<CapabilityReport> {
  if (process.platform !== 'linux') return every({ available: false, reason: `network namespaces are Linux's, and this is ${process.platform}; use --driver process` })
  try {
    const found = await tryOut()
    if (!found.has('network')) return every({ available: false, reason: 'ip, nsenter or iptables-restore (Debian: iproute2, util-linux, iptables) is missing or not allowed in a user namespace; use --driver process' })
    return reportOf(found)
  } catch (error) {
    const { shortMessage, message } = error as { shortMessage?: string; message: string }
    const reason = (shortMessage ?? message).split('\n')[0]!
    return every({ available: false, reason: `this machine does not let an ordinary user make namespaces (${reason}); use --driver process` })
  }
}

function every(status: CapabilityStatus): CapabilityReport {
  return Object.fromEntries(capabilities.map((name) => [name, status])) as CapabilityReport
}

const NO_FUSE = '/dev/fuse is missing here or may not be opened by this user (chmod 666 /dev/fuse lets everybody, as most distributions do); without it what a program has written stays in the kernel of this machine when the program ends'
const SIM = 'TCP puts packets back in order before the nodes see them; --driver sim reorders messages'
/** What a detour needs. */
const DETOUR = ['filter', 'time', 'reject', 'dnat']

function reportOf(found: ReadonlySet<string>): CapabilityReport {
  const always = (reason: string): CapabilityStatus => ({ available: true, reason })
  const needing = (parts: readonly string[], reason: string): CapabilityStatus => {
    const missing = parts.filter((part) => !found.has(part))
    return missing.length === 0 ? always(reason) : { available: false, reason: `this kernel or its tools lack ${missing.join(' and ')}` }
  }
  const ownDisk: CapabilityStatus = found.has('fuse') ? always(FUSE_DISK) : { available: false, reason: NO_FUSE }
  const statuses: Record<Capability, CapabilityStatus> = {
    kill: always('SIGKILL'),
    terminate: always('SIGTERM to the process that was started'),
    restart: always('the same command on the same data folder and address'),
    pause: always('SIGSTOP and SIGCONT'),
    throttle: always('SIGSTOP and SIGCONT in a cycle of 50 ms'),
    'power-loss': ownDisk,
    'torn-write': ownDisk,
    files: always(DATA_FOLDER),
    memory: always(MEMORY_LIMIT),
    disk: found.has('fuse') ? ownDisk : OWN_DISK,
    clock: OWN_CLOCK,
    membership: always(SPARE_MACHINES),
    cut: needing(['filter', 'time'], 'iptables in the node\'s network namespace'),
    lose: needing(['filter', 'time', 'statistic'], 'iptables, statistic match'),
    limit: needing(['filter', 'time', 'classify', 'htb'], 'an HTB queue for the link'),
    delay: found.has('netem') ? needing(['filter', 'time', 'classify', 'htb'], 'a netem queue for the link') : needing(DETOUR, 'a detour through a proxy on the bridge (this kernel has no netem)'),
    duplicate: needing(['filter', 'time', 'statistic', 'tee'], 'iptables, TEE target'),
    corrupt: needing(DETOUR, 'a detour through a proxy on the bridge that flips bits'),
    reset: needing(['filter', 'time', 'statistic', 'reject'], 'iptables, REJECT target with tcp-reset'),
    'half-open': needing(['filter', 'time', 'connmark'], 'iptables, connmark: packets of connections without the mark are dropped'),
    reorder: { available: false, reason: SIM },
  }
  return statuses
}
