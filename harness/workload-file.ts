/**
 * Workloads of the user's own: `--workload './my-workload.ts(keys=3)'` is imported once, looked at, and from then on
 * known by its path as the others are by their names.
 */
import { z } from 'zod'
import { addWorkloadKind, workloadName } from '../workloads/index.ts'
import type { WorkloadKind } from '../workloads/workload.ts'
import { UsageError } from './usage-error.ts'
import { importUserModule } from './user-module.ts'

const kindSchema = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/i, 'must be letters, digits and dashes'),
  describes: z.string(),
  finds: z.string(),
  needs: z.array(z.string()),
  options: z.instanceof(z.ZodObject, { error: 'must be z.strictObject({ ... })' }),
  make: z.custom<WorkloadKind['make']>((value) => typeof value === 'function', 'must be a function'),
})

/** Makes a workload known if its name is a file's path. Throws UsageError with the file and what is wrong with it. */
export async function loadWorkloadFile(text: string): Promise<void> {
  const file = workloadName(text)
  if (!/[./\\]/.test(file)) return
  const exported = await importUserModule(file)
  const kind = exported['workload'] ?? exported['default']
  if (kind === undefined) throw new UsageError(`${file} exports no workload: write "export const workload = defineWorkload({ ... })" (it exports ${Object.keys(exported).join(', ') || 'nothing'}).`)
  const { error } = kindSchema.safeParse(kind)
  if (error !== undefined) throw new UsageError(`${file}: workload.${error.issues[0]!.path.join('.')} is not as it must be: ${error.issues[0]!.message}.`)
  addWorkloadKind(file, kind as WorkloadKind)
}
