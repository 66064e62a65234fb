/**
 * The fault matrix: every fault on every driver, each cell really tried. A cell is green only when the fault was seen to
 * bite and seen to be healed; a driver that cannot carry it out says why.
 */
import type { Cluster } from '../cluster/cluster.ts'
import type { System, Zones } from '../cluster/system.ts'
import type { Random } from '../harness/env.ts'
import type { Fault } from './fault.ts'
import { faults } from './index.ts'
import { inject } from './nemesis.ts'

/** What came of one fault on one driver. */
export type Cell =
  | {
      readonly type: 'tried'
      readonly bit: boolean
      /** From the command to the observed effect. */
      readonly biteMs: number
      readonly bitEvidence: string
      readonly healed: boolean
      /** From the command to heal to the observed health. */
      readonly healMs: number
      readonly healEvidence: string
    }
  | { readonly type: 'impossible'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string }

/** A row: the text of a fault as it is tried. */
export interface Row {
  readonly fault: Fault
  readonly text: string
}

/** Every row: each fault with its samples, or as it is without any setting. */
export function matrixRows(): Row[] {
  return [...faults.values()].flatMap((fault) => (fault.samples ?? [`${fault.name}(${fault.variants[0]})`]).map((text) => ({ fault, text })))
}

/** Injects a fault, looks, heals it, looks again. Never rejects for what the fault does. */
export async function tryFault(text: string, field: { readonly cluster: Cluster; readonly system: System; readonly zones: Zones; readonly random: Random }): Promise<Cell> {
  const { clock } = field.cluster
  const elapsedMs = (since: number): number => (clock.now() - since) / 1e6
  try {
    const began = clock.now()
    const injection = await inject(text, field)
    const bite = await injection.verify()
    const biteMs = elapsedMs(began)
    const healing = clock.now()
    await injection.heal()
    const heal = await injection.verifyHealed()
    return { type: 'tried', bit: bite.seen, biteMs, bitEvidence: bite.evidence, healed: heal.seen, healMs: elapsedMs(healing), healEvidence: heal.evidence }
  } catch (error) {
    return { type: 'failed', reason: (error as Error).message.split('\n')[0]! }
  }
}

/** Whether a cell is as it should be: tried, bitten and healed, or impossible for a reason. */
export function isGreen(cell: Cell): boolean {
  return cell.type === 'impossible' || (cell.type === 'tried' && cell.bit && cell.healed)
}

function cellText(cell: Cell, note: (reason: string) => number): string {
  switch (cell.type) {
    case 'impossible':
      return `no [${note(cell.reason)}]`
    case 'failed':
      return `FAILED [${note(cell.reason)}]`
    case 'tried': {
      const bit = cell.bit ? `${cell.biteMs.toFixed(0)} ms` : `DID NOT BITE [${note(cell.bitEvidence)}]`
      return `${bit} / ${cell.healed ? `${cell.healMs.toFixed(0)} ms` : `NOT HEALED [${note(cell.healEvidence)}]`}`
    }
  }
}

/** What was tried on one driver, and on which day. */
export interface MatrixColumn {
  /** ISO 8601. */
  readonly tried: string
  /** By the text of the fault. */
  readonly cells: Readonly<Record<string, Cell>>
}

/** The matrix as a Markdown table: from command to observed effect / from heal to observed health; below it why not, and when. */
export function matrixTable(columns: Readonly<Record<string, MatrixColumn>>, rows: readonly Row[]): string {
  const reasons: string[] = []
  const note = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return reasons.indexOf(reason) + 1
  }
  const drivers = Object.keys(columns)
  const lines = rows.map(({ text }) => `| \`${text}\` | ${drivers.map((name) => columns[name]!.cells[text]).map((cell) => (cell === undefined ? '' : cellText(cell, note))).join(' | ')} |`)
  const days = Object.entries(columns).map(([name, { tried }]) => `${name} ${tried}`).join(', ')
  return [
    `| fault | ${drivers.join(' | ')} |`,
    `| --- |${drivers.map(() => ' --- |').join('')}`,
    ...lines,
    '',
    ...reasons.map((reason, i) => `${i + 1}. ${reason}`),
    '',
    `Tried: ${days}. What was seen stands in \`matrix.json\`, cell by cell.`,
    '',
  ].join('\n')
}
