/** As much of a browser as Keycloak's login pages need: cookies, forms, redirects, and nothing of the gateway. */
import type { Transport } from '../../issuer/transport.ts'
import { printable } from '../../oidc/failure.ts'

export type Answer =
  | { readonly kind: 'page'; readonly url: URL; readonly page: string }
  /** Would have gone to the redirect URI. */
  | { readonly kind: 'arrived'; readonly at: URL }

interface Form {
  readonly action: string
  readonly body: string
}

const mostRedirects = 10

export function createBrowsing(transport: Transport, signal: AbortSignal) {
  // One server, one jar: the domain and path of its cookies say nothing here.
  const cookies = new Map<string, string>()
  const call = async (url: URL, form?: URLSearchParams): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await transport.fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'text/html',
        'accept-language': 'en',
        ...(cookie !== '' && { cookie }),
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form !== undefined && { body: form.toString() }),
      signal,
    })
    for (const header of response.headers.getSetCookie()) keep(cookies, header)
    return response
  }
  /** Follows on until a page comes, or the way leads to `goal`. Never leaves the provider. */
  const open = async (start: URL, goal: string, form?: URLSearchParams): Promise<Answer> => {
    let url = start
    let body = form
    for (let redirects = 0; redirects < mostRedirects; redirects++) {
      const response = await call(url, body)
      const location = URL.parse(response.headers.get('location') ?? '', url.href)
      if (response.status < 300 || response.status > 399 || location === null) {
        return { kind: 'page', url, page: await response.text() }
      }
      if (location.href.startsWith(goal)) return { kind: 'arrived', at: location }
      if (location.origin !== start.origin) return { kind: 'page', url: location, page: '' }
      url = location
      body = undefined
    }
    return { kind: 'page', url, page: '' }
  }
  return {
    open,
    submit(from: Extract<Answer, { kind: 'page' }>, form: Form, typed: Readonly<Record<string, string>>, goal: string) {
      const fields = new URLSearchParams({ ...hiddenOf(form), ...typed })
      return open(new URL(form.action, from.url), goal, fields)
    },
  }
}

function keep(cookies: Map<string, string>, header: string): void {
  const [pair = '', ...attributes] = header.split(';')
  const equals = pair.indexOf('=')
  const [name, value] = [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
  const isOver = value === '' || attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))
  if (isOver) cookies.delete(name)
  else cookies.set(name, value)
}

/** The first form of the page that is sent by POST. */
export function formOn({ page }: Extract<Answer, { kind: 'page' }>): Form | undefined {
  for (const [, tag = '', body = ''] of page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    const action = attributeOf(tag, 'action')
    if (action !== undefined && /method\s*=\s*"?post/i.test(tag)) return { action, body }
  }
  return undefined
}

const inputsOf = ({ body }: Form): string[] => [...body.matchAll(/<input\b([^>]*)>/gi)].map(([, tag = '']) => tag)

export const fieldsOf = (form: Form): string[] => inputsOf(form).flatMap((tag) => attributeOf(tag, 'name') ?? [])

const hiddenOf = (form: Form): Record<string, string> =>
  Object.fromEntries(
    inputsOf(form)
      .filter((tag) => attributeOf(tag, 'type') === 'hidden')
      .flatMap((tag) => {
        const name = attributeOf(tag, 'name')
        return name === undefined ? [] : [[name, attributeOf(tag, 'value') ?? '']]
      }),
  )

/** What the page complains of, where it does so in the way of Keycloak's themes; some have an empty place for it first. */
export function errorOn({ page }: Extract<Answer, { kind: 'page' }>): string {
  const places = page.matchAll(/id="(?:input-error[\w-]*|kc-error-message)"[^>]*>([\s\S]*?)<\/(?:span|div)>/gi)
  const text = [...places].map(([, found = '']) => textIn(found)).find((one) => one !== '')
  return text === undefined ? 'it shows its login page again' : printable(text)
}

const textIn = (markup: string): string =>
  markup
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()

function attributeOf(tag: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}\\s*=\\s*"([^"]*)"`, 'i').exec(tag)?.[1]
  return value?.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
