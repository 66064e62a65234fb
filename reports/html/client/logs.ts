/**
 * The nodes' logs in the page: searched by text, by node, and by what the timeline shows. A line's time leads there.
 */
import type { LogLine } from '../logs.ts'
import type { View } from './timeline-draw.ts'

const shownMax = 400

/** The logs of one run. */
export class LogView {
  readonly #root: HTMLElement
  readonly #lines: readonly LogLine[]
  readonly #goTo: (time_s: number) => void
  #view: View | undefined

  constructor(root: HTMLElement, lines: readonly LogLine[], goTo: (time_s: number) => void) {
    this.#root = root
    this.#lines = lines
    this.#goTo = goTo
    root.querySelector('.toolbar')!.addEventListener('input', () => this.#fill())
    this.#fill()
  }

  /** The timeline shows another part of the run. */
  moved(view: View): void {
    this.#view = view
    if (this.#control('inview').checked) this.#fill()
  }

  #control(name: string): HTMLInputElement {
    return this.#root.querySelector<HTMLInputElement>(`[name="${name}"]`)!
  }

  #fill(): void {
    const text = this.#control('text').value.trim().toLowerCase()
    const node = this.#control('node').value
    const view = this.#control('inview').checked ? this.#view : undefined
    const found = this.#lines.filter((line) => (node === '' || line.node === node) && (text === '' || line.text.toLowerCase().includes(text)) && (view === undefined || (line.time_s !== null && line.time_s >= view.from_s && line.time_s <= view.to_s)))
    this.#root.querySelector('output')!.textContent = `${found.length.toLocaleString('en-US')} of ${this.#lines.length.toLocaleString('en-US')} lines${found.length > shownMax ? `, the first ${shownMax} shown` : ''}`
    this.#root.querySelector('tbody')!.replaceChildren(...found.slice(0, shownMax).map((line) => this.#row(line)))
  }

  #row({ node, time_s, text }: LogLine): HTMLElement {
    const row = document.createElement('tr')
    const [when, who, what] = [document.createElement('td'), document.createElement('td'), document.createElement('td')]
    if (time_s !== null) {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = `${time_s.toFixed(3)} s`
      button.title = 'Show this moment in the timeline'
      button.addEventListener('click', () => this.#goTo(time_s))
      when.append(button)
    }
    who.textContent = node
    what.textContent = text
    row.append(when, who, what)
    return row
  }
}
