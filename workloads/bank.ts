/**
 * Banks: clients move money between accounts and read all of them. Transfers make no money and lose none, so that every
 * read finds the same total; one that finds another saw half of a transfer, or two that overwrote each other.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { bankTotal } from '../checker/bank-total.ts'
import type { Completion, Invocation, Json } from '../checker/history/index.ts'
import type { Client } from '../cluster/system.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { share } from './keys.ts'
import { changeObject, isAtomic } from './objects.ts'
import { atRate } from './rate.ts'
import { readsOf, workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({
  banks: z.int().min(1).max(1_000).default(3).describe('banks, each with accounts and a total of its own'),
  accounts: z.int().min(2).max(1_000).default(8).describe('accounts of a bank'),
  total: z.int().min(1).max(1_000_000).default(100).describe('money in each bank'),
  amountMax: z.int().min(1).max(1_000_000).default(5).describe('the largest amount that is moved'),
  readShare: share.default(0.5).describe('the share of reads of all accounts'),
})

export const bank = workloadKind({
  name: 'bank',
  describes: 'moves money between accounts and reads all of them',
  finds: 'money made or lost: read skew and lost updates',
  needs: ['read', 'write'],
  options,
  make,
})

function make({ banks, accounts, total, amountMax, readShare }: z.output<typeof options>, store: Store): Workload {
  const keys = Array.from({ length: banks }, (_, at) => `bank${at}`)
  const atomic = isAtomic(store)
  const next = (state: number, { random }: Context): readonly [Op, number] => {
    const key = keys[random.int(banks)]!
    if (random.float() < readShare) return [{ f: 'read', key }, state]
    const from = random.int(accounts)
    const to = (from + 1 + random.int(accounts - 1)) % accounts
    return [{ f: 'transfer', key, value: { from, to, amount: 1 + random.int(amountMax), id: state } }, state + 1]
  }
  return {
    name: 'bank',
    describes: `moves money between ${accounts} accounts of ${banks} banks and reads them`,
    generator: ({ rate }) => atRate(rate, unfold({ state: 0, next })),
    final: () => readsOf(keys),
    invoke: carrierOf(store, accounts, total),
    keys: () => (isAtomic(store) && !store.functions.has('txn') ? keys : keys.flatMap((key) => accountKeys(key, accounts))),
    judgements: [{ ...bankTotal({ total: store.functions.has('txn') ? 0 : total, negativeAllowed: store.functions.has('txn') }), binding: atomic }, convergence],
  }
}

interface Transfer {
  readonly from: number
  readonly to: number
  readonly amount: number
}

/**
 * How banks are kept. With transactions an account is the list of what was paid in and out, so that a transfer is one
 * transaction of two appends, and everybody begins with nothing. With compare-and-set a bank is one value. Otherwise every
 * account is a register, and a transfer reads two and writes two: that loses money, and is found.
 */
function carrierOf(store: Store, accounts: number, total: number): NonNullable<Workload['invoke']> {
  if (store.functions.has('txn')) return (client, operation) => onLists(client, operation, accounts)
  if (!isAtomic(store)) return (client, operation) => onRegisters(client, operation, accounts, total)
  return (client, { f, key, value }) => changeObject(client, store, key!, (held) => {
    const balances = (held ?? opening(accounts, total)) as Readonly<Record<string, number>>
    return f === 'read' ? { result: balances } : transfer(balances, value as unknown as Transfer)
  })
}

function accountKeys(bankKey: string, accounts: number): string[] {
  return Array.from({ length: accounts }, (_, at) => `${bankKey}-${at}`)
}

/** The first account holds everything. */
function opening(accounts: number, total: number): Readonly<Record<string, number>> {
  return Object.fromEntries(Array.from({ length: accounts }, (_, at) => [String(at), at === 0 ? total : 0]))
}

/** Refused when the account does not hold as much. */
function transfer(balances: Readonly<Record<string, number>>, { from, to, amount }: Transfer): { next: Json } | null {
  if (balances[from]! < amount) return null
  return { next: { ...balances, [from]: balances[from]! - amount, [to]: balances[to]! + amount } }
}

async function onLists(client: Client, { f, key, value }: Invocation, accounts: number): Promise<Completion> {
  const rows = accountKeys(key as string, accounts)
  if (f === 'read') {
    const { value: micros, ...completion } = await client.invoke({ f: 'txn', value: rows.map((row): Json => ['r', row, null]) })
    if (completion.type !== 'ok') return completion
    const lists = (micros as readonly (readonly [string, string, readonly (readonly [string, number])[] | null])[]).map(([, , list]) => list ?? [])
    return { type: 'ok', value: Object.fromEntries(lists.map((list, at) => [String(at), list.reduce((sum, [, amount]) => sum + amount, 0)])) }
  }
  const { from, to, amount, id } = value as unknown as Transfer & { readonly id: number }
  const { type, error } = await client.invoke({ f: 'txn', value: [['append', rows[from]!, [`t${id}`, -amount]], ['append', rows[to]!, [`t${id}`, amount]]] })
  return { type, ...(error === undefined ? {} : { error }) }
}

async function onRegisters(client: Client, { f, key, value }: Invocation, accounts: number, total: number): Promise<Completion> {
  const rows = accountKeys(key as string, accounts)
  const { from, to, amount } = f === 'read' ? { from: -1, to: -1, amount: 0 } : (value as unknown as Transfer)
  const balances: Record<string, number> = {}
  for (const at of f === 'read' ? rows.keys() : [from, to]) {
    const read = await client.invoke({ f: 'read', key: rows[at]! })
    if (read.type !== 'ok') return { type: 'fail', ...(read.error === undefined ? {} : { error: read.error }) }
    balances[at] = (read.value as number | null) ?? (at === 0 ? total : 0)
  }
  if (f === 'read') return { type: 'ok', value: balances }
  const changed = transfer(balances, { from, to, amount })
  if (changed === null) return { type: 'fail', error: 'REFUSED_BY_OBJECT' }
  const next = changed.next as Readonly<Record<string, number>>
  const paid = await client.invoke({ f: 'write', key: rows[from]!, value: next[from]! })
  if (paid.type !== 'ok') return paid
  const received = await client.invoke({ f: 'write', key: rows[to]!, value: next[to]! })
  // The first half happened: whatever became of the second, the transfer cannot be said to have failed.
  return received.type === 'ok' ? { type: 'ok' } : { type: 'info', ...(received.error === undefined ? {} : { error: received.error }) }
}
