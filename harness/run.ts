/**
 * One run, from an empty folder to a verdict: set up, drive, heal, quiesce, read every replica, tear down, judge,
 * report. Each stage leaves its result in the run's folder before the next begins, so that a crash in a later one
 * costs nothing, and `check` and `report` can go on from there.
 */
import path from 'node:path'
import { History, type Event } from '../checker/history/index.ts'
import { faultWindows } from '../checker/faults.ts'
import { judge } from '../checker/judge.ts'
import type { RunDescription, VerdictDocument } from '../checker/verdict.ts'
import type { Cluster, Driver } from '../cluster/cluster.ts'
import { untilReady } from '../cluster/drivers/answers.ts'
import type { Client, System } from '../cluster/system.ts'
import { Nemesis, nemesisGenerator } from '../nemesis/nemesis.ts'
import { resolveFault } from '../nemesis/notation.ts'
import { scheduleFile } from '../nemesis/schedule-file.ts'
import type { RunEvent } from '../reports/events.ts'
import type { Workload } from '../workloads/workload.ts'
import { realClock, sleep, startingNow, VirtualClock } from './clock.ts'
import type { Clock, Log, NodeId } from './env.ts'
import { watchDelays } from './delays.ts'
import { failFast } from './fail-fast.ts'
import { any, clients, timeLimit } from './generator/index.ts'
import { judgementsBeside } from './extra-judgements.ts'
import { interpret, type Progress } from './interpreter.ts'
import { Observer } from './observer.ts'
import { nodeIds, spareIds, zonesOf, type Plan } from './plan.ts'
import { judgementsIn, losesWrites, promisedIn } from './promise.ts'
import { seededRandom } from './random.ts'
import { openRecorder } from './recorder.ts'
import { makeDriver, makeWorkload } from './registry.ts'
import { saveEnvironment } from './report-files.ts'
import { clusterId, saveJson } from './run-folder.ts'
import { makeSystem } from './systems.ts'
import { version } from './version.ts'

/** A client rests this long after an operation that was not ok, so that a node that refuses at once does not fill the history. */
const REST_AFTER_FAILURE_MS = 20

/** With fewer successful operations than this a run has tested nothing. */
const OK_MIN = 20

/** How long a cluster may take to serve when all its nodes answer. */
const READY_DEADLINE_MS = 30_000

/** How a run reports on itself while it goes on, and how it is stopped. */
export interface RunOptions {
  /** The run's folder; it exists. */
  readonly dir: string
  /** What the live display calls this run. */
  readonly label: string
  readonly emit: (event: RunEvent) => void
  /** Stops the clients; what was recorded until then is judged. */
  readonly signal?: AbortSignal
  /** Stops the clients at the first violation of the promise. */
  readonly failFast?: boolean
  /** The command that repeats the run. */
  readonly repeat: string
  /** ISO 8601. */
  readonly started: string
}

/** What a run leaves behind in memory; the same stands in its folder. */
export interface RunResult {
  readonly document: VerdictDocument
  readonly history: History
}

/** The parts of a run that live exactly as long as its cluster. */
interface Stage {
  readonly plan: Plan
  readonly options: RunOptions
  readonly workload: Workload
  readonly system: System
  readonly driver: Driver
  /** The clock that everything in the cluster lives by: the machine's, or the simulator's. */
  readonly clock: Clock
  readonly history: History
  readonly record: (event: Event) => void
  /** Stops the clients. */
  readonly stop: AbortSignal | undefined
}

/** Carries out a plan. Rejects only when there is nothing to judge: bad plan, or a cluster that did not start. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<RunResult> {
  const virtual = plan.driver === 'sim' ? new VirtualClock() : undefined
  const clock = virtual ?? realClock()
  const system = await makeSystem(plan)
  const driver = await makeDriver(plan, clock)
  await saveJson(options.dir, 'plan.json', plan)
  await saveJson(options.dir, 'faults.json', scheduleFile(plan.schedule, plan.seed))

  const workload = await makeWorkload(plan.workload, system)
  const watcher = options.failFast === true ? failFast(workload.judgements, promisedIn(plan, system, workload), (message) => options.emit({ type: 'warning', run: options.label, message })) : undefined
  const history = new History()
  const recorder = openRecorder(path.join(options.dir, 'history.jsonl'), history)
  let last = -1
  const record = (event: Event): void => {
    // One thread sees every event, so the order in which it sees them is real; equal times would call neighbours
    // concurrent. What the observer read of all keys at once keeps its one time.
    last = Math.max(event.time, event.process === 'observer' ? last : last + 1)
    const timed = event.time === last ? event : { ...event, time: last }
    recorder.record(timed)
    watcher?.push(timed)
    if (event.process === 'nemesis' && event.type !== 'invoke') tellFault(options, event)
  }
  const stop = watcher === undefined ? options.signal : AbortSignal.any([watcher.signal, ...(options.signal ? [options.signal] : [])])
  const stage: Stage = { plan, options, workload, system, driver, clock, history, record, stop }
  const within = <T>(main: () => Promise<T>): Promise<T> => (virtual ? virtual.run(main) : main())
  let cluster: Cluster | undefined
  try {
    options.emit({ type: 'phase', run: options.label, phase: 'start', left_ms: null })
    cluster = await within(() => startCluster(stage))
    const started = cluster
    await within(async () => {
      await untilReady(system, started, READY_DEADLINE_MS)
      await drive(stage, started)
    })
  } finally {
    await recorder.close()
    if (cluster) await tearDown(cluster, options)
  }
  return { document: await judgeRun(plan, history, options), history }
}

/** A process's client: it carries out the workload's operations, on its own node or the one that an operation names. */
function clientOf({ invoke }: Workload, home: NodeId, open: (node: NodeId) => Client): Client {
  const opened = new Map<NodeId, Client>()
  const on = (node: NodeId): Client => {
    const client = opened.get(node) ?? open(node)
    opened.set(node, client)
    return client
  }
  return {
    invoke: (operation) => {
      const client = on(operation.node ?? home)
      return invoke === undefined ? client.invoke(operation) : invoke(client, operation)
    },
    close: () => opened.forEach((client) => client.close()),
  }
}

/** What drivers want a person to know goes to the display, not into the run's data. */
function displayLog({ emit, label }: RunOptions): Log {
  const warn = (message: string): void => emit({ type: 'warning', run: label, message })
  return { info: () => undefined, warn, error: warn }
}

/** Shows an injection or a heal with what was observed. */
function tellFault({ emit, label }: RunOptions, event: Event): void {
  // A completion that the nemesis did not give itself, because it took too long, has no evidence.
  const { fault, evidence = `nobody knows what came of it (${event.error ?? 'no answer'})` } = event.value as { fault: string; evidence?: string }
  emit({ type: 'fault', run: label, fault, action: event.f === 'inject' ? 'inject' : 'heal', seen: event.type === 'ok', evidence, time_ns: event.time })
}

function startCluster({ plan, options, system, driver }: Stage): Promise<Cluster> {
  return driver.start(system, {
    runId: clusterId(options.dir, plan),
    nodes: nodeIds(plan),
    spares: spareIds(plan),
    needs: [...new Set(plan.schedule.flatMap(({ fault }) => resolveFault(fault).fault.needs))],
    dir: options.dir,
    seed: plan.seed,
    random: seededRandom(plan.seed).fork('driver'),
    log: displayLog(options),
  })
}

/** Everything between a started cluster and its end, on the cluster's own clock. */
async function drive(stage: Stage, cluster: Cluster): Promise<void> {
  const { plan, options, workload, system, record, stop } = stage
  const random = seededRandom(plan.seed)
  const clock = startingNow(stage.clock)
  saveEnvironment(options.dir, clock)
  const nemesis = new Nemesis({ cluster, system, zones: zonesOf(plan), random: random.fork('nemesis') })
  const workloadOptions = { random: random.fork('workload'), clients: plan.clients, nodes: nodeIds(plan), ...(plan.rate === null ? {} : { rate: plan.rate }) }
  const observer = new Observer({ cluster, system, keys: workload.keys(workloadOptions), now: clock.now, record })

  const clientsOf = {
    clock,
    threads: plan.clients,
    nodes: nodeIds(plan),
    openClient: (_thread: number, node: NodeId) => clientOf(workload, node, (one) => system.client(cluster, one, { deadlineMs: plan.op_timeout_ms })),
    opTimeoutMs: plan.op_timeout_ms,
    restAfterFailureMs: REST_AFTER_FAILURE_MS,
    record,
    ...(stop ? { signal: stop } : {}),
  }

  options.emit({ type: 'phase', run: options.label, phase: 'drive', left_ms: plan.time_ms })
  const working = new AbortController()
  const watching = observer.watch(plan.sample_ms, working.signal)
  // What goes wrong there is met when it is waited for, at the end; until then nobody need catch it.
  watching.catch(() => undefined)
  // The simulator draws its delays itself: measuring them would only shift its chance.
  const measuring = plan.driver === 'sim' ? undefined : watchDelays(cluster, system, plan.time_ms, working.signal)
  try {
    await interpret({
      ...clientsOf,
      generator: any(clients(timeLimit(plan.time_ms, workload.generator(workloadOptions))), nemesisGenerator(plan.schedule)),
      random: random.fork('generator'),
      nemesis: (op) => nemesis.invoke(op),
      onProgress: tellProgress(stage, nemesis),
    })
  } finally {
    working.abort()
    await watching
  }
  const delays = await measuring
  if (delays !== undefined) record({ time: clock.now(), process: 'observer', type: 'ok', f: 'delays', value: delays })

  options.emit({ type: 'phase', run: options.label, phase: 'heal', left_ms: null })
  await healAll(nemesis, stage.history, clock, record)
  options.emit({ type: 'phase', run: options.label, phase: 'final reads', left_ms: plan.converge_timeout_ms })
  await observer.converge(plan.converge_timeout_ms, stop)
  if (workload.final) {
    if (system.cachedMs !== undefined) await sleep(clock, system.cachedMs, stop).catch(() => undefined)
    await interpret({ ...clientsOf, generator: clients(workload.final(workloadOptions)), random: random.fork('final'), firstProcess: processesOf(stage.history) })
    // Draining changes what replicas hold: they are looked at once more.
    await observer.converge(plan.converge_timeout_ms, stop)
  }
  await observer.counters()
  // What it was to show it has not shown. (A run that fails fast has.)
  if (options.signal?.aborted === true) record({ time: clock.now(), process: 'observer', type: 'info', f: 'interrupted' })
}

/** How many process numbers are used up. */
function processesOf({ process, length }: History): number {
  let largest = -1
  for (let row = 0; row < length; row++) largest = Math.max(largest, process[row]!)
  return largest + 1
}

/** Heals what the history does not say is healed: an interrupted schedule left it injected, or its heal took so long that nobody waited for it. Twice, as one may have to wait for another. */
async function healAll(nemesis: Nemesis, history: History, clock: Clock, record: (event: Event) => void): Promise<void> {
  await nemesis.settled()
  for (let round = 0; round < 2; round++) {
    for (const { id, fault } of faultWindows(history).filter(({ healed_ns }) => healed_ns === null)) {
      record({ time: clock.now(), process: 'nemesis', type: 'invoke', f: 'heal', value: { id, fault } })
      const completion = await nemesis.invoke({ f: 'heal', value: { id, fault } })
      record({ time: clock.now(), process: 'nemesis', f: 'heal', type: completion.type, value: completion.value ?? null })
    }
  }
}

/** Tells the display how far the run is. */
function tellProgress({ plan, options }: Stage, nemesis: Nemesis): (progress: Progress) => void {
  let before = { operations: 0, time: 0 }
  return ({ time, invoked }) => {
    const rate = time > before.time ? ((invoked - before.operations) / (time - before.time)) * 1e9 : 0
    const fault = nemesis.active.join(', ') || null
    options.emit({ type: 'progress', run: options.label, operations: invoked, rate, fault, left_ms: Math.max(0, plan.time_ms - time / 1e6) })
    before = { operations: invoked, time }
  }
}

/** A teardown that fails never loses the verdict. */
async function tearDown(cluster: Cluster, options: RunOptions): Promise<void> {
  options.emit({ type: 'phase', run: options.label, phase: 'stop', left_ms: null })
  try {
    await cluster.collectLogs(path.join(options.dir, 'nodes'))
    await cluster.stop()
  } catch (error) {
    options.emit({ type: 'warning', run: options.label, message: `not everything was removed: ${(error as Error).message}; splitbrain clean removes the rest` })
  }
}

/**
 * Judges a history by what the plan asks for, or else what its system promised, and saves `verdict.json`. What takes longer than its time limit on
 * `clock` is unknown: the machine's own, whatever the cluster lived by, because judging takes the machine's time.
 */
export async function judgeRun(plan: Plan, history: History, options: Pick<RunOptions, 'dir' | 'label' | 'emit' | 'repeat' | 'started'>, clock: Clock = realClock()): Promise<VerdictDocument> {
  options.emit({ type: 'phase', run: options.label, phase: 'judge', left_ms: null })
  const begun = clock.now()
  const system = await makeSystem(plan)
  const workload = await makeWorkload(plan.workload, system)
  const document = await judge(history, {
    run: describeRun(plan, options),
    promised: promisedIn(plan, system, workload),
    expected: plan.expect !== undefined,
    losesWrites: losesWrites(system, plan),
    judgements: [...judgementsIn(plan, system, workload), ...(await judgementsBeside(plan, options.dir))],
    okMin: OK_MIN,
    timeLimitMs: 60_000,
    memoryLimitMb: 2_048,
    onJudgement: (what, done, total) => options.emit({ type: 'step', run: options.label, what, done, total, left_ms: done === 0 ? null : ((clock.now() - begun) / 1e6 / done) * (total - done) }),
    elapsedMs: () => clock.now() / 1e6,
  })
  await saveJson(options.dir, 'verdict.json', document)
  options.emit({ type: 'verdict', run: options.label, document })
  return document
}

function describeRun(plan: Plan, { repeat, started }: Pick<RunOptions, 'repeat' | 'started'>): RunDescription {
  return {
    name: plan.name,
    started,
    system: plan.system,
    preset: plan.preset,
    workload: plan.workload,
    driver: plan.driver,
    nodes: nodeIds(plan),
    clients: plan.clients,
    time_ms: plan.time_ms,
    seed: plan.seed,
    version,
    repeat,
  }
}
