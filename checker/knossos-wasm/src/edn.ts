/**
 * Reads EDN (the data notation of Clojure), as far as histories use it: lists, vectors and sets become arrays, tags are
 * dropped (`#jepsen.history.Op{...}` is its map). What JSON cannot tell apart is left to callers: keywords, symbols and
 * characters, which are no strings, map keys, which may be anything, and integers beyond 2^53, which become bigint.
 */

/** What the parser returns. */
export type Edn = null | boolean | number | bigint | string | EdnName | EdnMap | readonly Edn[]

/** A keyword, a symbol or a character: `:read` has the text "read". */
export class EdnName {
  readonly text: string
  /** As it stands in the file. */
  readonly written: string

  constructor(text: string, written: string) {
    this.text = text
    this.written = written
  }
}

/** A map, in the order of the file. */
export class EdnMap {
  readonly entries: readonly (readonly [key: Edn, value: Edn])[]

  constructor(entries: readonly (readonly [key: Edn, value: Edn])[]) {
    this.entries = entries
  }
}

/** A place that is not EDN; `at` is the offset in the text. */
export class EdnError extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.name = 'EdnError'
    this.at = at
  }
}

/** Parses one form after another. */
export class EdnParser {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Moves to the next form; false at the end. */
  more(): boolean {
    for (;;) {
      const c = this.text.charCodeAt(this.at)
      if (c === 59) {
        const end = this.text.indexOf('\n', this.at)
        this.at = end < 0 ? this.text.length : end
      } else if (c <= 32 || c === 44) this.at++
      else if (c === 35 && this.text[this.at + 1] === '_') {
        this.at += 2
        this.form()
      } else return this.at < this.text.length
    }
  }

  form(): Edn {
    if (!this.more()) throw new EdnError(this.at, 'the text ends in the middle of a form')
    const c = this.text[this.at]!
    if (c === '[') return this.#sequence(']')
    if (c === '(') return this.#sequence(')')
    if (c === '{') return this.#map()
    if (c === '"') return this.#string()
    if (c === '\\') return this.#character()
    if (c === '#') return this.#tagged()
    if (c === ']' || c === ')' || c === '}') throw new EdnError(this.at, `unexpected ${c}`)
    return this.#atom()
  }

  #sequence(close: string): Edn[] {
    const begun = this.at++
    const items: Edn[] = []
    for (;;) {
      if (!this.more()) throw new EdnError(begun, `no ${close} for the ${this.text[begun]} here`)
      if (this.text[this.at] === close) break
      items.push(this.form())
    }
    this.at++
    return items
  }

  #map(): EdnMap {
    const begun = this.at
    const items = this.#sequence('}')
    if (items.length % 2 === 1) throw new EdnError(begun, 'a map needs a value for every key')
    return new EdnMap(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!]))
  }

  #string(): string {
    const begun = this.at++
    let out = ''
    for (;;) {
      const c = this.text[this.at++]
      if (c === undefined) throw new EdnError(begun, 'this string does not end')
      if (c === '"') return out
      if (c !== '\\') {
        out += c
        continue
      }
      const escaped = this.text[this.at++]!
      if (escaped === 'u') {
        out += String.fromCharCode(parseInt(this.text.slice(this.at, this.at + 4), 16))
        this.at += 4
      } else out += { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[escaped] ?? escaped
    }
  }

  #character(): EdnName {
    const word = /^\\(newline|space|tab|return|u[0-9a-fA-F]{4}|[^])/.exec(this.text.slice(this.at, this.at + 8))![1]!
    this.at += word.length + 1
    const named: { readonly [name: string]: string } = { newline: '\n', space: ' ', tab: '\t', return: '\r' }
    return new EdnName(named[word] ?? (word.length === 5 ? String.fromCharCode(parseInt(word.slice(1), 16)) : word), `\\${word}`)
  }

  #tagged(): Edn {
    this.at++
    const c = this.text[this.at]
    if (c === '{') return this.#sequence('}')
    if (c === '#') {
      // ##NaN, ##Inf, ##-Inf: no history should hold them, but they must not be mistaken for numbers.
      this.at++
      const word = `##${this.#word()}`
      return new EdnName(word, word)
    }
    this.#atom()
    return this.form()
  }

  #word(): string {
    const begun = this.at
    while (this.at < this.text.length && !/[\s,;"()[\]{}]/.test(this.text[this.at]!)) this.at++
    return this.text.slice(begun, this.at)
  }

  #atom(): Edn {
    const begun = this.at
    const word = this.#word()
    if (word === '') throw new EdnError(begun, `unexpected ${JSON.stringify(this.text[begun])}`)
    if (word === 'nil') return null
    if (word === 'true') return true
    if (word === 'false') return false
    if (word.startsWith(':')) return new EdnName(word.slice(1), word)
    if (/^[+-]?\d+[NM]?$/.test(word)) {
      const digits = word.replace(/[NM]$/, '').replace(/^\+/, '')
      const number = Number(digits)
      return Number.isSafeInteger(number) ? number : BigInt(digits)
    }
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$/.test(word)) return Number(word.replace(/M$/, ''))
    return new EdnName(word, word)
  }
}
