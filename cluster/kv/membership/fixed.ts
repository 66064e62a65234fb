/**
 * Which stores' members can change while they run.
 */
/** Why the members of a store with these choices cannot change; undefined where they can. */
export function fixedMembers({ replication, lookup, client_cache: cache }: { readonly replication: string; readonly lookup: string; readonly client_cache: string }): string | undefined {
  if (lookup === 'directory') return 'with lookup "directory" the members are fixed: the parts of the directory are dealt out to the nodes that it was started with'
  if (cache === 'call-backs') return 'with client_cache "call-backs" the members are fixed: the promises of a server do not move with its keys'
  return ['quorum', 'abd', 'paxos', '2pc', 'paxos-commit'].includes(replication) ? undefined : `with replication "${replication}" the members are fixed: its votes are counted among those that it was started with`
}

/** Why a dead member of a store with these choices cannot be replaced, where it cannot. */
export function irreplaceable({ replicas }: { readonly replicas: number }): { readonly irreplaceable?: string } {
  return replicas > 1 ? {} : { irreplaceable: 'a dead member cannot be replaced where each key has one replica: nobody else knows what it held' }
}
