/**
 * The ladder as the lattice that it is: stronger models above weaker ones, a line where one implies the other
 * (the theorems in `checker/ladder.ts`). Pure layout: layers by the longest path from the top, within a layer by the
 * mean place of what stands above (Sugiyama, Tagawa and Toda 1981, one sweep down). `lattice-svg.ts` draws it.
 */

/** What is placed: a model or an isolation level. */
export interface Named {
  readonly model: string
}

/** A model with its place, in pixels; `x`, `y` are the middle of its box. */
export interface PlacedRung<R extends Named> {
  readonly rung: R
  readonly x: number
  readonly y: number
  readonly width: number
}

/** A finished lattice. */
export interface Lattice<R extends Named> {
  readonly width: number
  readonly height: number
  readonly rungs: readonly PlacedRung<R>[]
  /** The stronger of the two comes first. */
  readonly lines: readonly (readonly [stronger: PlacedRung<R>, weaker: PlacedRung<R>])[]
}

const layerHeight = 66
export const rungHeight = 32
const characterWidth = 7.3
const gapMin = 18
const gapMax = 72

/** Places the rungs of a ladder. Models that imply nothing and follow from nothing stand aside in the last layer. */
export function layoutLattice<R extends Named>(ladder: readonly R[], implied: Readonly<Record<string, readonly string[]>>): Lattice<R> {
  const present = new Map(ladder.map((rung) => [rung.model, rung]))
  const below = (model: string): string[] => (implied[model] ?? []).filter((weaker) => present.has(weaker))
  const above = (model: string): string[] => ladder.map((rung) => rung.model).filter((stronger) => implied[stronger]?.includes(model) === true)
  const depth = (model: string): number => Math.max(0, ...above(model).map((stronger) => depth(stronger) + 1))
  const deepest = Math.max(0, ...ladder.map((rung) => depth(rung.model)))
  const alone = (model: string): boolean => below(model).length === 0 && above(model).length === 0
  const layers: R[][] = Array.from({ length: deepest + 1 }, () => [])
  for (const rung of ladder) layers[alone(rung.model) ? deepest : depth(rung.model)]!.push(rung)
  const boxes = layers.map((layer) => layer.reduce((sum, rung) => sum + boxWidth(rung), 0))
  const width = Math.max(0, ...layers.map((layer, index) => boxes[index]! + gapMin * (layer.length - 1)))
  const placed = new Map<string, PlacedRung<R>>()
  layers.forEach((layer, index) => {
    const mean = (model: string): number => {
      const parents = above(model).map((stronger) => placed.get(stronger)!.x)
      return parents.length === 0 ? Number.MAX_VALUE : parents.reduce((sum, x) => sum + x, 0) / parents.length
    }
    const gap = Math.max(gapMin, Math.min(gapMax, (width - boxes[index]!) / layer.length))
    let x = (width - boxes[index]! - gap * (layer.length - 1)) / 2
    for (const rung of layer.toSorted((a, b) => mean(a.model) - mean(b.model))) {
      const box = boxWidth(rung)
      placed.set(rung.model, { rung, x: x + box / 2, y: 24 + rungHeight / 2 + index * layerHeight, width: box })
      x += box + gap
    }
  })
  const rungs = [...placed.values()]
  return {
    width: Math.ceil(width) + 4,
    height: layers.length * layerHeight + 8,
    rungs,
    lines: rungs.flatMap((stronger) => below(stronger.rung.model).map((weaker) => [stronger, placed.get(weaker)!] as const)),
  }
}

function boxWidth({ model }: Named): number {
  return model.length * characterWidth + 46
}
