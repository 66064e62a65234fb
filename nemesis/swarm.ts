/**
 * Swarm testing (Groce et al., "Swarm Testing", ISSTA 2012): every seed draws its own mix of faults, and how hard, how
 * long and how often each strikes. A run that always does a little of everything hides what only a lot of one thing
 * finds; runs that leave most faults out find more, together.
 */
import type { Random } from '../harness/env.ts'
import { pick, shuffle } from '../harness/random.ts'
import type { Disturbed, Fault, ParameterValues } from './fault.ts'
import { faultText, strikeProblem } from './notation.ts'
import type { Schedule, ScheduledFault } from './schedule.ts'
import { refuseOverlaps } from './schedule-file.ts'
import { plainSelectors, selectorForms, type Scene } from './targets.ts'

/** Faults of a run: at least one, at most this many kinds. */
const KINDS_MAX = 5
/** How long one fault lasts, and how long the cluster is left alone before the next of its kind: uniform between the two. */
const LASTS_MS = [800, 4_000] as const
const RESTS_MS = [600, 4_000] as const
/** Nothing strikes within this time of the end, so that heals are seen under load. */
const END_MS = 500

function between(random: Random, [low, high]: readonly [number, number]): number {
  return low + random.float() * (high - low)
}

/** Rounded so that it can be read and typed again. */
function drawParameters(fault: Fault, random: Random): ParameterValues {
  return Object.fromEntries(Object.entries(fault.parameters ?? {}).map(([name, parameter]) => {
    if ('choices' in parameter) return [name, pick(random, parameter.choices)]
    return [name, parameter.swarm === undefined ? parameter.default : Number(between(random, parameter.swarm).toPrecision(2))]
  }))
}

/** The variants that can strike in this scene: roles and sizes, and variants of the fault's own. */
function possibleVariants(fault: Fault, scene: Scene): string[] {
  return [...(fault.selects ? plainSelectors : []), ...fault.variants.filter((variant) => !plainSelectors.includes(variant))].filter((variant) => !selectorForms.includes(variant) && strikeProblem({ fault, variant }, scene) === undefined)
}

function drawFault(fault: Fault, random: Random, scene: Scene): string {
  return faultText({ fault, variant: pick(random, possibleVariants(fault, scene)), parameters: drawParameters(fault, random) })
}

/** A schedule of faults out of `available`. The same random stream gives the same schedule. */
export function planSwarm(available: readonly Fault[], timeMs: number, random: Random, scene: Scene): Schedule {
  const able = available.filter((fault) => possibleVariants(fault, scene).length > 0)
  const mix = shuffle(random, able).slice(0, 1 + random.int(Math.min(KINDS_MAX, able.length)))
  const byDisturbed = new Map<Disturbed, Fault[]>()
  for (const fault of mix) byDisturbed.set(fault.disturbs, [...(byDisturbed.get(fault.disturbs) ?? []), fault])
  const schedule: ScheduledFault[] = []
  for (const [disturbed, faults] of byDisturbed) {
    const own = random.fork(disturbed)
    let atMs = between(own, RESTS_MS)
    while (atMs < timeMs - END_MS - LASTS_MS[0]) {
      const forMs = Math.min(between(own, LASTS_MS), timeMs - END_MS - atMs)
      schedule.push({ fault: drawFault(pick(own, faults), own, scene), at_ms: Math.round(atMs), for_ms: Math.round(forMs) })
      atMs += forMs + between(own, RESTS_MS)
    }
  }
  schedule.sort((a, b) => a.at_ms - b.at_ms)
  refuseOverlaps(schedule)
  return schedule
}
