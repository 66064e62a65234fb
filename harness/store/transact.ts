/** Transactions that survive the loss of their connection. */
import type { Sql, Transaction } from './database.ts'
import { isAway } from './errors.ts'

/**
 * One transaction. When the connection is lost, `begin` rejects by itself; were it told of the work's error too, it
 * would write a rollback to the connection that is gone, and postgres.js 3.4.9 ends the process then
 * (https://github.com/porsager/postgres/issues/1154). The work must wait for nothing but the database.
 */
export async function transact<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const begun = sql.begin((tx) => new Promise<T>((resolve, reject) => {
    work(tx).then(resolve, (error: Error) => {
      if (!isAway(error)) reject(error)
    })
  }))
  return (await begun) as T
}
