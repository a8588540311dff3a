/** The scriptable provider, with the pages for browsers that it has none of. */
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { openRogueProvider, type RogueProvider } from '../support/rogue-provider.ts'

/** Answers the authorization endpoint. */
export type Page = (
  response: ServerResponse,
  asked: { readonly query: URLSearchParams; readonly issuer: string },
) => void

/** As a provider does that has never heard of `prompt=none`. */
export const loginForm: Page = (response) => {
  response.end('<h1>Sign in</h1><form method="post"><input name="login"><input type="password" name="password"></form>')
}

/** OpenID Connect Core 3.1.2.6, and the page for people where it is not asked for. */
export const honest: Page = (response, asked) => {
  const { query, issuer } = asked
  if (query.get('prompt') !== 'none') return loginForm(response, asked)
  const location = new URL(query.get('redirect_uri') ?? '')
  const answer = { error: 'login_required', state: query.get('state') ?? '', iss: issuer }
  location.search = new URLSearchParams(answer).toString()
  response.writeHead(302, { location: location.href }).end()
}

export async function openRogue(t: TestContext, page: Page = loginForm): Promise<RogueProvider> {
  const rogue = await openRogueProvider()
  const pages = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://pages')
    if (pathname === '/out') response.end()
    else page(response, { query: searchParams, issuer: rogue.issuer })
  })
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    pages.close()
    await rogue.close()
  })
  const base = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
  const endpoints = { authorization_endpoint: `${base}/in`, end_session_endpoint: `${base}/out` }
  rogue.script.discovery = (document) => ({ ...document, ...endpoints })
  return rogue
}
