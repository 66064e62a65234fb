/**
 * Who of a cluster's machines are members. Every machine that may ever belong to it is prepared at the start, with its
 * addresses and links; a spare one has no program running and nothing on its disk. Joining and leaving is what the
 * system makes of it (`System.membership`), plus a start or an end of the program.
 */
import type { NodeId } from '../../harness/env.ts'
import type { Cluster, ClusterMembership, Node } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import type { System, SystemMembership } from '../system.ts'

/** How members come and go, in words for the doctor. */
export const SPARE_MACHINES = 'machines that are prepared at the start join and leave, where the system can do that'

/** A machine that a driver has prepared. */
export interface PreparedNode extends Node {
  /** The members that it joins, or has joined, at its next start; undefined for the first members. */
  joining: readonly NodeId[] | undefined
  /** Empties its disk. The program has ended. */
  erase(): Promise<void>
}

/** The machines of one cluster, in a fixed order. */
export class Roster<N extends PreparedNode> {
  /** Members and spares. */
  readonly all: readonly N[]
  #members: readonly N[]

  constructor(all: readonly N[], first: readonly NodeId[]) {
    this.all = all
    this.#members = all.filter(({ id }) => first.includes(id))
  }

  get members(): readonly N[] {
    return this.#members
  }

  /** The machine of that name, member or not. Throws. */
  node(id: NodeId): N {
    const node = this.all.find((one) => one.id === id)
    if (node === undefined) throw new ClusterError('unknown-node', `there is no node ${id} in this cluster; its nodes are ${this.all.map((one) => one.id).join(', ')}`)
    return node
  }

  /** How members of a system with a `membership` come and go. */
  membership({ membership }: System, cluster: () => Cluster): ClusterMembership | undefined {
    if (membership === undefined) return undefined
    const spares = (): NodeId[] => this.all.filter((node) => !this.#members.includes(node)).map(({ id }) => id)
    return {
      get spares() {
        return spares()
      },
      join: (id, deadlineMs) => this.#join(membership, cluster(), this.node(id), deadlineMs),
      leave: (id, deadlineMs) => this.#leave(membership, cluster(), this.node(id), deadlineMs),
      ...(membership.replace === undefined ? {} : { replace: (gone, fresh, deadlineMs) => this.#replace(membership, cluster(), this.node(gone), this.node(fresh), deadlineMs) }),
      members: (asked, deadlineMs) => membership.members(cluster(), asked, deadlineMs),
    }
  }

  async #join(membership: SystemMembership, cluster: Cluster, node: N, deadlineMs: number): Promise<void> {
    if (this.#members.includes(node)) throw new ClusterError('is-member', `${node.id} is a member already`)
    const joining = this.#members.map(({ id }) => id)
    await membership.admit(cluster, node.id, deadlineMs)
    await this.#begin(membership, cluster, node, joining, deadlineMs)
  }

  /** Starts a machine that was admitted. */
  async #begin(membership: SystemMembership, cluster: Cluster, node: N, joining: readonly NodeId[], deadlineMs: number): Promise<void> {
    node.joining = joining
    this.#members = this.all.filter((one) => one === node || this.#members.includes(one))
    try {
      await node.start()
    } catch (error) {
      await this.#leave(membership, cluster, node, deadlineMs)
      throw error
    }
  }

  async #replace(membership: SystemMembership, cluster: Cluster, gone: N, fresh: N, deadlineMs: number): Promise<void> {
    const joining = this.#members.filter((node) => node !== gone).map(({ id }) => id)
    await membership.replace!(cluster, gone.id, fresh.id, deadlineMs)
    await this.#begin(membership, cluster, fresh, joining, deadlineMs)
    await membership.settled?.(cluster, fresh.id, deadlineMs)
    // Only now: until then it may still be that the one that is gone stays.
    await gone.kill()
    await gone.erase()
    this.#members = this.#members.filter((one) => one !== gone)
  }

  async #leave(membership: SystemMembership, cluster: Cluster, node: N, deadlineMs: number): Promise<void> {
    await membership.dismiss(cluster, node.id, deadlineMs)
    if (!this.#members.includes(node)) return
    await node.kill()
    await node.erase()
    this.#members = this.#members.filter((one) => one !== node)
  }
}
