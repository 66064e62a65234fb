/** Transactions in words, for witnesses: "T3 (process 4)", "read x = [1,2]". */
import type { History } from '../history/index.ts'
import { listRead, READ, type Transactions } from './transactions.ts'

const SHOWN_MAX = 12

/** Says in words what transactions did. */
export interface Words {
  /** "T12": named by the row of its invocation, so that it can be found in the file. */
  name(transaction: number): string
  key(key: number): string
  /** "read x = [1,2]", "appended 3 to x". */
  micro(micro: number): string
  /** A value by its code. */
  value(code: number): string
}

export function wordsFor(history: History, transactions: Transactions): Words {
  const { row, kind, key, keys, value, model } = transactions
  const keyText = (at: number): string => {
    const name = keys[at]!
    return typeof name === 'string' ? name : JSON.stringify(name)
  }
  const valueText = (code: number): string => (code === -1 ? 'nil' : JSON.stringify(history.values.decode(code)))
  return {
    name: (transaction) => `T${row[transaction]!}`,
    key: keyText,
    value: valueText,
    micro(micro) {
      const on = keyText(key[micro]!)
      if (kind[micro] !== READ) return model === 'list-append' ? `appended ${valueText(value[micro]!)} to ${on}` : `wrote ${on} = ${valueText(value[micro]!)}`
      return `read ${on} = ${model === 'list-append' ? listText(listRead(transactions, micro)) : valueText(value[micro]!)}`
    },
  }
}

/** A list, its beginning left out when it is long: what matters is the end. */
export function listText(list: readonly unknown[]): string {
  return list.length <= SHOWN_MAX ? JSON.stringify(list) : `[... ${list.length - SHOWN_MAX} more, ${JSON.stringify(list.slice(-SHOWN_MAX)).slice(1)}`
}
