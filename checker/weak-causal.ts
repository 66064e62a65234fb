/**
 * Weak causal consistency: a read returns what was written to its key by one of its causes, or by nobody, and never
 * what another of its causes had overwritten (CC of Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal
 * Consistency, 2017; WCC of Perrin, Mostefaoui and Jard, Causal Consistency: Beyond Memory, 2016). A session may still go
 * back and forth between concurrent values, so it has its own writes, but not monotonic reads.
 *
 * Four patterns refute it, and with values written once nothing else does: a value from nowhere, a cycle in
 * happens-before, a read of the initial value after a write to the key, a read of an overwritten value. The walk of
 * `causal-walk.ts` finds them. O(operations x sessions).
 */
import { judgeCauses } from './judge-causes.ts'
import type { Judgement } from './judgement.ts'

/** No read returns what one of its causes had overwritten. */
export const weakCausal: Judgement = {
  name: 'weak-causal',
  describes: 'no read returns what one of its causes had overwritten; exact for values written once, O(operations x sessions)',
  judge: (history, context) => judgeCauses(history, context, { model: 'weak-causal', promise: 'No read returned what one of its causes had overwritten' }),
}
