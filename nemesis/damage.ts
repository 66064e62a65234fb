/**
 * Damaged disks: bits that have flipped (Bairavasundaram et al., "An Analysis of Data Corruption in the Storage Stack",
 * FAST 2008), and files that have become short. A store's checksums must find them: what it answers with the damage in
 * it, and what it silently takes for absent, is its fault (Ganesan et al., "Redundancy Does Not Imply Fault Tolerance",
 * FAST 2017).
 *
 * Nodes are killed for it and started again on the damaged disk; whether one comes up is its own decision, and told. The
 * heal puts back what still lies where it was damaged. What a store has made of the damage meanwhile stays as it is, so
 * `all`, swarms and conformance leave these faults out.
 */
import type { Node, NodeFiles } from '../cluster/cluster.ts'
import type { Random } from '../harness/env.ts'
import { pick } from '../harness/random.ts'
import type { Fault, Observation, ParameterValues } from './fault.ts'
import { nodeFault, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isUp, untilSeen } from './observe.ts'

/** One damaged place, in words, and how it is seen and taken back. */
interface Wound {
  readonly says: string
  isThere(): Promise<boolean>
  mend(): Promise<void>
}

/** Files of LevelDB and others that are for people, or for locking: nothing is read from them. */
const IDLE_FILES = /(^|\/)(LOG|LOG\.old|LOCK)$/

function filesOf(node: Node): NodeFiles {
  if (node.files === undefined) throw new Error(`the files of ${node.id} cannot be reached`)
  return node.files
}

/** Of a node's files one by chance, the larger the likelier. */
async function drawFile(node: Node, random: Random): Promise<{ path: string; bytes: number }> {
  const files = (await filesOf(node).list()).filter(({ path }) => !IDLE_FILES.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1))
  if (files.length === 0) throw new Error(`${node.id} has nothing on its disk`)
  let at = Math.floor(random.float() * files.reduce((sum, { bytes }) => sum + bytes, 0))
  return files.find(({ bytes }) => (at -= bytes) < 0) ?? pick(random, files)
}

async function flipBit(node: Node, random: Random): Promise<Wound> {
  const files = filesOf(node)
  const { path, bytes } = await drawFile(node, random)
  const [offset, bit] = [random.int(bytes), random.int(8)]
  const byteNow = (): Promise<number | undefined> => files.read(path).then((content) => content[offset], () => undefined)
  const before = (await byteNow())!
  const after = before ^ (1 << bit)
  await files.write(path, offset, Buffer.from([after]))
  return {
    says: `bit ${bit} of byte ${offset} of ${path} is flipped`,
    isThere: async () => (await byteNow()) === after,
    mend: () => files.write(path, offset, Buffer.from([before])),
  }
}

async function cutShort(node: Node, random: Random, share: number): Promise<Wound> {
  const files = filesOf(node)
  const { path, bytes } = await drawFile(node, random)
  const left = Math.min(bytes - 1, Math.floor(bytes * (1 - share * random.float())))
  const tail = (await files.read(path)).subarray(left)
  await files.truncate(path, left)
  return {
    says: `${path} is ${left} bytes long and was ${bytes}`,
    isThere: () => files.read(path).then((content) => content.length === left, () => false),
    mend: () => files.write(path, left, tail),
  }
}

function damageFault(fault: Pick<Fault, 'name' | 'describes' | 'parameters'>, wound: (node: Node, random: Random, parameters: ParameterValues) => Promise<Wound[]>): Fault {
  return {
    ...nodeFault({
      ...fault,
      needs: ['files', 'kill', 'restart'],
      async prepare({ clock }, nodes, { random, parameters }) {
        const wounds = new Map<Node, Wound[]>()
        const seen = new Map<Node, Observation>()
        const strikeOne = async (node: Node): Promise<void> => {
          await node.kill()
          const made = await wound(node, random.fork(node.id), parameters)
          wounds.set(node, made)
          const isThere = await Promise.all(made.map((one) => one.isThere()))
          const start = await node.start().then(() => 'starts on it', () => 'does not start on it')
          seen.set(node, { seen: made.length > 0 && isThere.every(Boolean), evidence: `on the disk of ${node.id} ${made.map(({ says }) => says).join(', ')}; the node ${start}` })
        }
        return {
          strike: () => Promise.all(nodes.map(strikeOne)),
          verify: () => everyNode(nodes, async (node) => seen.get(node)!),
          heal: async () => {
            await Promise.all(nodes.map(async (node) => {
              await node.kill()
              for (const one of wounds.get(node) ?? []) if (await one.isThere()) await one.mend()
            }))
            await startStopped(nodes)
          },
          verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, async (node) => {
            for (const one of wounds.get(node) ?? []) if (await one.isThere()) return { seen: false, evidence: `on the disk of ${node.id} ${one.says}` }
            return isUp(node)
          })),
        }
      },
    }),
    irreparable: true,
  }
}

/** `bit-flip(TARGETS)`. */
export const bitFlip = damageFault(
  { name: 'bit-flip', describes: 'flips bits in the files of nodes, which are killed and started again on them', parameters: { bits: { describes: 'that are flipped on each node', default: 1, min: 1, max: 10_000 } } },
  async (node, random, { bits }) => {
    const wounds: Wound[] = []
    for (let i = 0; i < Number(bits); i++) wounds.push(await flipBit(node, random))
    return wounds
  },
)

/** `truncate-file(TARGETS)`. */
export const truncateFile = damageFault(
  { name: 'truncate-file', describes: 'cuts a file of each node short, which is killed and started again on it', parameters: { share: { describes: 'of the file that is cut off at most', default: 0.5, min: 0.001, max: 1 } } },
  async (node, random, { share }) => [await cutShort(node, random, Number(share))],
)
