/**
 * Which run is worth most? The next one goes to the cell that is known least: where the interval of its failure rate is
 * widest, runs that are under way counted as if they would hold. While nothing fails that is the cell with the fewest
 * runs, so that cells take turns; a cell that fails now and then gets more than one that always or never does. A run
 * that would not end within the budget is not begun.
 */
import { wilson } from '../../reports/wilson.ts'

/** When enough is known of a cell: the interval of its failure rate, at this confidence, is no wider than that. Both in 0..1. */
export interface Until {
  readonly confidence: number
  readonly width: number
}

/** What is known of a cell so far. */
export interface CellState {
  readonly decided: number
  readonly violated: number
  /** Runs without a verdict. */
  readonly unknown: number
  /** Runs that were handed out and have not ended. */
  readonly pending: number
  /** How long its next run will take at most. */
  readonly expectedMs: number
  /** Enough is known of it. */
  readonly stopped: boolean
}

/** A run worth making. */
export interface Choice {
  /** The cell's index. */
  readonly index: number
  /** What it would teach: the width of the interval before it, in 0..1. */
  readonly worth: number
}

/** The cell whose next run is worth most and fits, or undefined. `seeds`: runs of a cell at most. */
export function chooseCell(cells: readonly CellState[], leftMs: number, seeds: number): Choice | undefined {
  let best: Choice | undefined
  for (const [index, cell] of cells.entries()) {
    if (cell.stopped || cell.decided + cell.unknown + cell.pending >= seeds || cell.expectedMs > leftMs) continue
    const { low, high } = wilson(cell.violated, cell.decided + cell.pending)
    // A run that came to nothing taught nothing, but the cell has had its turn.
    const worth = (high - low) / (1 + cell.unknown)
    if (best === undefined || worth > best.worth + 1e-12) best = { index, worth }
  }
  return best
}

/** Whether enough is known of a cell. */
export function narrowEnough(violated: number, decided: number, { confidence, width }: Until): boolean {
  const { low, high } = wilson(violated, decided, confidence)
  return high - low <= width
}
