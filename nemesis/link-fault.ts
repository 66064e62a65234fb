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
const VOLLEY = { messages: 40, bytes: 200, deadlineMs: 1_500 } as const
const NO_LINK = 'no link has running nodes at both ends'
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
  shows?(parameters: ParameterValues): { readonly messages: number; readonly bytes: number; readonly deadlineMs: number }
  /** Whether a look shows the disturbance at work. */
  bites(look: Look, parameters: ParameterValues): boolean
}

/** A volley along a link; where the system cannot be asked for one, as many probes one after the other. */
async function volley({ clock, links }: Cluster, link: Link, { messages, bytes, deadlineMs }: { readonly messages: number; readonly bytes: number; readonly deadlineMs: number }): Promise<Volley> {
  const began = clock.now()
  const elapsedMs = (): number => (clock.now() - began) / 1e6
  if (links.volley) return links.volley(link, messages, bytes, deadlineMs).catch(() => ({ sent: messages, heard: [], elapsedMs: elapsedMs() }))
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

async function lookAt(cluster: Cluster, link: Link, shows: { readonly messages: number; readonly bytes: number; readonly deadlineMs: number }): Promise<Look> {
  const seen = await volley(cluster, link, shows)
  return { volley: seen, struck: await cluster.links.tally?.(link) }
}

/** Every link of the sample is as `isRight` says, at one time; the evidence is the first that is not, or the first. */
async function allAre(cluster: Cluster, links: readonly Link[], isRight: (look: Look) => boolean): Promise<Observation> {
  const looks: { link: Link; look: Look }[] = []
  for (const link of links) looks.push({ link, look: await lookAt(cluster, link, VOLLEY) })
  const miss = looks.find(({ look }) => !isRight(look))
  const told = miss ?? looks[0]
  return { seen: looks.length > 0 && miss === undefined, evidence: told ? tell(told.link, told.look) : NO_LINK }
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
      // Chance strikes one link now and another later, so each need be seen struck once.
      const bitten = new Map<string, string>()
      const look = async (): Promise<Observation> => {
        let miss: string | undefined
        for (const link of (await sample()).filter((one) => !bitten.has(arrow(one)))) {
          const seen = await lookAt(cluster, link, shows(parameters))
          if (bites(seen, parameters)) bitten.set(arrow(link), tell(link, seen))
          else miss ??= tell(link, seen)
        }
        const [evidence] = bitten.values()
        return { seen: evidence !== undefined && miss === undefined, evidence: miss ?? evidence ?? NO_LINK }
      }
      return {
        targets,
        sides: {},
        verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, look),
        heal: () => cluster.links.heal(links),
        verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, async () => allAre(cluster, await sample(), ({ volley: seen, struck }) => {
          const { lost, doubled, overtaken } = countsOf(seen)
          // Simulated messages overtake each other even on a healthy link; doubled and lost they are not.
          return lost === 0 && doubled === 0 && (overtaken === 0 || overtaken < seen.sent) && seen.elapsedMs < HEALTHY_MS && (struck ?? 0) === 0
        })),
      }
    },
  }
}
