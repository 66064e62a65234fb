/** Strikes that fail half way: what was done is taken back, and when that fails too, somebody has to be told. */

/** A strike failed, and what it had done could not be taken back then. */
export class HalfInjected extends Error {
  /** Tries once more: what was in the way may be gone. */
  readonly heal: () => Promise<void>

  constructor(message: string, heal: () => Promise<void>, cause: unknown) {
    super(message, { cause })
    this.heal = heal
  }
}

/** Does something to every one of them and waits for all, also when some fail: what is on its way then could undo what comes next. Rejects with the first failure. */
export async function toEach<T>(all: readonly T[], action: (one: T) => Promise<unknown>): Promise<void> {
  const failed = (await Promise.allSettled(all.map(action))).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Strikes; heals when that fails. Rejects with the failure, or with HalfInjected when the heal failed as well. */
export async function strikeOrHeal<T>(strike: () => Promise<T>, heal: () => Promise<void>): Promise<T> {
  try {
    return await strike()
  } catch (error) {
    await heal().catch((second: Error) => {
      throw new HalfInjected(`${(error as Error).message}; and it could not be taken back: ${second.message}`, heal, second)
    })
    throw error
  }
}
