/**
 * How faults are written: `name`, `name(VARIANT)`, `name(VARIANT,key=value)`, where a variant may have parentheses of
 * its own, as in `kill(replicas-of(k1))`. One notation for the command line, schedule files and histories.
 */
import type { CapabilityReport } from '../cluster/cluster.ts'
import { faults } from './index.ts'
import type { Fault, ParameterValues } from './fault.ts'
import { isSelector, selectorProblem, type Scene } from './targets.ts'

/** A nemesis that cannot be understood; the sentence says what is wrong and what there is instead. */
export class ScheduleError extends Error {
  readonly code = 'BAD_NEMESIS'
}

/** Splits `a(b,c),d` at the commas that stand outside all parentheses. */
export function splitList(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (at === text.length || (text[at] === ',' && depth === 0)) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  if (depth !== 0) throw new ScheduleError(`The parentheses of "${text}" do not match.`)
  return parts.filter((part) => part !== '')
}

/** The parts of `name(a,b)`: a name and what stands in parentheses, undefined without any. */
export function parseCall(text: string): { readonly name: string; readonly inside: string | undefined } | undefined {
  const match = /^([a-z-]+)(?:\((.*)\))?$/s.exec(text)
  return match ? { name: match[1]!, inside: match[2] } : undefined
}

/** A fault as it was written, with everything filled in that was left out. */
export interface ResolvedFault {
  readonly fault: Fault
  readonly variant: string
  readonly parameters: ParameterValues
}

/** The fault that `text` names. Throws ScheduleError with the choices. */
export function resolveFault(text: string): ResolvedFault {
  const call = parseCall(text)
  const fault = call ? faults.get(call.name) : undefined
  if (!call || !fault) throw new ScheduleError(`There is no fault "${text}"; choose from ${[...faults.keys()].join(', ')}.`)
  const parts = splitList(call.inside ?? '')
  const settings = parts.filter((part) => /^[a-z_]+=/.test(part))
  const [variant = fault.variants[0]!, ...more] = parts.filter((part) => !settings.includes(part))
  if (more.length > 0) throw new ScheduleError(`"${fault.name}" takes one variant, not ${more.length + 1} ("${text}"); settings are written as name=value.`)
  if (!fault.variants.includes(variant) && !(fault.selects && isSelector(variant))) {
    throw new ScheduleError(`"${fault.name}" has no variant "${variant}"; choose from ${fault.variants.join(', ')}${fault.selects ? ', or name nodes as in n1+n3' : ''}.`)
  }
  return { fault, variant, parameters: parametersOf(fault, settings) }
}

/** Why a fault's variant cannot strike in this scene, in one sentence; undefined when it can. Asks nobody: call it before a run. */
export function strikeProblem({ fault, variant }: Pick<ResolvedFault, 'fault' | 'variant'>, scene: Scene): string | undefined {
  if (fault.problem) return fault.problem(variant, scene)
  return fault.selects ? selectorProblem(variant, scene) : undefined
}

/** Why a fault cannot be carried out by a driver with this report in this scene, in one sentence; undefined when it can. */
export function impossibility(struck: Pick<ResolvedFault, 'fault' | 'variant'>, report: CapabilityReport, scene: Scene): string | undefined {
  for (const capability of struck.fault.needs) {
    const { available, reason, ofSystem } = report[capability]
    if (!available) return `${capability} is not available (${reason})`
    if (ofSystem !== undefined && scene.system[ofSystem] === undefined) return `this system does not let a tester spoil the ${ofSystem} of its nodes, and this driver cannot do it by itself`
  }
  return strikeProblem(struck, scene)
}

function parametersOf(fault: Fault, settings: readonly string[]): ParameterValues {
  const known = fault.parameters ?? {}
  const values = Object.fromEntries(Object.entries(known).map(([name, parameter]) => [name, parameter.default]))
  for (const setting of settings) {
    const [name = '', text = ''] = setting.split(/=(.*)/s)
    const parameter = known[name]
    if (parameter === undefined) throw new ScheduleError(`"${fault.name}" has no setting "${name}"; ${Object.keys(known).length === 0 ? 'it has none' : `choose from ${Object.keys(known).join(', ')}`}.`)
    if ('choices' in parameter) {
      if (!parameter.choices.includes(text)) throw new ScheduleError(`"${setting}": ${fault.name} knows ${name} as ${parameter.choices.join(', ')}.`)
      values[name] = text
    } else {
      const value = Number(text)
      if (text === '' || !(value >= parameter.min && value <= parameter.max)) throw new ScheduleError(`"${setting}": ${name} of ${fault.name} is a number from ${parameter.min} to ${parameter.max} (${parameter.describes}).`)
      values[name] = value
    }
  }
  return values
}

/** How a resolved fault is written: the variant always, settings where they differ from their defaults. */
export function faultText({ fault, variant, parameters }: ResolvedFault): string {
  const settings = Object.entries(parameters).filter(([name, value]) => value !== fault.parameters?.[name]?.default)
  return `${fault.name}(${[variant, ...settings.map(([name, value]) => `${name}=${value}`)].join(',')})`
}
