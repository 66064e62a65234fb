/**
 * The lives of a node, each with a number that no other life of it ever has: what is named by it (versions, requests,
 * calls) stays unique across crashes that forget everything. Within one membership starts are counted on the node's disk.
 * A node that left and came back on an empty disk has no count to go on from; that it is a member anew is what tells it
 * from what it was, so the number of its membership comes first.
 */

/** Starts of a node within one membership. With up to 2^32 memberships, a number of a life is one that a double holds exactly. */
export const STARTS_MAX = 2 ** 21

/** Before the first life of this membership. */
export function livesBefore(membership: number): number {
  return membership * STARTS_MAX
}

/** The life after this one. */
export function nextLife(life: number): number {
  const next = life + 1
  if (!Number.isSafeInteger(next) || startOf(next) === 0) throw new Error(`invariant: a node starts less than ${STARTS_MAX} times within one membership`)
  return next
}

/** In which membership this life is; 0: that of a node which was there from the beginning. */
export function membershipOf(life: number): number {
  return Math.floor(life / STARTS_MAX)
}

/** Which start of its membership this life is. */
export function startOf(life: number): number {
  return life % STARTS_MAX
}
