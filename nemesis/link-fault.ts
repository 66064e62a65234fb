/**
 * What faults of links have in common: they strike every link to and from the selected nodes, and are looked for on one
 * link in each direction of each node, with volleys of messages that the nodes themselves send and count.
 */
import type { Cluster, Link, Volley } from '../cluster/cluster.ts'
import type { Fault, Injection, Observation, ParameterValues } from './fault.ts'
import { arrow, HEAL_DEADLINE_MS, runningOnly, samples, untilSeen } from './observe.ts'
import { linksBetween, selectorNames } from './targets.ts'

const EFFECT_DEADLINE_MS = 8_000
/** Messages of one look, their size, and how long they may take. */
const VOLLEY: VolleyShape = { messages: 40, bytes: 200, deadlineMs: 1_500 }
const NO_LINK = 'no link has nodes that answer at both ends'
/** A busy machine takes this long for a volley over a healthy link. */
const HEALTHY_MS = 1_000

/** What was seen of one link: a volley, and how many packets or pieces the disturbance has struck so far. */
export interface Look {
  readonly volley: Volley
  /** Undefined where nobody counts. */
  readonly struck: number | undefined
}

/** One kind of disturbance. */
export interface LinkDisturbance extends Pick<Fault, 'name' | 'describes' | 'parameters' | 'needs'> {
  disturb(cluster: Cluster, links: readonly Link[], parameters: ParameterValues): Promise<void>
  /** The volley that shows it; left out: `VOLLEY`. */
  shows?(parameters: ParameterValues): VolleyShape
  /** Whether a look shows the disturbance at work. */
  bites(look: Look, parameters: ParameterValues): boolean
}

/** Messages of a volley, their size, and how long they may take. */
interface VolleyShape {
  readonly messages: number
  readonly bytes: number
  readonly deadlineMs: number
}

/** A volley along a link; where the system cannot be asked for one, as many probes one after the other. Rejects when the nodes themselves cannot be asked. */
async function volley({ clock, links }: Cluster, link: Link, { messages, bytes, deadlineMs }: VolleyShape): Promise<Volley> {
  if (links.volley) return links.volley(link, messages, bytes, deadlineMs)
  const began = clock.now()
  const elapsedMs = (): number => (clock.now() - began) / 1e6
  const heard: number[] = []
  for (let i = 0; i < messages && elapsedMs() < deadlineMs; i++) if (await links.probe(link, deadlineMs / messages)) heard.push(i)
  return { sent: messages, heard, elapsedMs: elapsedMs() }
}

/** Of the messages sent: how many never arrived, how many more than once, how many after a later one. */
export function countsOf({ sent, heard }: Volley): { lost: number; doubled: number; overtaken: number } {
  let highest = -1
  let overtaken = 0
  for (const number of heard) {
    if (number < highest) overtaken++
    highest = Math.max(highest, number)
  }
  const distinct = new Set(heard).size
  return { lost: sent - distinct, doubled: heard.length - distinct, overtaken }
}

function tell(link: Link, { volley: seen, struck }: Look): string {
  const { lost, doubled, overtaken } = countsOf(seen)
  const counts = [lost > 0 ? `${lost} were lost` : '', doubled > 0 ? `${doubled} came twice` : '', overtaken > 0 ? `${overtaken} were overtaken` : ''].filter((part) => part !== '')
  return `of ${seen.sent} messages ${arrow(link)} ${counts.length > 0 ? counts.join(', ') : 'all came once, in order'}, after ${seen.elapsedMs.toFixed(0)} ms${struck === undefined ? '' : `; struck on the way: ${struck}`}`
}

/** Looks at all of these links at once. A link whose nodes do not answer us tells nothing: they are down, or starting. */
async function lookAt(cluster: Cluster, links: readonly Link[], shape: VolleyShape): Promise<{ readonly link: Link; readonly look: Look }[]> {
  const looks = links.map(async (link) => ({ link, look: { volley: await volley(cluster, link, shape), struck: await cluster.links.tally?.(link) } }))
  return (await Promise.allSettled(looks)).flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

/** Whether a look shows a healthy link. Simulated messages overtake each other even there; doubled and lost they are not. */
function isWhole({ volley: seen, struck }: Look): boolean {
  const { lost, doubled, overtaken } = countsOf(seen)
  return lost === 0 && doubled === 0 && (overtaken === 0 || overtaken < seen.sent) && seen.elapsedMs < HEALTHY_MS && (struck ?? 0) === 0
}

/** Looks at links until each was once as `isSo` says: chance strikes one now and another later, and a busy machine holds up one now and another later. */
function eachOnce(cluster: Cluster, sample: () => Promise<readonly Link[]>, shape: VolleyShape, isSo: (look: Look) => boolean): () => Promise<Observation> {
  const seen = new Map<string, string>()
  return async () => {
    const open = (await sample()).filter((link) => !seen.has(arrow(link)))
    const looks = await lookAt(cluster, open, shape)
    for (const { link, look } of looks) if (isSo(look)) seen.set(arrow(link), tell(link, look))
    const miss = looks.find(({ link }) => !seen.has(arrow(link)))
    const [evidence] = seen.values()
    return { seen: evidence !== undefined && miss === undefined, evidence: miss ? tell(miss.link, miss.look) : (evidence ?? NO_LINK) }
  }
}

/** A fault of links out of a disturbance: `NAME(TARGETS)`. */
export function linkFault({ disturb, shows = () => VOLLEY, bites, ...fault }: LinkDisturbance): Fault {
  return {
    ...fault,
    variants: selectorNames,
    selects: true,
    disturbs: 'links',
    async inject(cluster, { parameters, select }): Promise<Injection> {
      const targets = await select()
      const links = linksBetween(targets, cluster.nodes.map((n) => n.id))
      const sample = async (): Promise<Link[]> => samples(await runningOnly(cluster, links), targets)
      await disturb(cluster, links, parameters)
      return {
        targets,
        sides: {},
        verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, eachOnce(cluster, sample, shows(parameters), (look) => bites(look, parameters))),
        heal: () => cluster.links.heal(links),
        verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, eachOnce(cluster, sample, VOLLEY, isWhole)),
      }
    },
  }
}
