/**
 * The JSON gateway of etcd's v3 API over HTTP: one call, one POST; bytes are base64, absent fields are zero.
 * (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/)
 */
import type { Json } from '../../checker/history/index.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster } from '../cluster.ts'

/** Base64, as the gateway wants bytes. */
export const bytesOf = (text: string): string => Buffer.from(text).toString('base64')
/** Keys that are no text are their JSON. */
export const keyOf = (key: Json | undefined): string => bytesOf(typeof key === 'string' ? key : JSON.stringify(key ?? null))
/** Values are JSON. */
export const valueOf = (value: Json | undefined): string => bytesOf(JSON.stringify(value ?? null))
/** A value as it was written. */
export const jsonOf = (base64: string): Json => JSON.parse(Buffer.from(base64, 'base64').toString()) as Json

/** A refusal of etcd's, in its own words. */
export class EtcdError extends Error {}

/** One call of the gateway. Rejects with EtcdError when etcd refuses, with anything else when it is not known to have heard. */
export async function call<T>(cluster: Cluster, node: NodeId, method: string, body: Record<string, unknown>, deadlineMs: number): Promise<T> {
  const answer = await fetch(`http://${cluster.address(node, 'client')}/v3/${method}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs))),
  })
  const result = (await answer.json()) as T & { readonly error?: string }
  if (!answer.ok) throw new EtcdError(result.error ?? answer.statusText)
  return result
}

/** One key of an answer, both in base64. */
export interface KeyValue {
  readonly key: string
  readonly value: string
}

/** What a member says of itself. */
export interface Status {
  readonly header: { readonly member_id: string }
  /** Member id; absent or "0" while there is none. */
  readonly leader?: string
}

/** Asks a member for its status. */
export const status = (cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Status> => call(cluster, node, 'maintenance/status', {}, deadlineMs)

/** One line of the member list; the name is empty until it has joined. */
export interface Member {
  readonly ID: string
  readonly name?: string
  readonly peerURLs: readonly string[]
}

/** The members as `asked` believes. */
export const memberList = async (cluster: Cluster, asked: NodeId, deadlineMs: number): Promise<readonly Member[]> =>
  (await call<{ members: Member[] }>(cluster, asked, 'cluster/member/list', {}, deadlineMs)).members

/** What is told of a member's metrics, by their names in Prometheus' text format. */
const COUNTED = ['leader_changes_seen', 'proposals_failed', 'slow_apply', 'slow_read_indexes', 'read_indexes_failed', 'heartbeat_send_failures']

/** What a member counted since its last start: leader changes, failed proposals, slow applies and reads. */
export async function counters(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://${cluster.address(node, 'client')}/metrics`, { signal: AbortSignal.timeout(deadlineMs) })).text()
  return Object.fromEntries(COUNTED.flatMap((name) => {
    const found = new RegExp(`^etcd_server_${name}_total ([0-9.e+]+)$`, 'm').exec(text)
    return found === null ? [] : [[name, Number(found[1])]]
  }))
}
