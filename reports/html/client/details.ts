/**
 * The panel below a timeline: everything about the operation in question, and shortcuts that filter by it.
 */
import { cellHeads } from './operations.ts'
import type { Filter } from './filter.ts'
import type { Operations } from './operations.ts'

/** The panel of one timeline. */
export class Details {
  readonly #list: HTMLElement
  readonly #status: HTMLElement
  readonly #actions: HTMLElement
  #index = -1

  constructor(root: HTMLElement, operations: () => Operations | undefined, filter: Filter) {
    this.#list = root.querySelector<HTMLElement>('.details dl')!
    this.#status = root.querySelector<HTMLElement>('.operation')!
    this.#actions = root.querySelector<HTMLElement>('.details .actions')!
    this.#actions.addEventListener('click', (event) => {
      const by = (event.target as HTMLElement).dataset['by']
      const all = operations()
      if (by === undefined || all === undefined || this.#index < 0) return
      const cell = all.cells(this.#index)[cellHeads.findIndex((head) => head === by)] ?? ''
      filter.set(by === 'node' ? 'process' : by, by === 'key' ? all.keyText(this.#index) : cell)
    })
  }

  /** Shows an operation. */
  show(operations: Operations, index: number): void {
    this.#index = index
    this.#status.textContent = operations.describe(index)
    this.#actions.hidden = false
    const row = operations.columns.row[index]!
    const witnesses = operations.header.moments.filter((moment) => moment.rows.includes(row)).map((moment) => `${moment.judgement}, witness ${moment.witness + 1}`)
    const pairs = [...cellHeads.map((head, at) => [head, operations.cells(index)[at]!] as const), ['line of history.jsonl', String(row + 1)] as const, ...(witnesses.length === 0 ? [] : [['part of', witnesses.join('; ')] as const])]
    this.#list.replaceChildren(...pairs.map(([head, text]) => {
      const pair = document.createElement('div')
      const [term, description] = [document.createElement('dt'), document.createElement('dd')]
      term.textContent = head
      description.textContent = text
      pair.append(term, description)
      return pair
    }))
  }
}
