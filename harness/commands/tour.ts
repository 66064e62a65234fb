/**
 * `splitbrain tour`, which is `npm start`: the CAP trade-off, seen. The same workload and the same faults strike
 * three configurations of our own store, one after the other, so that none disturbs another's measurements.
 */
import path from 'node:path'
import type { Model } from '../../checker/verdict.ts'
import type { Schedule } from '../../nemesis/schedule.ts'
import { choose, type Command } from '../command.ts'
import { runConfigurations } from '../configurations.ts'
import { onInterrupt } from '../interrupt.ts'
import { driverNames, planDefaults, type Plan } from '../plan.ts'
import { realClock } from '../clock.ts'
import { makeDriver } from '../registry.ts'
import { createRunFolder } from '../run-folder.ts'
import { kvPresets } from '../systems.ts'
import { SEED_MAX } from './plan-options.ts'
import { reporterFrom, reporterOptions } from './reporters.ts'

/** The three corners that are worth seeing first. */
const PRESETS = ['abd', 'quorum', 'one'] as const

/** Everywhere; and the proxies of its links spread the messages of one operation further apart than network namespaces do, which is when `quorum` is seen to flicker. */
const DRIVER = 'process'

/** A slow node: by its links where the driver can delay them, by its processor otherwise. */
const SLOW_NODE = ['delay(one)', 'slow(one)'] as const

/**
 * A killed node that comes back from its disk, a slow node, a majority that crashes at once, a node that only one
 * other still sees, and a clean partition with clients on both sides. That one lasts until the clients stop, so that
 * what its heal alone repairs can be timed.
 */
function tourSchedule(slowNode: string): Schedule {
  return [
    { fault: 'kill(one)', at_ms: 500, for_ms: 1_000 },
    { fault: slowNode, at_ms: 2_000, for_ms: 1_500 },
    { fault: 'kill(majority)', at_ms: 4_200, for_ms: 1_500 },
    { fault: 'partition(partial)', at_ms: 6_700, for_ms: 3_300 },
    { fault: 'partition(majority-minority)', at_ms: 11_000, for_ms: 4_000 },
  ]
}
const TITLE = 'The CAP trade-off, observed'
const TIME_MS = 15_000
const RATE = 1_000
const CLIENTS = 20
const DEFAULT_SEED = 1

/** What is widely believed of a preset beyond its promise: the tour judges it by that, to show what becomes of the belief. */
const BELIEFS: Readonly<Record<string, Model>> = { quorum: 'linearizable' }

function tourPlan(preset: string, driver: Plan['driver'], seed: number, schedule: Schedule): Plan {
  return { ...planDefaults, schema: 'splitbrain-plan/1', name: 'tour', preset, driver, seed, clients: CLIENTS, time_ms: TIME_MS, rate: RATE, schedule, ...(BELIEFS[preset] === undefined ? {} : { expect: BELIEFS[preset] }) }
}

async function scheduleFor(driver: Plan['driver']): Promise<Schedule> {
  const report = await (await makeDriver({ driver }, realClock())).capabilities()
  return tourSchedule(report.delay.available ? SLOW_NODE[0] : SLOW_NODE[1])
}

export const tourCommand: Command = {
  name: 'tour',
  arguments: [],
  describes: 'Shows the CAP trade-off in under a minute: the same faults against three configurations of our store. This is npm start.',
  options: {
    driver: { value: 'NAME', describes: `where nodes run: ${driverNames.join(', ')}`, default: DRIVER },
    seed: { value: 'N', describes: 'what chance decides: targets, keys, order', default: String(DEFAULT_SEED) },
    ...reporterOptions,
  },
  notes: () => ['Configurations:', ...kvPresets.filter((p) => PRESETS.some((name) => name === p.name)).map((p) => `  ${p.name.padEnd(8)}${p.promise}`)],
  async execute(args) {
    const named = args.text('driver')
    const driver = choose('driver', named ?? DRIVER, driverNames)
    const seed = args.integer('seed', { min: 0, max: SEED_MAX }) ?? DEFAULT_SEED
    const startedMs = Date.now()
    const dir = await createRunFolder('tour', startedMs)
    const reporter = reporterFrom(args, TITLE)
    const interrupt = onInterrupt((message) => reporter.on({ type: 'warning', run: 'tour', message }))
    const repeat = `npm start --${named === undefined ? '' : ` --driver ${driver}`} --seed ${seed}`
    const started = new Date(startedMs).toISOString()
    for (const preset of PRESETS) reporter.on({ type: 'announce', run: preset, describes: kvPresets.find((p) => p.name === preset)!.promise })
    const schedule = await scheduleFor(driver)
    try {
      const planned = PRESETS.map((preset) => ({ name: preset, plan: tourPlan(preset, driver, seed, schedule) }))
      const { report } = await runConfigurations(planned, { dir, title: TITLE, reporter, signal: interrupt.signal, repeat, started })
      reporter.on({ type: 'end', report: path.relative(process.cwd(), report), repeat, elapsed_ms: Date.now() - startedMs })
      return 0
    } finally {
      interrupt.dispose()
    }
  },
}
