/**
 * Requests per second of the store as processes on this machine, driven by redis-benchmark against one node.
 */
import { execFile } from 'node:child_process'
import { parseArgs, promisify } from 'node:util'
import type { NodeOptions } from '../config.ts'
import { presets } from '../presets.ts'
import { withProcesses } from '../testing/processes.ts'

const run = promisify(execFile)

/** One row: what redis-benchmark says of SET and of GET. */
async function measure(port: string, requests: number, pipeline: number): Promise<string> {
  const args = ['-p', port, '-t', 'set,get', '-n', String(requests), '-c', '50', '-P', String(pipeline), '-r', '1000', '-q']
  const { stdout } = await run('redis-benchmark', args)
  return [...stdout.matchAll(/(SET|GET): ([\d.]+) requests per second, p50=([\d.]+) msec/g)].map(([, command, rate, p50]) => `${command} ${Math.round(Number(rate)).toLocaleString('en')}/s (p50 ${p50} ms)`).join('   ')
}

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', multiple: true },
      processes: { type: 'string', multiple: true, default: ['1', '3'] },
      sync: { type: 'string', default: 'always' },
      requests: { type: 'string', default: '50000' },
      pipeline: { type: 'string', default: '1' },
    },
  })
  print(`sync ${values.sync}, 50 connections to one node, 1,000 keys, values of 3 bytes, pipeline ${values.pipeline}`)
  const sync = values.sync as NodeOptions['sync']
  for (const preset of values.preset ?? Object.keys(presets)) {
    for (const processes of values.processes.map(Number)) {
      await withProcesses({ preset, processes, token: 'benchmark', overrides: { sync } }, async ([node]) => {
        const port = node!.addresses.listen.client.split(':').pop()!
        print(`${preset.padEnd(8)} ${processes} process${processes === 1 ? '  ' : 'es'}  ${await measure(port, Number(values.requests), Number(values.pipeline))}`)
      })
    }
  }
}

/** Needs redis-benchmark (Debian: redis-tools). */
export const bench = {
  name: 'kv-throughput',
  describes: 'requests per second of the store with redis-benchmark [--preset P]... [--processes N]... [--sync always|periodic|never] [--requests N] [--pipeline N]',
  run: main,
}
