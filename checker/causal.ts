/**
 * Causal consistency: all four session guarantees at once, for every session (Brzezinski et al. 2004). With
 * everything that it has seen a session sees its causes, and never goes back.
 *
 * It stands between the published variants. Bouajjani et al. (2017) distinguish causal consistency, which lets a
 * session return to a value that it had left for a concurrent one; causal memory (Ahamad et al. 1995), where a session
 * applies writes one after the other and never reconsiders; and causal convergence, where concurrent writes to a key
 * are put into one order by all. Causal memory and causal convergence exclude each other's histories, stores of both
 * kinds call themselves causal, and each implies the model judged here, which implies the first. A violation found
 * here is therefore one of any of them but the weakest.
 */
import { guarantees } from './breach.ts'
import { judgeGuarantees } from './sessions.ts'
import type { Judgement } from './judgement.ts'

/** Who sees a write sees its causes. */
export const causal: Judgement = {
  name: 'causal',
  describes: 'who sees a write sees its causes: the four session guarantees at once; exact for values written once, O(operations x sessions)',
  judge: (history, context) => judgeGuarantees(history, context, 'causal', guarantees, 'whoever sees a write sees its causes'),
}
