/**
 * Several registers that are read and written together: transactions of a few reads and writes, judged as one object whose
 * operations happen at one moment each (Knossos's multi-register), and by their dependencies as `wr` is.
 */
import { z } from 'zod'
import { models } from 'knossos-wasm'
import { convergence } from '../checker/convergence.ts'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { settledTransactions } from '../checker/settled-transactions.ts'
import { transactional } from '../checker/transactional.ts'
import { isAtomic, transact } from './objects.ts'
import { transactionGenerator, transactionKeys, transactionOptions } from './transactions.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({ ...transactionOptions, keys: transactionOptions.keys.default(3), writesPerKey: transactionOptions.writesPerKey.default(100_000), generations: transactionOptions.generations.default(1) })

/** The search over several registers at once is exponential in what nobody knows, even after others were asked. */
const CRASHED_MAX = 3

export const multiRegister = workloadKind({
  name: 'multi-register',
  describes: 'transactions that read and write a few registers together',
  finds: 'writes of several keys that were not seen together',
  needs: ['read', 'write'],
  options,
  make,
})

function make(chosen: z.output<typeof options>, store: Store): Workload {
  const atomic = isAtomic(store)
  return {
    name: 'multi-register',
    describes: `transactions that read and write ${chosen.keys} registers together`,
    generator: ({ rate }) => transactionGenerator(chosen, 'w', rate),
    invoke: (client, operation) => transact(client, store, operation),
    keys: () => transactionKeys(chosen, store),
    judgements: [{ ...transactional(store.isolation, 'rw-register'), binding: atomic }, linearizableObject(models.multiRegister(), atomic, { crashedMax: CRASHED_MAX, settle: settledTransactions }), convergence],
  }
}
