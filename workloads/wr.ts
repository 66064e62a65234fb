/**
 * Transactions that write registers and read them (Elle's rw-register): as `append`, for stores without lists. A read
 * names the write that it saw, but of the order of writes only a part is known, so that fewer anomalies are certain.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { transactional } from '../checker/transactional.ts'
import { isAtomic, transact } from './objects.ts'
import { transactionGenerator, transactionKeys, transactionOptions } from './transactions.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject(transactionOptions)

export const wr = workloadKind({
  name: 'wr',
  describes: 'transactions that write registers and read them; without transactions of its own the store keeps all registers under one key',
  finds: 'aborted, intermediate and circular reads, fractured reads, lost updates, long forks, stale reads, as far as the order of writes is known',
  needs: ['read', 'write'],
  options,
  make,
})

function make(chosen: z.output<typeof options>, store: Store): Workload {
  return {
    name: 'wr',
    describes: `transactions that write registers and read them, ${chosen.keys} keys at a time`,
    generator: ({ rate }) => transactionGenerator(chosen, 'w', rate),
    invoke: (client, operation) => transact(client, store, operation),
    keys: () => transactionKeys(chosen, store),
    judgements: [{ ...transactional(store.isolation, 'rw-register'), binding: isAtomic(store) }, convergence],
  }
}
