/**
 * HTML from parts, escaped unless it is HTML already: the only way in which this folder makes markup.
 *
 * A history is hostile until shown otherwise: its keys and values come from a store under test.
 */
import { visible } from '../format.ts'

/** A piece of finished markup. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

type Part = Html | string | number | null | undefined | false | readonly Part[]

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as HTML text or as a quoted attribute's value. Unseen and bidirectional characters are written out. */
function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => entities[character]!)
}

function rendered(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (part instanceof Html) return part.text
  if (Array.isArray(part)) return part.map(rendered).join('')
  return escapeHtml(String(part))
}

/** `html\`<p>${text}</p>\`` escapes what is put in; markup, lists of markup and nothing at all pass. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]!
  parts.forEach((part, index) => (text += rendered(part) + strings[index + 1]!))
  return new Html(text)
}

/** JSON that may stand inside a script element: nothing in it can end the element or a line. */
export function scriptJson(value: unknown): Html {
  return new Html(JSON.stringify(value).replace(/</g, '\\u003c').replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029'))
}
