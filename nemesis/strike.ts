/** Strikes that fail half way: what was done is taken back, and when that fails too, somebody has to be told. */

import type { Injection } from './fault.ts'

/** How what a strike did is taken back, and how that is seen. */
export type Undo = Pick<Injection, 'heal' | 'verifyHealed'>

/** A strike failed, and what it did may be there still, or yet to come: its heal is owed like that of any other. */
export class HalfInjected extends Error {
  readonly undo: Undo

  constructor(message: string, undo: Undo, cause: unknown) {
    super(message, { cause })
    this.undo = undo
  }
}

/** Does something to every one of them and waits for all, also when some fail: what is on its way then could undo what comes next. Rejects with the first failure when all failed. */
export async function toSome<T>(all: readonly T[], action: (one: T) => Promise<unknown>): Promise<void> {
  const outcomes = await Promise.allSettled(all.map(action))
  const [first] = outcomes
  if (first?.status === 'rejected' && outcomes.every(({ status }) => status === 'rejected')) throw first.reason
}

/** Strikes; heals when that fails. Rejects with the failure, or with HalfInjected when the heal failed as well. */
export async function strikeOrHeal<T>(strike: () => Promise<T>, undo: Undo): Promise<T> {
  try {
    return await strike()
  } catch (error) {
    await undo.heal().catch((second: Error) => {
      throw new HalfInjected(`${(error as Error).message}; and it could not be taken back: ${second.message}`, undo, second)
    })
    throw error
  }
}
