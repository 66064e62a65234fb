/**
 * A cache as NFS clients keep one (Sandberg et al., "Design and implementation of the Sun network filesystem", USENIX
 * 1985): each node answers its clients from what it read before, and asks the key's server again once that is older
 * than `cache_ms`. The server knows nothing of it. Writes go through at once, and the node that wrote forgets.
 *
 * So a client of another node may read what was replaced up to `cache_ms` ago, and of two keys see the newer one's new
 * value and the older one's old one.
 */
import type { Clock } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Replication } from '../replication/replication.ts'
import { KeyCache } from './key-cache.ts'

/** The same store behind a cache that is polled. */
export function polledCache(inner: Replication, config: NodeConfig, clock: Clock): Replication {
  const cache = new KeyCache(clock, config.cache_entries_max)
  return {
    ...inner,
    read: (key, level) => cache.get(key, config.cache_ms) ?? cache.ask(key, () => inner.read(key, level)),
    write: (key, value, session, level) => cache.change(key, () => inner.write(key, value, session, level)),
    stats: () => ({ ...inner.stats?.(), cache_hits: cache.counts.hits, cache_misses: cache.counts.misses }),
  }
}
