import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import { type CookieJar, createCookieJar, isLoopbackHost } from './cookie-jar.ts'
import { type Form, formsOf, linksOf, textOf } from './forms.ts'

/** One answer on the way. */
export interface Hop {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** What this hop set, and why a browser would have refused it (undefined: taken). */
  readonly setCookies: readonly { readonly header: string; readonly refused: string | undefined }[]
}

/** Where a navigation ended. */
export interface Visit extends Hop {
  readonly body: string
  /** The body as a person reads it. */
  readonly text: string
  /** Every answer, the last one included. */
  readonly hops: readonly Hop[]
}

export interface NavigateOptions {
  /** The page with the link or form; left out: typed into the address bar. */
  readonly from?: string
  /** Of that page: with `no-referrer` a browser says `Origin: null` (Fetch 3.2). */
  readonly referrerPolicy?: string | null
  readonly method?: string
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Stop after this many redirects and return the answer as it is. Default 20, where more is an error. */
  readonly follow?: number
  /** Stop at the redirect that leads to an address which begins so, without opening it. */
  readonly stopBefore?: string
}

export interface FetchOptions {
  /** The page whose script asks; its origin goes along. */
  readonly from?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A browser without a screen: cookies, redirects and fetch metadata as Chromium does them, pages as text. */
export interface Browser {
  readonly cookies: CookieJar
  navigate(url: string, options?: NavigateOptions): Promise<Visit>
  /** Sends a form of the page, with some fields filled in. `form`: its action or one of its buttons, default the first. */
  submit(page: Visit, fields?: Readonly<Record<string, string>>, form?: string): Promise<Visit>
  /** Follows the link or presses the button with this text. */
  click(page: Visit, text: string): Promise<Visit>
  /** What a page's script gets: no redirect followed, cookies along only to its own site. */
  fetch(url: string, options?: FetchOptions): Promise<Visit>
  close(): Promise<void>
}

export interface BrowserOptions {
  /** For the expiry of cookies. */
  readonly now?: () => number
  /** False for cookies that never come back: blocked here, or withheld by something on the way. */
  readonly keeps?: (name: string) => boolean
}

/** Names under `.test` lead to 127.0.0.1, so that journeys over several hosts need no DNS. */
export function createBrowser({ now, keeps = () => true }: BrowserOptions = {}): Browser {
  const cookies = forgetful(createCookieJar(now), keeps)
  const agent = new Agent({ connect: { lookup, rejectUnauthorized: false } })
  const ask = createAsk(agent, cookies)

  const navigate = async (start: string, options: NavigateOptions = {}): Promise<Visit> => {
    let url = new URL(start, options.from)
    let { method = options.form === undefined ? 'GET' : 'POST', form } = options
    const hops: Hop[] = []
    const chain = new Site(options.from)
    for (let redirects = 0; ; redirects++) {
      const body = form && new URLSearchParams(form).toString()
      const headers = {
        ...navigationHeaders(url, chain.to(url)),
        ...originOf(method, options.from, '', options.referrerPolicy === 'no-referrer' ? 'null' : undefined),
        ...options.headers,
      }
      const crossSite = isCrossSite(options.from, url)
      const visit = await ask(url, { method, headers, body, context: { crossSite, laxNavigation: method === 'GET' } })
      hops.push(visit)
      const location = visit.headers.get('location')
      if (visit.status < 300 || visit.status > 399 || location === null) return { ...visit, hops }
      if (options.stopBefore !== undefined && new URL(location, url).href.startsWith(options.stopBefore)) {
        return { ...visit, hops }
      }
      if (redirects === (options.follow ?? 20)) {
        if (options.follow !== undefined) return { ...visit, hops }
        throw new Error(`redirects without end: ${hops.map((hop) => hop.url).join(' -> ')}`)
      }
      if (visit.status < 307) {
        method = 'GET'
        form = undefined
      }
      url = new URL(location, url)
    }
  }

  const send = (page: Visit, form: Form, fields: Readonly<Record<string, string>>) => {
    const url = new URL(form.action, page.url)
    const all = { ...form.fields, ...fields }
    const referrerPolicy = page.headers.get('referrer-policy')
    if (form.method === 'POST') return navigate(url.href, { from: page.url, form: all, referrerPolicy })
    url.search = new URLSearchParams(all).toString()
    return navigate(url.href, { from: page.url })
  }

  return {
    cookies,
    navigate,
    submit(page, fields = {}, wanted) {
      const forms = formsOf(page.body)
      const form = forms.find(
        ({ action, buttons }) => wanted === undefined || action === wanted || buttons.includes(wanted),
      )
      if (form === undefined) throw new Error(`no form ${wanted ?? ''} at ${page.url}: ${page.text.slice(0, 400)}`)
      return send(page, form, fields)
    },
    click(page, text) {
      const link = linksOf(page.body).find((each) => each.text === text)
      if (link !== undefined) return navigate(new URL(link.href, page.url).href, { from: page.url })
      const form = formsOf(page.body).find(({ buttons }) => buttons.includes(text))
      if (form !== undefined) return send(page, form, {})
      throw new Error(`nothing says "${text}" at ${page.url}: ${page.text.slice(0, 400)}`)
    },
    async fetch(address, { from, method = 'GET', headers = {}, body } = {}) {
      const url = new URL(address, from)
      const site = new Site(from).to(url)
      const crossSite = isCrossSite(from, url)
      const metadata = { 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
      const own = { accept: '*/*', ...(isMetadataSent(url) && metadata), ...originOf(method, from, site) }
      const visit = await ask(url, {
        method,
        headers: { ...own, ...headers },
        body,
        context: { crossSite, laxNavigation: false },
      })
      return { ...visit, hops: [visit] }
    },
    close: () => agent.close(),
  }
}

/** Signs in at the embedded provider's login page and follows on to wherever that leads. */
export async function signIn(browser: Browser, page: Visit, username: string, password = username): Promise<Visit> {
  return browser.submit(page, { username, password }, 'Sign in')
}

const forgetful = (jar: CookieJar, keeps: (name: string) => boolean): CookieJar => ({
  ...jar,
  set: (url, header, context) =>
    keeps(header.split('=', 1)[0]!.trim()) ? jar.set(url, header, context) : 'blocked by the test',
})

interface Question {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly context: Parameters<CookieJar['header']>[1]
}

function createAsk(dispatcher: Agent, cookies: CookieJar) {
  return async (url: URL, { method, headers, body, context }: Question) => {
    const cookie = cookies.header(url, context)
    const form = body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await request(url, {
      dispatcher,
      method: method as 'GET',
      headers: { 'user-agent': 'Mozilla/5.0 (journey)', ...form, ...headers, ...(cookie !== undefined && { cookie }) },
      ...(body !== undefined && { body }),
    })
    const text = await answer.body.text()
    const received = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const each of [value ?? []].flat()) received.append(name, each)
    }
    const setCookies = received.getSetCookie().map((header) => ({ header, refused: cookies.set(url, header, context) }))
    return { url: url.href, status: answer.statusCode, headers: received, setCookies, body: text, text: textOf(text) }
  }
}

const navigationHeaders = (url: URL, site: string): Record<string, string> => ({
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en',
  'upgrade-insecure-requests': '1',
  ...(isMetadataSent(url) && {
    'sec-fetch-site': site,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-user': '?1',
  }),
})

/** Origin goes with every unsafe method, and with every script's request to another origin (Fetch 3.1). */
function originOf(method: string, from: string | undefined, site = '', instead?: string): { origin?: string } {
  const wanted = (method !== 'GET' && method !== 'HEAD') || site === 'cross-site' || site === 'same-site'
  return wanted && from !== undefined ? { origin: instead ?? new URL(from).origin } : {}
}

/** Fetch Metadata goes to trustworthy addresses alone. */
const isMetadataSent = (url: URL): boolean => url.protocol === 'https:' || isLoopbackHost(url.hostname)

/** Scheme and registrable domain; two labels are enough for the names that tests use. */
const siteOf = (url: URL): string =>
  `${url.protocol}//${/^[\d.]+$|^\[/.test(url.hostname) ? url.hostname : url.hostname.split('.').slice(-2).join('.')}`

const isCrossSite = (from: string | undefined, url: URL): boolean =>
  from !== undefined && siteOf(new URL(from)) !== siteOf(url)

const siteRank = ['same-origin', 'same-site', 'cross-site']

/** Sec-Fetch-Site over a chain of redirects: the farthest hop so far counts (Fetch Metadata 2.3). */
class Site {
  readonly #from: URL | undefined
  #rank = 0

  constructor(from: string | undefined) {
    this.#from = from === undefined ? undefined : new URL(from)
  }

  to(url: URL): string {
    if (this.#from === undefined) return 'none'
    const rank = this.#from.origin === url.origin ? 0 : siteOf(this.#from) === siteOf(url) ? 1 : 2
    this.#rank = Math.max(this.#rank, rank)
    return siteRank[this.#rank]!
  }
}

const lookup: LookupFunction = (host, options, done) =>
  host.endsWith('.test') ? done(null, [{ address: '127.0.0.1', family: 4 }]) : systemLookup(host, options, done)
