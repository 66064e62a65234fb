/**
 * Which run is worth most? The next one goes to the cell that is known least: where the interval of its failure rate is
 * widest. While nothing fails that is the cell with the fewest runs, so that cells take turns; a cell that fails now and
 * then gets more than one that always or never does. A run that would not end within the budget is not begun.
 */
import { wilson } from '../../reports/wilson.ts'

/** What is known of a cell so far. */
export interface CellState {
  readonly decided: number
  readonly violated: number
  /** Runs without a verdict. */
  readonly unknown: number
  /** How long its next run will take at most. */
  readonly expectedMs: number
}

/** The index of the cell whose next run is worth most and fits, or undefined. `seeds`: runs of a cell at most. */
export function chooseCell(cells: readonly CellState[], leftMs: number, seeds: number): number | undefined {
  let best: number | undefined
  let width = -1
  for (const [index, cell] of cells.entries()) {
    if (cell.decided + cell.unknown >= seeds || cell.expectedMs > leftMs) continue
    const { low, high } = wilson(cell.violated, cell.decided)
    // A run that came to nothing taught nothing, but the cell has had its turn.
    const worth = (high - low) / (1 + cell.unknown)
    if (worth > width + 1e-12) [best, width] = [index, worth]
  }
  return best
}
