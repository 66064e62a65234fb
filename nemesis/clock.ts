/**
 * Wrong clocks: a node's wall clock jumps, is off, flips to and fro, or runs too fast. Stores that order writes by wall
 * clocks, or trust leases, break; those that only measure how long something took must not notice. (Faults as in Jepsen's
 * `nemesis.time`; the monotonic clock stays right, as an administrator's mistake or NTP's step leaves it.)
 *
 * Seen from inside: the node is asked what its clock reads.
 */
import type { ClockSkew, Cluster, Node } from '../cluster/cluster.ts'
import type { Clock } from '../harness/env.ts'
import type { Fault, Injection, InjectOptions, NumberParameter, Observation } from './fault.ts'
import { Loop } from './loop.ts'
import { allSeen, everyNode, HEAL_DEADLINE_MS, untilSeen } from './observe.ts'
import { strikeOrHeal, toSome, type Undo } from './strike.ts'
import { selectorNames } from './targets.ts'

const READ_DEADLINE_MS = 2_000
const EFFECT_DEADLINE_MS = 5_000
/** A clock that reads this close to ours is right: asking takes a moment too. */
const RIGHT_WITHIN_MS = 100
const TRUTH: ClockSkew = { offsetMs: 0, driftPpm: 0 }

/** How far a node's clock is from ours; what the question itself took counts half. */
async function offsetMs(clock: Clock, node: Node): Promise<number> {
  const before = clock.wall()
  const read = await node.clock!.read(READ_DEADLINE_MS)
  return read - (before + clock.wall()) / 2
}

const text = (ms: number): string => `${ms >= 0 ? '+' : ''}${ms.toFixed(0)} ms`

/** One way in which clocks are wrong. */
interface ClockFault extends Pick<Fault, 'name' | 'describes' | 'parameters'> {
  /** Sets the nodes' clocks wrong. A loop that is returned goes on until the heal. */
  strike(nodes: readonly Node[], options: InjectOptions, clock: Clock): Promise<Loop | undefined>
  /** Whether two readings of a node's offset show it. */
  isWrong(options: InjectOptions, firstMs: number, thenMs: number): boolean
}

/** A node that is down cannot be told: another fault may have killed it. */
const set = (nodes: readonly Node[], skew: (node: Node) => ClockSkew): Promise<void> => toSome(nodes, (node) => node.clock!.set(skew(node), READ_DEADLINE_MS))

/** A node forgets how wrong its clock is with its end, so that none need be told; looking tells. */
const setRight = (nodes: readonly Node[]): Promise<void> => set(nodes, () => TRUTH).catch(() => undefined)

async function isRight(clock: Clock, node: Node): Promise<Observation> {
  const off = await offsetMs(clock, node).catch(() => undefined)
  if (off !== undefined) return { seen: Math.abs(off) < RIGHT_WITHIN_MS, evidence: `the clock of ${node.id} is off by ${text(off)}` }
  const state = await node.state()
  return { seen: state === 'stopped', evidence: `${node.id} is ${state}${state === 'stopped' ? '' : ', and its clock cannot be read'}` }
}

function clockFault({ strike, isWrong, ...fault }: ClockFault): Fault {
  return {
    ...fault,
    variants: selectorNames,
    selects: true,
    needs: ['clock'],
    disturbs: 'clocks',
    async inject(cluster: Cluster, options): Promise<Injection> {
      const { clock } = cluster
      const ids = await options.select()
      const nodes = cluster.nodes.filter(({ id }) => ids.includes(id))
      const undo: Undo = {
        heal: () => setRight(nodes),
        verifyHealed: () => untilSeen(clock, HEAL_DEADLINE_MS, () => everyNode(nodes, (node) => isRight(clock, node))),
      }
      const loop = await strikeOrHeal(() => strike(nodes, options, clock), undo)
      const look = async (node: Node): Promise<Observation> => {
        const first = await offsetMs(clock, node)
        const then = await offsetMs(clock, node)
        const seen = isWrong(options, first, then)
        return { seen, evidence: loop?.failure ?? `the clock of ${node.id} is off by ${text(first)}, then by ${text(then)}` }
      }
      const lookAtAll = async (): Promise<Observation> => {
        const readings = (await Promise.all(nodes.map((node) => look(node).catch(() => undefined)))).filter((reading) => reading !== undefined)
        return readings.length === 0 ? { seen: false, evidence: `no clock of ${ids.join(', ')} can be read` } : allSeen(readings)
      }
      return {
        targets: ids,
        sides: {},
        verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, lookAtAll),
        heal: async () => {
          await loop?.stop()
          await undo.heal()
        },
        verifyHealed: undo.verifyHealed,
      }
    },
  }
}

const ms = (describes: string, usual: number, swarm: readonly [number, number]): NumberParameter => ({ describes, default: usual, min: -86_400_000, max: 86_400_000, swarm })
const near = (offset: number, wanted: number): boolean => Math.abs(offset - wanted) < RIGHT_WITHIN_MS

/** `clock-bump(TARGETS)`. */
export const clockBump = clockFault({
  name: 'clock-bump',
  describes: 'lets the wall clocks of nodes jump, all by the same',
  parameters: { ms: ms('how far they jump', 30_000, [-60_000, 60_000]) },
  strike: async (nodes, { parameters }) => {
    await set(nodes, () => ({ offsetMs: Number(parameters['ms']), driftPpm: 0 }))
    return undefined
  },
  isWrong: ({ parameters }, first) => near(first, Number(parameters['ms'])),
})

/** `clock-skew(TARGETS)`. */
export const clockSkew = clockFault({
  name: 'clock-skew',
  describes: 'sets the wall clocks of nodes off, each by another amount in either direction',
  parameters: { ms: { ...ms('how far they are off at most', 5_000, [500, 30_000]), min: 500 } },
  strike: async (nodes, { parameters, random }) => {
    const max = Number(parameters['ms'])
    // From half to all of it, so that it shows.
    await set(nodes, ({ id }) => {
      const own = random.fork(id)
      return { offsetMs: Math.round((own.int(2) === 0 ? -1 : 1) * max * (0.5 + own.float() / 2)), driftPpm: 0 }
    })
    return undefined
  },
  isWrong: ({ parameters }, first) => Math.abs(first) > Number(parameters['ms']) / 2 - RIGHT_WITHIN_MS && Math.abs(first) > RIGHT_WITHIN_MS,
})

/** `clock-strobe(TARGETS)`. */
export const clockStrobe = clockFault({
  name: 'clock-strobe',
  describes: 'lets the wall clocks of nodes jump to and fro',
  parameters: {
    ms: { ...ms('how far they jump', 2_000, [500, 20_000]), min: 500 },
    period_ms: { describes: 'how long each of both lasts', default: 20, min: 1, max: 60_000, swarm: [5, 100] },
  },
  strike: async (nodes, { parameters }, clock) => new Loop(clock, async (sleep) => {
    for (const offset of [Number(parameters['ms']), 0]) {
      await set(nodes, () => ({ offsetMs: offset, driftPpm: 0 }))
      await sleep(Number(parameters['period_ms']))
    }
  }),
  isWrong: ({ parameters }, first, then) => near(first, Number(parameters['ms'])) || near(then, Number(parameters['ms'])),
})

/** `clock-drift(TARGETS)`. */
export const clockDrift = clockFault({
  name: 'clock-drift',
  describes: 'lets the wall clocks of nodes run too fast or too slow',
  parameters: { percent: { describes: 'how much too fast; negative: too slow', default: 20, min: -99, max: 1_000, swarm: [-50, 100] } },
  strike: async (nodes, { parameters }) => {
    await set(nodes, () => ({ offsetMs: 0, driftPpm: Number(parameters['percent']) * 10_000 }))
    return undefined
  },
  // It shows as soon as it has run for a while: look until it is clearly off, to the right side.
  isWrong: ({ parameters }, first) => Math.abs(first) > RIGHT_WITHIN_MS && Math.sign(first) === Math.sign(Number(parameters['percent'])),
})
