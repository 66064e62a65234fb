/**
 * Which stores' members can change while they run.
 */
/** Why the members of a store with these choices cannot change; undefined where they can. */
export function fixedMembers({ replication, lookup }: { readonly replication: string; readonly lookup: string }): string | undefined {
  if (lookup !== 'ring') return `members are not admitted or dismissed where "${lookup}" finds the keys: a node joins by starting, and leaves by ending`
  return replication === 'quorum' || replication === 'abd' ? undefined : `with replication "${replication}" the members are fixed: its votes are counted among those that it was started with`
}
