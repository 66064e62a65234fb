/**
 * The fault matrix: every fault on every driver, each cell really tried. A cell is green only when the fault was seen to
 * bite and seen to be healed; a driver that cannot carry it out says why.
 */
import type { Capability, CapabilityReport, Cluster } from '../cluster/cluster.ts'
import type { System, Zones } from '../cluster/system.ts'
import type { Random } from '../harness/env.ts'
import type { Fault } from './fault.ts'
import { faults } from './index.ts'
import { inject } from './nemesis.ts'
import { resolveFault, strikeProblem } from './notation.ts'
import type { Scene } from './targets.ts'

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

/** Why a driver cannot carry a row out, or the system cannot be struck so; undefined when it can. */
export function impossible({ fault, text }: Row, report: CapabilityReport, scene: Scene): string | undefined {
  const missing = fault.needs.find((capability: Capability) => !report[capability].available)
  return missing === undefined ? strikeProblem(resolveFault(text), scene) : report[missing].reason
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

/** The matrix as a Markdown table: from command to observed effect / from heal to observed health; below it why not. */
export function matrixTable(drivers: readonly string[], rows: readonly { readonly text: string; readonly cells: readonly Cell[] }[]): string {
  const reasons: string[] = []
  const note = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return reasons.indexOf(reason) + 1
  }
  const lines = rows.map(({ text, cells }) => `| \`${text}\` | ${cells.map((cell) => cellText(cell, note)).join(' | ')} |`)
  return [`| fault | ${drivers.join(' | ')} |`, `| --- |${drivers.map(() => ' --- |').join('')}`, ...lines, '', ...reasons.map((reason, i) => `${i + 1}. ${reason}`), ''].join('\n')
}
