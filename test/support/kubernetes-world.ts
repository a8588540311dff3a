/** A provider, a gateway and a Kubernetes API behind it, all by one clock that can be moved. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import type { Browser } from './browser.ts'
import { type ConfigKeys, clientId, startGateway, type TestGateway } from './gateway.ts'
import { type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts'
import { openRogueProvider, type RogueProvider } from './rogue-provider.ts'

export interface KubernetesWorld {
  readonly gateway: TestGateway
  readonly provider: RogueProvider
  readonly api: KubernetesApi
  /** Signs the provider's person in. */
  signIn(): Promise<Person>
}

export interface Person {
  readonly browser: Browser
  /** What their browser sends along. */
  readonly headers: { readonly cookie: string; readonly origin: string }
  /** A call of the API by a page's script, and what the API said. */
  ask(path: string, options?: { method?: string; headers?: Readonly<Record<string, string>> }): Promise<Said>
}

export interface Said {
  readonly status: number
  readonly body: string
}

export interface KubernetesWorldOptions {
  /** The route to the API, without `upstream`. */
  readonly route: ConfigKeys
  readonly config?: ConfigKeys
  readonly allowed?: readonly string[]
  /** The API knows no provider: service accounts alone. */
  readonly withoutOidc?: true
}

/** Where a sign-in ends, without a call of the API. */
export const landing = { path: '/landing', allow: 'signedIn', respond: { body: 'signed in' } }
export const namespaces = '/api/v1/namespaces'
export const exec = '/api/v1/namespaces/default/pods/web-0/exec?command=sh&stdin=true'

export async function openKubernetesWorld(t: TestContext, options: KubernetesWorldOptions): Promise<KubernetesWorld> {
  const provider = await openRogueProvider()
  t.after(provider.close)
  let now = Date.now
  const oidc = {
    issuer: provider.issuer,
    audience: clientId,
    usernameClaim: 'preferred_username',
    usernamePrefix: 'oidc:',
    groupsClaim: 'groups',
    groupsPrefix: 'oidc:',
    now: () => now(),
  }
  const { allowed = ['oidc:/staff'] } = options
  const api = await startKubernetesApi(options.withoutOidc ? { allowed } : { oidc, allowed })
  t.after(api.close)
  const gateway = await startGateway(t, {
    config: {
      provider: { issuer: provider.issuer, clientId, clientSecret: provider.clientSecret },
      identityHeaders: 'none',
      bearer: [{ issuer: provider.issuer, audience: 'api' }],
      routes: [
        landing,
        { path: '/public/*', allow: 'public', upstream: api.url },
        { allow: 'signedIn', upgrades: ['websocket', 'SPDY/3.1'], upstream: api.url, ...options.route },
      ],
      ...options.config,
    },
  })
  now = gateway.clock.now
  provider.now = () => Math.floor(gateway.clock.now() / 1000)
  return { gateway, provider, api, signIn: () => signIn(gateway, provider) }
}

async function signIn(gateway: TestGateway, provider: RogueProvider): Promise<Person> {
  const browser = gateway.browser()
  const login = gateway.own('login?rd=/landing')
  const asked = await browser.navigate(login, { stopBefore: provider.issuer })
  const callback = provider.authorize(new URL(asked.headers.get('location') ?? ''))
  const visit = await browser.navigate(callback.href)
  assert.equal(visit.status, 200, visit.text)
  return {
    browser,
    headers: { cookie: browser.cookies.header(new URL(gateway.origin)) ?? '', origin: gateway.origin },
    async ask(path, { method = 'GET', headers = {} } = {}) {
      const { status, body } = await browser.fetch(gateway.origin + path, { from: gateway.origin, method, headers })
      return { status, body }
    },
  }
}

export interface Spdy {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Undefined where there was no switch. */
  readonly stream: Duplex | undefined
}

/** What kubectl before 1.31 does for exec: a POST without a body that asks to switch to SPDY/3.1. */
export async function openSpdy(t: TestContext, url: string, headers: http.OutgoingHttpHeaders): Promise<Spdy> {
  const request = http.request(url, {
    method: 'POST',
    headers: {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'content-length': '0',
      'x-stream-protocol-version': ['v4.channel.k8s.io', 'v3.channel.k8s.io'],
      ...headers,
    },
  })
  const upgraded = once(request, 'upgrade').then(([answer, stream]) => ({ answer, stream: stream as Duplex }))
  const refused = once(request, 'response').then(([answer]) => ({ answer, stream: undefined }))
  // One of the two never happens.
  for (const either of [upgraded, refused]) either.catch(() => {})
  request.end()
  const { answer, stream } = await Promise.race([upgraded, refused])
  const { statusCode = 0, headers: received } = answer as http.IncomingMessage
  t.after(() => request.destroy())
  return { status: statusCode, headers: received, stream }
}

/** An answer that goes on: its first piece, and how it ends. */
export async function openStream(url: string, headers: Readonly<Record<string, string>>) {
  const answer = await fetch(url, { headers })
  const reader = answer.body!.getReader()
  const next = async () => Buffer.from((await reader.read()).value ?? []).toString()
  /** `whole`, or `cut` where it ended in the middle. */
  async function ended(): Promise<'whole' | 'cut'> {
    try {
      while (!(await reader.read()).done);
      return 'whole'
    } catch {
      return 'cut'
    }
  }
  return { status: answer.status, next, ended }
}
