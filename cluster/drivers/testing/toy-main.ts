/** One toy node as a program: what it is told is in the environment variable `TOY`. */
import type { RealEnvOptions } from '../real/env.ts'
import { realEnv } from '../real/env.ts'
import { startToy } from './toy.ts'

const options = JSON.parse(process.env.TOY ?? '') as Omit<RealEnvOptions, 'seed'>
if (process.env.SPLITBRAIN_PARENT === '1') {
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}
const env = await realEnv({ ...options, seed: 1 })
await startToy(env, options.addresses.token)
