/**
 * Members come and go by command, behind the token of the run: `ADMIT node`, `DISMISS node`, `REPLACE gone fresh`. Each
 * answers when the members have agreed to begin, or a majority of them says that it is so already; `MEMBERS` tells how far
 * that is.
 */
import type { Clock, NodeId } from '../../../harness/env.ts'
import type { Command } from '../door.ts'
import { StoreError } from '../errors.ts'
import { OK_REPLY, bulkReply } from '../resp.ts'
import { abandoned, admitting, dismissing, replacing } from './view.ts'
import type { View } from './view.ts'
import type { Views } from './views.ts'

/** How members change: agreed on among all of them (`changesOfViews`), or by what each does itself (`overlay-members.ts`). */
export interface MemberChanges {
  members(): MembersReply | Promise<MembersReply>
  /** Each of these is idempotent, and fails with BUSY or UNAVAILABLE where it is to be asked for again, with ERR where it never can be. */
  admit(node: NodeId): Promise<void>
  dismiss(node: NodeId): Promise<void>
  replace(gone: NodeId, fresh: NodeId): Promise<void>
}

/** What the commands work on. */
export interface MembershipCommandsOptions {
  readonly changes: MemberChanges
  /** Every machine that may be a member. */
  readonly machines: readonly NodeId[]
  /** Why members cannot change here; undefined: they can. */
  readonly fixed: string | undefined
}

/** What members agree with. */
export interface ViewChangesOptions {
  readonly views: Views
  readonly clock: Clock
  readonly virtualNodes: number
  /** Where on the ring a new member should stand; null: where its name puts it. */
  readonly placesFor: (node: NodeId) => Promise<readonly number[] | null>
}

/** What MEMBERS answers, as JSON. */
export interface MembersReply {
  readonly epoch: number
  readonly members: readonly NodeId[]
  /** The members once the change that is under way is done. */
  readonly next: readonly NodeId[] | null
  /** Each member's places on the ring, where they are not those that its name gives it. */
  readonly tokens: Readonly<Record<NodeId, readonly number[]>>
}

function replyOf({ epoch, members, next }: View): MembersReply {
  return {
    epoch,
    members: members.map(({ id }) => id),
    next: next?.map(({ id }) => id) ?? null,
    tokens: Object.fromEntries(members.flatMap(({ id, tokens }) => (tokens === null ? [] : [[id, tokens]]))),
  }
}

/** A command that waited longer than this for a majority is not begun: whoever gave it asks again, or has given up and wants something else. */
const PATIENCE_MS = 2_000

const isIn = (members: View['members'], node: NodeId): boolean => members.some(({ id }) => id === node)

/** Changes that the members agree on. */
export function changesOfViews({ views, clock, virtualNodes, placesFor }: ViewChangesOptions): MemberChanges {
  const begin = async (proposed: View): Promise<void> => {
    const agreed = await views.agree(proposed)
    const same = JSON.stringify(replyOf(agreed)) === JSON.stringify(replyOf(proposed))
    if (!same) throw new StoreError('BUSY', 'another change of members came first')
  }

  const stable = (view: View): View => {
    if (view.next !== null) throw new StoreError('BUSY', `a change of members is under way: they will be ${view.next.map(({ id }) => id).join(', ')}`)
    return view
  }

  const current = async (): Promise<View> => {
    const asked = clock.now()
    const view = await views.current()
    if (clock.now() - asked > PATIENCE_MS * 1e6) throw new StoreError('BUSY', 'a majority was too slow to say who the members are')
    return view
  }

  const admit = async (node: NodeId): Promise<void> => {
    const view = await current()
    if (isIn(view.next ?? view.members, node)) return
    await begin(admitting(stable(view), node, await placesFor(node)))
  }

  const dismiss = async (node: NodeId): Promise<void> => {
    const view = await current()
    const { members, next } = view
    if (!isIn(next ?? members, node)) return
    // Whoever is only about to join is let go by giving that up.
    if (next !== null && !isIn(members, node)) await begin(abandoned(view))
    else if (members.length === 1) throw new StoreError('ERR', `${node} is the only member`)
    else await begin(dismissing(stable(view), node))
  }

  const replace = async (gone: NodeId, fresh: NodeId): Promise<void> => {
    const view = await current()
    const { members, next } = view
    if (isIn(next ?? members, fresh) && !isIn(next ?? members, gone)) return
    if (!isIn(members, gone)) throw new StoreError('ERR', `${gone} is no member`)
    if (isIn(members, fresh)) throw new StoreError('ERR', `${fresh} is a member already`)
    await begin(replacing(stable(view), gone, fresh, virtualNodes))
  }

  return { members: () => replyOf(views.view), admit, dismiss, replace }
}

/** The commands about members. */
export function membershipCommands({ changes, machines, fixed }: MembershipCommandsOptions): [string, Command][] {
  const machine = (word: Buffer): NodeId => {
    const id = word.toString('latin1')
    if (!machines.includes(id)) throw new StoreError('ERR', `there is no machine '${id.slice(0, 64)}'; there are ${machines.join(', ')}`)
    if (fixed !== undefined) throw new StoreError('ERR', fixed)
    return id
  }

  const command = (words: number, run: (nodes: readonly NodeId[]) => Promise<void>): Command => ({
    words: [words, words],
    keys: 'none',
    run: async ([, ...nodes]) => {
      await run(nodes.map(machine))
      return OK_REPLY
    },
  })

  return [
    ['MEMBERS', { words: [1, 1], keys: 'none', run: async () => bulkReply(JSON.stringify(await changes.members())) }],
    ['ADMIT', command(2, ([node]) => changes.admit(node!))],
    ['DISMISS', command(2, ([node]) => changes.dismiss(node!))],
    ['REPLACE', command(3, ([gone, fresh]) => changes.replace(gone!, fresh!))],
  ]
}
