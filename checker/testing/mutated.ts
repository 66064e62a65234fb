/**
 * The histories by which the literature tells causal models apart (Bouajjani et al. 2017, figure 3; Ahamad et al. 1995),
 * with a few random changes: neighbours of the borders, which chance alone would hardly find.
 */
import { sessions } from './operations.ts'
import type { Chance } from './chance.ts'
import type { Operation } from './operations.ts'

const textbook: readonly (readonly string[])[] = [
  ['w z 1, w x 1, w y 1', 'w x 2, r z nil, r y 1, r x 2'],
  ['w x 1, r x 2', 'w x 2, r x 1'],
  ['w x 1', 'w x 2, r x 1, r x 2, r x 1'],
  ['w x 1, w y 1', 'r y 1, w x 2', 'r x 2, r x 1, r y 1'],
  ['w x 1, r y nil, w y 1, r x 1', 'w x 2, r y nil, w y 2, r x 2'],
  ['w x 1', 'w x 2', 'r x 1, r x 2', 'r x 2, r x 1'],
  ['w x 1, w y 2, r x 3', 'w x 3, r y 2, r x 3', 'r x 3, r x 1, r y 2'],
]

/** One of them with up to four changes. */
export function mutatedOperations(chance: Chance): Operation[] {
  const operations = sessions(...textbook[chance(textbook.length)]!)
  for (let changes = chance(5); changes > 0; changes--) change(operations, chance)
  return operations
}

function change(operations: Operation[], chance: Chance): void {
  const at = chance(operations.length)
  const one = operations[at]!
  const other = operations[chance(operations.length)]!
  const kind = chance(4)
  if (kind === 0 && one.f === 'read') operations.splice(at, 1)
  else if (kind === 1 && one.f === 'read') operations[at] = { ...one, value: valueOf(operations, one.key, chance) }
  else if (kind === 2 && operations.length < 10) insert(operations, { ...one, f: 'read', key: other.key, value: valueOf(operations, other.key, chance) })
  else if (kind === 3 && one.f === 'read') operations[at] = { ...one, key: other.key, value: valueOf(operations, other.key, chance) }
}

/** After the operations of its session; the session's last place is as good as any, since all sessions overlap. */
function insert(operations: Operation[], fresh: Operation): void {
  const own = operations.filter((one) => one.process === fresh.process)
  const start = Math.max(...own.map((one) => one.start)) + 1
  operations.push({ ...fresh, start, end: start + 0.5 })
}

function valueOf(operations: readonly Operation[], key: string, chance: Chance): Operation['value'] {
  const written = operations.filter((one) => one.f === 'write' && one.key === key)
  return written[chance(written.length + 1)]?.value ?? null
}
