/**
 * Which puts and appends a text was made by, where it can only have been these: a text says what it consists of as long as nothing else that can still
 * be seen puts together to the same.
 */

/** Of an era (live-eras.ts): the longest text that was read, and of every state that led there, from the first remembered on. */
export interface Chain {
  text: string
  /** How long the text was. */
  lengths: number[]
  /** By when this state, or one behind it, was certainly there. */
  since: number[]
  /** How many states were forgotten. */
  base: number
}

/** A put or an append. */
export interface Written {
  /** What it puts or appends. */
  readonly text: string
  /** Of one that begins an era that was read. */
  chain: Chain | undefined
}

/** An era begun by `head` (undefined: by the first of `appended`, where nothing was), at a state of its chain (-1: one that was forgotten), or behind all of it where there is something `appended`. */
export interface Reading<Operation extends Written> {
  readonly head: Operation | undefined
  readonly state: number
  readonly appended: readonly Operation[]
}

/** So many pieces are looked up for one text, and so many more for each that there is. */
const LOOKED_UP_MAX = 256
const LOOKED_UP_EACH = 8
const NONE: ReadonlySet<never> = new Set<never>()

/** The puts and appends of one key that can still be seen. */
export class LiveTexts<Operation extends Written> {
  readonly #heads = new ByText<Operation>()
  readonly #pieces = new ByText<Operation>()
  #found: Reading<Operation> | undefined
  #ways = 0
  #patience = 0

  get size(): number {
    return this.#heads.size + this.#pieces.size
  }

  /** Something begins with this text, a put for example. False: something else does. */
  addHead(text: string, operation: Operation): boolean {
    return this.#heads.add(text, operation)
  }

  /** An append that no text has shown. False: another one appends the same. */
  addPiece(operation: Operation): boolean {
    return this.#pieces.add(operation.text, operation)
  }

  deleteHead(text: string): void {
    this.#heads.delete(text)
  }

  deletePiece({ text }: Operation): void {
    this.#pieces.delete(text)
  }

  /** What a text consists of; undefined where that is not certain. `none`: nobody wrote it. */
  read(text: string): Reading<Operation> | 'none' | undefined {
    if (text === '') return 'none'
    this.#found = undefined
    this.#ways = 0
    this.#patience = LOOKED_UP_MAX + LOOKED_UP_EACH * this.#pieces.size
    for (const length of this.#heads.lengths) {
      if (length > text.length) continue
      const head = this.#heads.get(text.slice(0, length))
      if (head !== undefined) this.#readFrom(head, text)
    }
    this.#addPieces(undefined, text, 0, NONE)
    if (this.#ways === 0) return 'none'
    const found = this.#found!
    return this.#ways > 1 || (found.head === undefined && this.#heads.get(found.appended[0]!.text) !== undefined) ? undefined : found
  }

  #readFrom(head: Operation, text: string): void {
    const { chain } = head
    const known = chain === undefined ? head.text : chain.text
    if (text.length > known.length) {
      if (beginsWith(text, known)) this.#addPieces(head, text, known.length, NONE)
    } else if (beginsWith(known, text)) {
      const state = chain === undefined ? 0 : chain.lengths.lastIndexOf(text.length)
      if (state < 0 && text.length > chain!.lengths[0]!) return
      this.#ways++
      this.#found = { head, state, appended: [] }
    }
  }

  /** Finds ways to make what follows in a text from `from` on, each piece used once. */
  #addPieces(head: Operation | undefined, text: string, from: number, before: ReadonlySet<Operation>): void {
    const appended = new Set(before)
    for (let at = from; at < text.length;) {
      let next: Operation | undefined
      for (const length of this.#pieces.lengths) {
        const piece = this.#piece(text, at, length)
        if (piece === undefined || appended.has(piece)) continue
        if (next === undefined) next = piece
        else if (this.#ways < 2) this.#addPieces(head, text, at + length, new Set([...appended, piece]))
      }
      if (next === undefined) return
      appended.add(next)
      at += next.text.length
    }
    this.#ways++
    this.#found = { head, state: -1, appended: [...appended] }
  }

  #piece(text: string, at: number, length: number): Operation | undefined {
    if (at + length > text.length) return undefined
    if (--this.#patience < 0) this.#ways = 2
    return this.#pieces.get(text.slice(at, at + length))
  }
}

/** As `startsWith`, which compares one character after the other, a hundred times as long. */
function beginsWith(text: string, beginning: string): boolean {
  return text.slice(0, beginning.length) === beginning
}

/** Operations by text, and the lengths of all these texts. */
class ByText<Operation> {
  readonly #operations = new Map<string, Operation>()
  readonly lengths: number[] = []
  /** How many texts are so long. */
  readonly #counts: number[] = []

  get size(): number {
    return this.#operations.size
  }

  get(text: string): Operation | undefined {
    return this.#operations.get(text)
  }

  add(text: string, operation: Operation): boolean {
    if (this.#operations.has(text)) return false
    this.#operations.set(text, operation)
    const at = this.lengths.indexOf(text.length)
    if (at >= 0) this.#counts[at]!++
    else this.#counts[this.lengths.push(text.length) - 1] = 1
    return true
  }

  delete(text: string): void {
    if (!this.#operations.delete(text)) return
    const at = this.lengths.indexOf(text.length)
    if (--this.#counts[at]! > 0) return
    this.lengths.splice(at, 1)
    this.#counts.splice(at, 1)
  }
}
