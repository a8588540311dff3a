/** Providers that end sessions, and a gateway that is told. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Browser } from './browser.ts'
import { clientId, startGateway, type TestGateway } from './gateway.ts'
import { type Json, openRogueProvider, type RogueProvider } from './rogue-provider.ts'

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** Two providers, and a gateway that knows both. */
export async function openLogoutWorld() {
  const [provider, other] = await Promise.all([openRogueProvider(), openRogueProvider()])
  const signed = (claims: Json, header: Json = {}, key = provider.keys[0]!, from = provider) =>
    from.sign(claimsOf(from, claims), { typ: 'logout+jwt', ...header }, key)
  return {
    provider,
    other,
    gatewayOf: (t: TestContext, store: 'memory' | 'cookie' = 'memory') =>
      startGateway(t, {
        store,
        config: { provider: undefined, providers: { main: configOf(provider), other: configOf(other) } },
      }),
    /** Signs somebody in at the first provider, in one of its sessions. */
    async signIn(gateway: TestGateway, sid: string, sub = 'alice-id'): Promise<Browser> {
      provider.person = { ...provider.person, sub, sid }
      const browser = gateway.browser()
      const asked = await browser.navigate(gateway.own('login?provider=main&rd=/'), { stopBefore: provider.issuer })
      const callback = provider.authorize(new URL(asked.headers.get('location') ?? ''))
      const visit = await browser.navigate(callback.href)
      assert.equal(visit.status, 200, visit.text)
      return browser
    },
    /** A logout token; undefined removes a claim. */
    signed,
    close: async () => void (await Promise.all([provider.close(), other.close()])),
  }
}

const configOf = ({ issuer, clientSecret }: RogueProvider) => ({ issuer, clientId, clientSecret })

/** Claims of an honest token. */
export const claimsOf = (from: RogueProvider, claims: Json = {}): Json => ({
  iss: from.issuer,
  aud: clientId,
  iat: from.now(),
  exp: from.now() + 120,
  jti: randomUUID(),
  events: { [logoutEvent]: {} },
  ...claims,
})

export const isSignedIn = async (gateway: TestGateway, browser: Browser): Promise<boolean> =>
  (await browser.fetch(gateway.own('session'))).status === 200

export const formOf = (token: string): string => new URLSearchParams({ logout_token: token }).toString()

export async function post(gateway: TestGateway, body: string, contentType = 'application/x-www-form-urlencoded') {
  const answer = await fetch(gateway.own('backchannel-logout'), {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

export const postToken = (gateway: TestGateway, token: string) => post(gateway, formOf(token))

export async function accepted(gateway: TestGateway, token: string): Promise<void> {
  const answer = await postToken(gateway, token)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
}
