/** Open and closed loops: with a rate operations start on a schedule, without as fast as answers come. */
import { stagger, type Generator } from '../harness/generator/index.ts'

/** The operations at `rate` per second on average; as they come when it is undefined. */
export function atRate(rate: number | undefined, operations: Generator): Generator {
  return rate === undefined ? operations : stagger(1000 / rate, operations)
}
