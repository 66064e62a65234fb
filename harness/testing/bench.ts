/**
 * `npm run bench`: lists the benchmarks. `npm run bench -- NAME [ARGUMENTS...]` runs one. Numbers mean little without
 * the machine, so that is printed first.
 */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { UsageError } from '../usage-error.ts'
import { loadBenches } from './soaks.ts'

/** What somebody typed wrongly: ours, or what `parseArgs` did not understand. */
function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
}

/** Runs the command; resolves to 0, or 254 for an unknown name or options. */
export async function main([name, ...args]: readonly string[], print: (line: string) => void = console.log): Promise<number> {
  const benches = await loadBenches()
  if (name === undefined || name.startsWith('-')) {
    const width = Math.max(0, ...benches.map((bench) => bench.name.length))
    for (const bench of benches) print(`${bench.name.padEnd(width)}  ${bench.describes}`)
    print('npm run bench -- NAME [ARGUMENTS...]')
    return name === undefined || name === '--help' ? 0 : 254
  }
  const bench = benches.find((candidate) => candidate.name === name)
  if (!bench) {
    print(`There is no benchmark "${name}". There are: ${benches.map((candidate) => candidate.name).join(', ')}.`)
    return 254
  }
  print(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(2)}, Node ${process.versions.node}`)
  try {
    await bench.run(args, print)
  } catch (error) {
    if (!isUsage(error)) throw error
    print(error.message)
    return 254
  }
  return 0
}
