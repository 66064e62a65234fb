/** Operations in words, for witnesses and summaries. */
import type { History } from './history/index.ts'
import type { Registers } from './registers.ts'

/** Says in words what an operation did. */
export type Describe = (op: number) => string

/** "process 3 read k7 = 12". */
export function describer(history: History, { write, session, processes, key, keys, value }: Registers): Describe {
  return (op) => {
    const name = history.values.decode(keys[key[op]!]!)
    const text = JSON.stringify(history.values.decode(value[op]!))
    return `process ${processes[session[op]!]} ${write[op] === 1 ? 'wrote' : 'read'} ${name === null ? '' : `${typeof name === 'string' ? name : JSON.stringify(name)} = `}${text === 'null' ? 'nil' : text}`
  }
}
