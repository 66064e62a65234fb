/**
 * `splitbrain doctor`: what this machine can do. Which faults each driver can inject here, how, or why not; and the
 * parts of the machine that this hangs on. Everything is tried, nothing is assumed.
 */
import { execa } from 'execa'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { connectEngines } from '../cluster/drivers/docker/engine.ts'
import { capabilities, type Capability, type CapabilityReport, type Driver } from '../cluster/cluster.ts'

/** One part of the machine. */
export interface MachineCheck {
  readonly name: string
  readonly available: boolean
  /** What was found, or what is missing and what that costs. */
  readonly finding: string
}

/** One driver's column of the matrix. */
export interface DriverCheck {
  readonly name: string
  /** Undefined when the driver could not even be asked. */
  readonly capabilities: CapabilityReport | undefined
  readonly error: string | undefined
}

/** What the doctor found. */
export interface DoctorReport {
  readonly machine: readonly MachineCheck[]
  readonly drivers: readonly DriverCheck[]
}

const PATIENCE_MS = 5_000

const sentence = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error))

function checkNode(): MachineCheck {
  return { name: 'Node', available: true, finding: `${process.versions.node}, ${process.platform} ${process.arch}` }
}

async function checkEngines(hosts: readonly string[] | undefined): Promise<MachineCheck> {
  const name = 'Docker'
  try {
    const engines = await connectEngines(hosts)
    for (const engine of engines) engine.close()
    return { name, available: true, finding: engines.map(({ kind, version, name: where }) => `${kind} ${version} at ${where}`).join(', ') }
  } catch (error) {
    return { name, available: false, finding: sentence(error) }
  }
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function onPath(program: string): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program))
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function checkChromium(): MachineCheck {
  const found = browsers.map(onPath).find((place) => place !== undefined)
  return {
    name: 'Chromium',
    available: found !== undefined,
    finding: found ?? 'not on the PATH: the tests of the HTML report are skipped; reports themselves open in any browser',
  }
}

async function checkUserNamespaces(): Promise<MachineCheck> {
  const name = 'User namespaces'
  if (process.platform !== 'linux') return { name, available: false, finding: 'only Linux has them' }
  const result = await execa({ reject: false, timeout: PATIENCE_MS, stdin: 'ignore' })`unshare --user --map-root-user --net true`
  if (result.exitCode === 0) return { name, available: true, finding: 'may be made without root, each with a network of its own' }
  return { name, available: false, finding: `may not be made here (${result.stderr.trim() || result.shortMessage})` }
}

async function checkDriver(driver: Driver): Promise<DriverCheck> {
  try {
    return { name: driver.name, capabilities: await driver.capabilities(), error: undefined }
  } catch (error) {
    return { name: driver.name, capabilities: undefined, error: sentence(error) }
  }
}

/** Examines the machine and asks every driver what it can do on it; `hosts`: container engines to look at instead of the usual one. Never rejects for what it finds. */
export async function doctor(drivers: readonly Driver[], hosts?: readonly string[]): Promise<DoctorReport> {
  const [docker, namespaces, ...columns] = await Promise.all([checkEngines(hosts), checkUserNamespaces(), ...drivers.map(checkDriver)])
  return { machine: [checkNode(), docker, checkChromium(), namespaces], drivers: columns }
}

/** Capabilities with the same reason on one line. */
function reasonLines({ name, capabilities: found, error }: DriverCheck): string[] {
  if (found === undefined) return [`${name}: nothing can be said (${error})`]
  const byReason = new Map<string, Capability[]>()
  for (const capability of capabilities) {
    const { available, reason } = found[capability]
    const key = `${available ? 'yes' : 'no '}  ${reason}`
    byReason.set(key, [...(byReason.get(key) ?? []), capability])
  }
  return [`${name}:`, ...[...byReason].map(([reason, names]) => `  ${reason}  (${names.join(', ')})`)]
}

/** The report in lines for a terminal: the machine, the matrix of drivers and capabilities, and the reasons. */
export function doctorLines({ machine, drivers }: DoctorReport): string[] {
  const nameWidth = Math.max(...machine.map(({ name }) => name.length), ...capabilities.map((name) => name.length)) + 2
  const widths = drivers.map(({ name }) => Math.max(name.length, 3) + 2)
  const row = (name: string, cells: readonly string[]): string => `${name.padEnd(nameWidth)}${cells.map((cell, i) => cell.padEnd(widths[i]!)).join('')}`.trimEnd()
  return [
    'This machine',
    ...machine.map(({ name, available, finding }) => `${name.padEnd(nameWidth)}${available ? 'yes' : 'no '}  ${finding}`),
    '',
    row('Capability', drivers.map(({ name }) => name)),
    ...capabilities.map((capability) => row(capability, drivers.map(({ capabilities: found }) => (found?.[capability].available ? 'yes' : 'no')))),
    '',
    'How, and why not',
    ...drivers.flatMap(reasonLines),
  ]
}
