/**
 * Lines at the bottom of a terminal that are drawn again in place, while other text goes on above them. Where lines
 * cannot be rewritten (a pipe, CI), nothing is drawn and only the other text is written.
 */

/** Where the lines go. */
export interface RedrawOptions {
  write(text: string): void
  /** Whether lines can be rewritten. */
  readonly live: boolean
  /** Milliseconds since some fixed point. */
  nowMs(): number
  /** Calls back again and again, so that clocks in the lines go on while nothing happens; returns how to stop that. */
  every?(ms: number, callback: () => void): () => void
  /** The least time between two drawings that are not asked for. */
  readonly everyMs: number
}

/** Lines that are rewritten. */
export interface Redraw {
  /** Draws them again unless that was just done. */
  refresh(): void
  /** Draws them again now. */
  draw(): void
  /** Writes a line above them. */
  say(text: string): void
  /** Removes them and forgets the timer. */
  stop(): void
}

const tickEveryMs = 500

/** What `lines` gives, drawn again and again; none may be wider than the terminal, nor all together higher. */
export function createRedraw({ write, live, nowMs, every, everyMs }: RedrawOptions, lines: () => readonly string[]): Redraw {
  let drawn = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  let untick: (() => void) | undefined

  const erase = () => {
    if (drawn > 0) write(`\u001b[${drawn}A\u001b[0J`)
    drawn = 0
  }
  const draw = () => {
    if (!live) return
    erase()
    const now = lines()
    for (const line of now) write(`${line}\n`)
    drawn = now.length
    drawnAt = nowMs()
    untick ??= every?.(tickEveryMs, refresh)
  }
  const refresh = () => {
    if (nowMs() - drawnAt >= everyMs) draw()
  }
  return {
    refresh,
    draw,
    say(text) {
      if (live) erase()
      write(`${text}\n`)
      draw()
    },
    stop() {
      untick?.()
      untick = undefined
      erase()
    },
  }
}
