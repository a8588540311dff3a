/** The one way to make HTML: what is not already `Html` is text, and text is escaped. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

const escapeText = (text: string): string => text.toWellFormed().replace(/[&<>"'`]/g, (sign) => entities[sign]!)

/** Not exported, so that nothing but the tag below can make one. */
class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** Finished HTML. `String(page)` is what goes on the wire. */
export type Html = Markup

/** What a template may hold. `undefined` and `false` leave nothing behind. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[]

/**
 * Builds HTML from a template: text is escaped for elements and quoted attributes, nested `Html` passes, lists join.
 * An address in `href`, `src` or `action` that is neither on the web nor a path of ours becomes `#`, since
 * escaping does nothing against `javascript:`.
 *
 * @throws TypeError where a value stands in an attribute without quotes: no escaping helps there
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0]!
  values.forEach((value, index) => {
    const before = strings[index]!
    if (/=\s*$/.test(before)) throw new TypeError(`a value needs quotes after ${before.slice(-20)}`)
    const address = /\b(?:href|src|action|formaction)\s*=\s*["']$/i.test(before)
    text += (address ? escapeText(safeAddress(String(value))) : render(value)) + strings[index + 1]!
  })
  return new Markup(text)
}

function render(value: HtmlValue): string {
  if (value instanceof Markup) return value.toString()
  if (value === undefined || value === false) return ''
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value))
  return value.map(render).join('')
}

/** A path (never `//host`), http, https, or an inlined picture. Browsers drop tabs and line ends, so none may hide here. */
function safeAddress(address: string): string {
  return /^(?:\/(?![/\\])|https?:\/\/|data:image\/|\?|#)[^\s\\]*$/i.test(address) ? address : '#'
}
