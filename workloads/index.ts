/**
 * The workloads by name, and how `--workload` is read: a name, optionally with options in parentheses, as
 * `append(keys=10,ops-per-txn=4)`. The same text stands in `plan.json`.
 */
import type { z } from 'zod'
import type { System } from '../cluster/system.ts'
import { append } from './append.ts'
import { bank } from './bank.ts'
import { casRegister } from './cas-register.ts'
import { counter } from './counter.ts'
import { directoryChurn } from './directory-churn.ts'
import { lock } from './lock.ts'
import { longForkWorkload } from './long-fork.ts'
import { mixed } from './mixed.ts'
import { multiRegister } from './multi-register.ts'
import { queue } from './queue.ts'
import { register } from './register.ts'
import { registerDelete } from './register-delete.ts'
import { registerDup } from './register-dup.ts'
import { sessions } from './sessions.ts'
import { setDelete } from './set-delete.ts'
import { set } from './set.ts'
import { wr } from './wr.ts'
import type { Store, Workload, WorkloadKind } from './workload.ts'

/** Every kind of workload, in the order in which lists show them. */
export const workloadKinds: readonly WorkloadKind[] = [register, registerDup, registerDelete, casRegister, multiRegister, counter, set, setDelete, queue, bank, append, wr, longForkWorkload, sessions, lock, directoryChurn, mixed]

/** Workloads that users brought, by the path of their file. */
const broughtKinds = new Map<string, WorkloadKind>()

/** Makes a workload of the user's own known under its file's path. */
export function addWorkloadKind(file: string, kind: WorkloadKind): void {
  broughtKinds.set(file, kind)
}

/** A workload that cannot be understood or carried out; the sentence says what is wrong and what there is instead. */
export class WorkloadError extends Error {
  readonly code = 'BAD_WORKLOAD'
}

/** The name without its options. */
export function workloadName(text: string): string {
  return text.split('(')[0]!
}

/** The kind that a text names. Throws WorkloadError. */
export function kindOf(text: string): WorkloadKind {
  const kind = broughtKinds.get(workloadName(text)) ?? workloadKinds.find(({ name }) => name === workloadName(text))
  if (kind === undefined) throw new WorkloadError(`There is no workload "${workloadName(text)}"; choose from ${workloadKinds.map(({ name }) => name).join(', ')}, or name a file of your own, ./my-workload.ts.`)
  return kind
}

/** What a workload may know of a system. */
export function storeOf({ functions, expected, isolation }: Pick<System, 'functions' | 'expected' | 'isolation'>): Store {
  return { functions: new Set(functions), expected, isolation: isolation ?? (expected === 'linearizable' ? 'strict-serializable' : 'read-uncommitted') }
}

/** The workload that a text names, for a store. Throws WorkloadError. */
export function workloadFrom(text: string, store: Store): Workload {
  const kind = kindOf(text)
  const given = optionsIn(text, kind)
  const parsed = kind.options.safeParse(given)
  if (!parsed.success) throw new WorkloadError(explain(kind, parsed.error))
  return kind.make(given, store)
}

/** Throws WorkloadError when the system's client cannot do what the workload needs. */
export function refuseWithoutNeeds(text: string, system: Pick<System, 'name' | 'functions'>): void {
  const { name, needs } = kindOf(text)
  const missing = needs.filter((f) => !system.functions.includes(f))
  if (missing.length > 0) throw new WorkloadError(`The workload ${name} needs ${missing.join(' and ')}, which ${system.name} does not offer (it offers ${system.functions.join(', ')}).`)
}

/** An option of a kind as a person reads it. */
export interface OptionText {
  /** As on the command line: `ops-per-txn`. */
  readonly name: string
  readonly describes: string
  readonly default: unknown
}

/** The options of a kind, for help. */
export function optionTexts({ options }: WorkloadKind): OptionText[] {
  return Object.entries(options.shape).map(([name, schema]) => {
    const { description = '' } = schema as z.ZodType
    const fallback = (schema as z.ZodType).safeParse(undefined)
    return { name: kebab(name), describes: description, default: fallback.success ? fallback.data : undefined }
  })
}

/** The options that a text stands for, by their names in code, defaults included. Throws WorkloadError. */
export function workloadOptions(text: string): Readonly<Record<string, unknown>> {
  const kind = kindOf(text)
  const parsed = kind.options.safeParse(optionsIn(text, kind))
  if (!parsed.success) throw new WorkloadError(explain(kind, parsed.error))
  return parsed.data
}

/** The same workload with some options changed: `register(keys=10)` with `{ keys: 2 }` is `register(keys=2)`. */
export function workloadWith(text: string, changes: Readonly<Record<string, string | number | boolean>>): string {
  const options = { ...optionsIn(text, kindOf(text)), ...changes }
  return `${workloadName(text)}(${Object.entries(options).map(([name, value]) => `${kebab(name)}=${String(value)}`).join(',')})`
}

/** Reads `(a=1,b-c=2)` into `{ a: 1, bC: 2 }`. */
function optionsIn(text: string, kind: WorkloadKind): Record<string, unknown> {
  const match = /^[^()]+(?:\((.*)\))?$/.exec(text)
  if (match === null) throw new WorkloadError(`"${text}" is not a workload with options; write for example ${kind.name}(${optionTexts(kind)[0]?.name ?? 'keys'}=10).`)
  const known = optionTexts(kind).map(({ name }) => name)
  return Object.fromEntries((match[1] ?? '').split(',').filter((part) => part.trim() !== '').map((part) => {
    const [name, value] = part.split('=').map((side) => side.trim())
    if (!known.includes(name!)) throw new WorkloadError(`The workload ${kind.name} has no option "${name}"; ${known.length === 0 ? 'it has none' : `choose from ${known.join(', ')}`}.`)
    if (value === undefined || value === '') throw new WorkloadError(`The option ${name} of the workload ${kind.name} has no value; write ${name}=VALUE.`)
    return [camel(name!), plain(value)]
  }))
}

function explain(kind: WorkloadKind, error: z.ZodError): string {
  const [{ path, message }] = error.issues as [z.core.$ZodIssue]
  return `The option ${kebab(String(path[0]))} of the workload ${kind.name} cannot be that: ${message}.`
}

/** A number, true or false where the text is one. */
function plain(text: string): unknown {
  return /^(-?\d+(\.\d+)?|true|false)$/.test(text) ? JSON.parse(text) : text
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
