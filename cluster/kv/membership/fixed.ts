/**
 * Which stores' members can change while they run.
 */

/** Why the members of a store with these choices cannot change; undefined where they can. */
export function fixedMembers({ lookup, client_cache: cache }: { readonly lookup: string; readonly client_cache: string }): string | undefined {
  if (lookup === 'directory') return 'with lookup "directory" the members are fixed: the parts of the directory are dealt out to the nodes that it was started with'
  return cache === 'call-backs' ? 'with client_cache "call-backs" the members are fixed: the promises of a server do not move with its keys' : undefined
}

/** Why a dead member of a store with these choices cannot be replaced, where it cannot. */
export function irreplaceable({ replicas }: { readonly replicas: number }): { readonly irreplaceable?: string } {
  return replicas > 1 ? {} : { irreplaceable: 'a dead member cannot be replaced where each key has one replica: nobody else knows what it held' }
}
