/**
 * The options that say what to run, shared by `run` and the tour, and how they become a plan.
 */
import { models } from '../../checker/verdict.ts'
import { bugNames } from '../../cluster/kv/bugs.ts'
import { idleChoices, parseChoices, parseNodeConfig, type Choices, type NodeOptions } from '../../cluster/kv/config.ts'
import { findPreset, presetConfigs } from '../../cluster/kv/presets.ts'
import type { Arguments, Option } from '../command.ts'
import { choose } from '../command.ts'
import { configurationName, driverNames, nodeIds, planDefaults, type Plan } from '../plan.ts'
import { defaultDriver } from '../registry.ts'
import { readPlan } from '../run-folder.ts'
import { faults } from '../../nemesis/index.ts'
import { parseDuration, type Schedule } from '../../nemesis/schedule.ts'
import { resolveFault } from '../../nemesis/notation.ts'
import { refuseOverlaps, refuseTooLate } from '../../nemesis/schedule-file.ts'
import { selectorNames } from '../../nemesis/targets.ts'
import { kindOf, workloadKinds } from '../../workloads/index.ts'
import { systemFamilies, systemFamily } from '../systems.ts'
import { containerOptions, containersFrom, refuseWithoutContainers } from './container-options.ts'
import { nemesisFrom, readScheduleFile } from './nemesis-options.ts'
import { extraJudgements } from '../extra-judgements.ts'
import { UsageError } from '../usage-error.ts'
import { loadWorkloadFile } from '../workload-file.ts'
import { withoutReporter } from './reporters.ts'

/** What `defaultDriver` chooses, in words for the help. */
const DEFAULT_DRIVER = 'netns, or process where this machine allows no network namespaces'

/** The largest seed. */
export const SEED_MAX = 0x7fffffff

/**
 * Operations per virtual second in the simulator. There answers come as fast as the processor allows, so that a closed
 * loop would only make runs long: faults, not load, are what a simulated run explores.
 */
const SIM_RATE = 100

/** Changes single choices of a preset of our own store. */
export const setOption: Option = { value: 'LIST', describes: "choices of our own store that differ from the preset's: NAME=VALUE,...; cluster/kv/README.md lists them", default: 'none' }

/** What `--set` and `--replicas` say. Throws UsageError. */
export function choicesOf(args: Arguments): Choices | undefined {
  const text = args.text('set')
  const replicas = args.integer('replicas', { min: 1, max: 99 })
  if (text === undefined && replicas === undefined) return undefined
  return { ...(text === undefined ? {} : orUsageError('--set', () => parseChoices(text))), ...(replicas === undefined ? {} : { replicas }) }
}

/** Throws UsageError where the choices (--set, --replicas) do not go with the rest of the preset, or with so few nodes, or change nothing. */
export function checkChoices(preset: string, ids: readonly string[], choices: Partial<NodeOptions>): void {
  const said = `Preset ${preset} with ${ids.length} nodes`
  const config = orUsageError(said, () => parseNodeConfig(presetConfigs(findPreset(preset), ids, 'none', choices)[0]))
  const [idle] = idleChoices(choices, config)
  if (idle !== undefined) throw new UsageError(`${said}: ${idle}.`)
}

function orUsageError<T>(said: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw new UsageError(`${said}: ${(error as Error).message}.`)
  }
}

/** The options of `splitbrain run`. */
export const planOptions: Readonly<Record<string, Option>> = {
  system: { value: 'NAME', describes: `the store under test: ${systemFamilies.map(({ name }) => name).join(', ')}, or a file of your own, ./my-store.ts (splitbrain init writes one)`, default: planDefaults.system },
  preset: { value: 'NAME', describes: 'configuration of the store under test', default: `${planDefaults.preset}; of other systems their first` },
  workload: { value: 'NAME', describes: 'what clients do, with options as in register(keys=10); splitbrain workloads lists them; or a file of your own, ./my-workload.ts', default: planDefaults.workload },
  nemesis: { value: 'LIST', describes: 'faults that take turns, faults with a rhythm (partition(one),every=10s,for=5s), all, swarm, or none', default: 'partition' },
  schedule: { value: 'FILE', describes: "faults from a file, as every run writes one: its folder's faults.json" },
  driver: { value: 'NAME', describes: `where nodes run: ${driverNames.join(', ')}`, default: DEFAULT_DRIVER },
  ...containerOptions,
  nodes: { value: 'N', describes: 'nodes', default: String(planDefaults.nodes) },
  spares: { value: 'N', describes: 'machines that are prepared and may join', default: '0; 1 when a fault changes the members' },
  clients: { value: 'N', describes: 'client threads, bound to the nodes in turn', default: String(planDefaults.clients) },
  rate: { value: 'N', describes: 'operations per second over all clients', default: `as fast as answers come; ${SIM_RATE} in the simulator` },
  time: { value: 'TIME', describes: 'how long clients work', default: '20s' },
  'op-timeout': { value: 'TIME', describes: 'an operation without an answer by then is of unknown outcome', default: '1s' },
  seed: { value: 'N', describes: 'what chance decides: targets, keys, order', default: 'drawn anew' },
  slo: { value: 'LIST', describes: 'objectives that the run must meet: p99.9<300ms, read:p99<50ms, availability>99%' },
  'log-pattern': { value: 'REGEX', describes: "a line of a node's log that matches breaks the promise", default: 'panics and corruption are told only' },
  expect: { value: 'MODEL', describes: 'judge against this model (splitbrain models lists them)', default: 'what the system promises' },
  dcs: { value: 'N', describes: 'data centers, to which nodes are dealt out in turn', default: String(planDefaults.dcs) },
  racks: { value: 'N', describes: 'racks of each data center', default: String(planDefaults.racks) },
  replicas: { value: 'N', describes: 'nodes of our own store that hold each key', default: "the preset's" },
  set: setOption,
  bug: { value: 'LIST', describes: 'plants known mistakes in our own store, to test the harness with', default: 'none' },
  name: { value: 'NAME', describes: 'the run goes to runs/NAME/', default: 'PRESET-WORKLOAD or SYSTEM-WORKLOAD' },
  plan: { value: 'FILE', describes: "repeat a run's plan.json; the other options then change it" },
}

/** What can stand for NAME and LIST. */
export function planNotes(): string[] {
  const width = Math.max(...systemFamilies.flatMap(({ presets }) => presets.map(({ name }) => name.length)))
  return [
    ...systemFamilies.flatMap(({ name: system, presets }) => [`Presets of ${system}:`, ...presets.map(({ name, promise }) => `  ${name.padEnd(width)}  ${promise}`)]),
    `Workloads: ${workloadKinds.map(({ name }) => name).join(', ')}`,
    'Faults:',
    ...faultLines(),
    `Planted bugs: ${bugNames.join(', ')}`,
    'Several faults as one: parallel(partition,kill), sequence(kill,pause), alternate(kill,pause), mix(kill,pause).',
    'all: every fault that the driver can carry out here. swarm: a mix of them that the seed draws, and how hard and how often.',
    `TARGETS: ${selectorNames.join(', ')}`,
  ]
}

/** A line for each fault: variants that are no selectors, settings with their defaults. */
function faultLines(): string[] {
  return [...faults.values()].map(({ name, variants, selects, parameters = {}, describes }) => {
    const named = selects ? [...variants.filter((variant) => !selectorNames.includes(variant)), 'TARGETS'] : variants
    const settings = Object.entries(parameters).map(([key, parameter]) => `,${key}=${parameter.default}`)
    return `  ${name}(${named.join('|')}${settings.join('')})  ${describes}`
  })
}

/** Reads a plan from the command line. `tell` hears what a person should know about it. Throws UsageError, ScheduleError or WorkloadError. */
export async function planFrom(args: Arguments, tell: (message: string) => void = () => undefined): Promise<Plan> {
  const planFile = args.text('plan')
  const base = planFile === undefined ? undefined : await readPlan(planFile)
  const family = await systemFamily(args.text('system') ?? base?.system ?? planDefaults.system)
  const ofBase = base?.system === family.name ? base.preset : undefined
  const preset = choose('preset', args.text('preset') ?? ofBase ?? family.defaultPreset, family.presets.map(({ name }) => name))
  const system = family.make(preset)
  const workload = args.text('workload') ?? base?.workload ?? planDefaults.workload
  await loadWorkloadFile(workload)
  const timeMs = args.text('time') === undefined ? base?.time_ms ?? planDefaults.time_ms : parseDuration(args.text('time')!)
  const driver = choose('driver', args.text('driver') ?? base?.driver ?? (await driverByDefault(tell)), driverNames)
  refuseWithoutContainers(args, driver)
  const containers = driver === 'docker' ? containersFrom(args, base?.containers) : undefined
  const file = args.text('schedule') === undefined ? undefined : await readScheduleFile(args.text('schedule')!)
  if (file !== undefined && args.text('nemesis') !== undefined) throw new UsageError('--nemesis and --schedule both say which faults strike; give one of them.')
  const expect = args.text('expect') === undefined ? base?.expect : choose('model', args.text('expect')!, models)
  const bugs = (args.text('bug')?.split(',') ?? base?.bugs)?.map((name) => choose('bug', name, bugNames))
  const options = choicesOf(args) ?? base?.options
  const slo = args.text('slo') ?? base?.slo
  const logPattern = args.text('log-pattern') ?? base?.log_pattern
  extraJudgements({ slo, log_pattern: logPattern })
  const plan: Plan = {
    schema: 'splitbrain-plan/1',
    name: checkName(args.text('name') ?? base?.name ?? `${configurationName({ system: family.name, preset })}-${kindOf(workload).name}`),
    system: family.name,
    preset,
    workload,
    driver,
    ...(containers === undefined ? {} : { containers }),
    nodes: args.integer('nodes', { min: 1, max: 99 }) ?? base?.nodes ?? planDefaults.nodes,
    clients: args.integer('clients', { min: 1, max: 10_000 }) ?? base?.clients ?? planDefaults.clients,
    rate: args.integer('rate', { min: 1, max: 10_000_000 }) ?? base?.rate ?? (driver === 'sim' ? SIM_RATE : planDefaults.rate),
    time_ms: positive('time', timeMs),
    op_timeout_ms: args.text('op-timeout') === undefined ? base?.op_timeout_ms ?? planDefaults.op_timeout_ms : positive('op-timeout', parseDuration(args.text('op-timeout')!)),
    converge_timeout_ms: base?.converge_timeout_ms ?? system.settleMs ?? planDefaults.converge_timeout_ms,
    sample_ms: base?.sample_ms ?? planDefaults.sample_ms,
    seed: args.integer('seed', { min: 0, max: SEED_MAX }) ?? file?.seed ?? base?.seed ?? freshSeed(),
    dcs: args.integer('dcs', { min: 1, max: 99 }) ?? base?.dcs ?? planDefaults.dcs,
    racks: args.integer('racks', { min: 1, max: 99 }) ?? base?.racks ?? planDefaults.racks,
    spares: base?.spares ?? planDefaults.spares,
    schedule: file?.faults ?? base?.schedule ?? [],
    ...(options === undefined ? {} : { options }),
    ...(bugs === undefined || bugs.length === 0 ? {} : { bugs }),
    ...(expect === undefined ? {} : { expect }),
    ...(slo === undefined ? {} : { slo }),
    ...(logPattern === undefined ? {} : { log_pattern: logPattern }),
  }
  if (options !== undefined && family.name === 'kv') checkChoices(preset, nodeIds(plan), options)
  const schedule = await scheduleOf(plan, args.text('nemesis') ?? (file ?? base ? undefined : 'partition'))
  // Who joins must be there beforehand.
  const joins = schedule.some(({ fault }) => resolveFault(fault).fault.disturbs === 'membership')
  return { ...plan, schedule, spares: args.integer('spares', { min: 0, max: 20 }) ?? (joins ? Math.max(1, plan.spares) : plan.spares) }
}

async function driverByDefault(tell: (message: string) => void): Promise<Plan['driver']> {
  const { driver, instead } = await defaultDriver()
  if (instead !== undefined) tell(instead)
  return driver
}

/** The plan's own schedule, or the one that a nemesis makes for this plan. */
async function scheduleOf(plan: Plan, nemesis: string | undefined): Promise<Schedule> {
  const schedule = nemesis === undefined ? plan.schedule : await nemesisFrom(nemesis, plan)
  refuseOverlaps(schedule)
  refuseTooLate(schedule, plan.time_ms)
  return schedule
}

/** A seed for a run that nobody asked to repeat; it is printed and recorded. */
function freshSeed(): number {
  return Math.floor(Math.random() * 1_000_000)
}

function positive(option: string, ms: number): number {
  if (ms <= 0) throw new UsageError(`--${option} must be longer than 0.`)
  return ms
}

function checkName(name: string): string {
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name)) throw new UsageError(`--name "${name}" cannot be a folder's name; use letters, digits, dots, dashes and underscores.`)
  return name
}

/** The command that repeats a run: the same words, and the seed if it was drawn. */
export function repeatCommand(words: readonly string[], seed: number): string {
  const quoted = withoutReporter(words).map((word) => (/^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return ['npx splitbrain', ...quoted, ...(words.some((word) => /^--seed(=|$)/.test(word)) ? [] : ['--seed', String(seed)])].join(' ')
}
