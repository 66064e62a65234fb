/**
 * Transactions that append to lists and read them (Elle's list-append): every read shows the whole history of its key, so
 * that the order of versions need not be guessed, and every anomaly of isolation shows in cycles of dependencies.
 *
 * Keys are few and short-lived: contention makes anomalies, and a key is given up for a new one before its list is long.
 * Half of the micro-operations of a transaction are reads. Values are unique per key.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { transactional } from '../checker/transactional.ts'
import { isAtomic, transact } from './objects.ts'
import { transactionGenerator, transactionKeys, transactionOptions } from './transactions.ts'
import { workloadKind, type Workload, type Store } from './workload.ts'

const options = z.strictObject(transactionOptions)

export const append = workloadKind({
  name: 'append',
  describes: 'transactions that append to lists and read them; without transactions of its own the store keeps all lists under one key',
  finds: 'dirty writes, aborted, intermediate and circular reads, lost updates, read and write skew, long forks, stale reads: every isolation level',
  needs: ['read', 'write'],
  options,
  make,
})

function make(chosen: z.output<typeof options>, store: Store): Workload {
  return {
    name: 'append',
    describes: `transactions that append to lists and read them, ${chosen.keys} keys at a time`,
    generator: ({ rate }) => transactionGenerator(chosen, 'append', rate),
    invoke: (client, operation) => transact(client, store, operation),
    keys: () => transactionKeys(chosen, store),
    judgements: [{ ...transactional(store.isolation, 'list-append'), binding: isAtomic(store) }, convergence],
  }
}
