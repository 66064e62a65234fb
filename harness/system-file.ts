/**
 * Systems of the user's own: `--system ./my-store.ts` is imported, and looked at before it may start anything.
 */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { models } from '../checker/verdict.ts'
import type { System } from '../cluster/system.ts'
import { UsageError } from './usage-error.ts'
import { importUserModule } from './user-module.ts'

const method = z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function', 'must be a function')

/** What a user's `system` must look like. More than this is allowed: it may be a class with fields of its own. */
const systemSchema = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'must be letters, digits, dots, dashes and underscores'),
  expected: z.enum(models),
  expectedWhenMoving: z.enum(models).optional(),
  promise: z.string(),
  functions: z.array(z.string()).min(1),
  nodes: method,
  client: method,
  peek: method.optional(),
  ping: method.optional(),
  ready: method.optional(),
  probe: method.optional(),
  oneWayConnections: z.boolean().optional(),
  sharedAddresses: z.boolean().optional(),
  peerPort: z.enum(['client', 'admin', 'peer']).optional(),
  primaries: method.optional(),
  settleMs: z.number().positive().optional(),
  cachedMs: z.number().nonnegative().optional(),
  clock: z.looseObject({ read: method, set: method }).optional(),
  disk: z.looseObject({ set: method, trial: method }).optional(),
  membership: z.looseObject({ admit: method, dismiss: method, members: method }).optional(),
})

const nodeSchema = z.looseObject({
  id: z.string(),
  command: method,
  start: method.optional(),
  image: z.union([z.string(), z.looseObject({ program: z.string().optional(), executables: z.array(z.string()).optional() })], 'must be the name of an image or {program, executables}').optional(),
  logs: z.array(z.string()).optional(),
})

/** Loads the system that `file` exports. Throws UsageError with the file and what is wrong with it. */
export async function loadSystemFile(file: string): Promise<System> {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}; splitbrain init writes one to start from.`)
  const exported = await importUserModule(file)
  const system = exported['system'] ?? exported['default']
  if (system === undefined) throw new UsageError(`${file} exports no system: write "export const system = defineSystem({ ... })" (it exports ${Object.keys(exported).join(', ') || 'nothing'}).`)
  return checkedSystem(file, system)
}

/** Throws UsageError that names the first field that is not as it must be. */
function checkedSystem(file: string, value: unknown): System {
  refuse(file, 'system', systemSchema.safeParse(value))
  const system = value as System
  const ids = ['n1', 'n2', 'n3']
  const specs: unknown = system.nodes(ids)
  refuse(file, 'system.nodes(ids)', z.array(nodeSchema).safeParse(specs))
  const named = (specs as { id: string }[]).map(({ id }) => id)
  if (named.join() !== ids.join()) throw new UsageError(`${file}: system.nodes(ids) must return one node for each id, in their order; for ${ids.join(', ')} it returned ${named.join(', ') || 'none'}.`)
  return system
}

function refuse(file: string, what: string, { error }: z.ZodSafeParseResult<unknown>): void {
  if (error === undefined) return
  const [issue] = error.issues as [z.core.$ZodIssue]
  const field = issue.path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`), what)
  throw new UsageError(`${file}: ${field} is not as it must be: ${issue.message}.`)
}
