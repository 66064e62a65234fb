/**
 * What of a timeline is shown: by key, by process or node, by function, by outcome.
 */
import { outcomes } from '../columns.ts'
import type { Operations } from './operations.ts'

/** The controls above a timeline that choose operations. */
export class Filter {
  readonly #root: HTMLElement
  /** One byte per operation, 1 where it is shown; null: all are. */
  mask: Uint8Array | null = null

  constructor(root: HTMLElement, operations: () => Operations | undefined, changed: () => void) {
    this.#root = root
    const apply = () => {
      const all = operations()
      if (all === undefined) return
      this.#apply(all)
      changed()
    }
    root.addEventListener('input', apply)
    root.querySelector('button.clear')!.addEventListener('click', () => {
      for (const control of root.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select')) control.value = ''
      apply()
    })
  }

  /** Whether the operation is shown. */
  shows(index: number): boolean {
    return this.mask === null || this.mask[index] === 1
  }

  /** Fills in one of the controls, as if somebody had typed it. */
  set(name: string, text: string): void {
    const control = this.#control(name)
    control.value = text
    control.dispatchEvent(new Event('input', { bubbles: true }))
  }

  #control(name: string): HTMLInputElement | HTMLSelectElement {
    return this.#root.querySelector<HTMLInputElement | HTMLSelectElement>(`[name="${name}"]`)!
  }

  #apply(operations: Operations): void {
    const words = (name: string) => this.#control(name).value.trim()
    const [key, process, f, outcome] = [words('key'), words('process'), words('function'), words('outcome')]
    const { columns, header } = operations
    const keys = key === '' ? null : operations.keysLike(key)
    const nodes = process === '' ? null : new Set(header.nodes.flatMap((node, index) => (node === process ? [index + 1] : [])))
    const kind = f === '' ? -1 : header.functions.indexOf(f)
    const ended = outcomes.findIndex((one) => one === outcome)
    const output = this.#root.querySelector('output')!
    if (keys === null && nodes === null && kind < 0 && ended < 0) {
      this.mask = null
      output.textContent = ''
      return
    }
    const mask = new Uint8Array(columns.length)
    let count = 0
    for (let index = 0; index < columns.length; index++) {
      const is = columns.kind[index]!
      if (ended >= 0 && (is & 3) !== ended) continue
      if (kind >= 0 && is >> 2 !== kind) continue
      if (keys !== null && !keys.has(columns.key[index]!)) continue
      if (nodes !== null && !nodes.has(columns.node[index]!) && String(columns.process[index]) !== process) continue
      mask[index] = 1
      count++
    }
    this.mask = mask
    output.textContent = `${count.toLocaleString('en-US')} of ${columns.length.toLocaleString('en-US')} operations`
  }
}
