/** The links and forms of a page, read well enough to use pages that we or the embedded provider wrote. */

export interface Link {
  readonly text: string
  readonly href: string
}

export interface Form {
  readonly method: string
  readonly action: string
  /** Names and values that would be sent untouched. */
  readonly fields: Readonly<Record<string, string>>
  /** Texts of its buttons. */
  readonly buttons: readonly string[]
}

export function linksOf(page: string): Link[] {
  return [...page.matchAll(/<a\s([^>]*)>([\s\S]*?)<\/a>/gi)].map(([, tag = '', inner = '']) => ({
    text: textOf(inner),
    href: attribute(tag, 'href') ?? '',
  }))
}

export function formsOf(page: string): Form[] {
  return [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, tag = '', inner = '']) => ({
    method: (attribute(tag, 'method') ?? 'get').toUpperCase(),
    action: attribute(tag, 'action') ?? '',
    fields: Object.fromEntries(
      [...inner.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, input = '']) => {
        const name = attribute(input, 'name')
        return name === undefined ? [] : [[name, attribute(input, 'value') ?? '']]
      }),
    ),
    buttons: [...inner.matchAll(/<button\b[^>]*>([\s\S]*?)<\/button>/gi)].map(([, text = '']) => textOf(text)),
  }))
}

/** What a person reads: tags gone, entities decoded, white space folded. */
export const textOf = (markup: string): string =>
  decode(markup.replaceAll(/<style[\s\S]*?<\/style>|<[^>]*>/gi, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim()

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}\\s*=\\s*"([^"]*)"`, 'i').exec(tag)?.[1]
  return value === undefined ? undefined : decode(value)
}

const decode = (text: string): string =>
  text
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
