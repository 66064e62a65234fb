/**
 * The colours of the moment, read from the style sheet's variables, and who wants to know when they change
 * (the reader's system goes dark, or the page goes to the printer).
 */
import { variable } from '../palette.ts'
import type { Palette } from '../palette.ts'

const known = new Map<keyof Palette, string>()

/** A colour as it is now. */
export function colour(name: keyof Palette): string {
  let now = known.get(name)
  if (now === undefined) known.set(name, (now = getComputedStyle(document.documentElement).getPropertyValue(variable(name)).trim()))
  return now
}

/** Hatching in a colour, for what nobody knows. */
export function hatch(context: CanvasRenderingContext2D, ink: string, size = 6): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = tile.height = size
  const brush = tile.getContext('2d')
  if (brush === null) return ink
  brush.strokeStyle = ink
  brush.lineWidth = 1.6
  brush.beginPath()
  for (const shift of [-size, 0, size]) {
    brush.moveTo(shift, size)
    brush.lineTo(shift + size, 0)
  }
  brush.stroke()
  return context.createPattern(tile, 'repeat') ?? ink
}

/** Calls back whenever colours change. */
export function onThemeChange(redraw: () => void): void {
  const changed = () => {
    known.clear()
    redraw()
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed)
  matchMedia('print').addEventListener('change', changed)
}
