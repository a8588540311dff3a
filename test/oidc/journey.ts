/** One login over a rogue provider, for the tests of this room. */
import type { TestContext } from 'node:test'
import type { ProviderConfig } from '../../src/config/config.ts'
import type { Clock } from '../../src/core/clock.ts'
import { randomToken } from '../../src/core/encoding.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import type { Proof } from '../../src/core/proof.ts'
import { Secret } from '../../src/core/secret.ts'
import { LoginFailure } from '../../src/oidc/failure.ts'
import { beginLogin, finishLogin, type LoginRequest } from '../../src/oidc/login.ts'
import { openProvider, type Provider } from '../../src/oidc/provider.ts'
import { openRogueProvider, type RogueProvider } from '../support/rogue-provider.ts'

export const redirectUri = 'https://app.example.com/_doorward/callback'

export interface World {
  readonly rogue: RogueProvider
  readonly provider: Provider
  readonly clock: { time: number } & Clock
}

export const fakeClock = () => ({
  time: Date.now(),
  now(): number {
    return this.time
  },
})

export function providerConfig(rogue: { issuer: string; clientSecret: string }): ProviderConfig {
  return {
    name: 'default',
    label: 'Sign in',
    kind: 'keycloak',
    issuer: rogue.issuer,
    internalUrl: undefined,
    jwksUrl: undefined,
    endpoints: { authorization: undefined, token: undefined, userinfo: undefined, endSession: undefined },
    caFile: undefined,
    clientId: 'gateway',
    clientAuth: { method: 'client_secret_basic', secret: new Secret(rogue.clientSecret) },
    scopes: ['openid', 'profile', 'email'],
    authorizationParameters: {},
    allowedParameters: [],
    prompt: undefined,
    allowedOrgs: undefined,
    allowedEmails: undefined,
    trustUnverifiedEmail: false,
    groupPaths: 'keep',
    groupsKept: [],
    groupsClaim: 'groups',
    accountKinds: {},
    claimsKept: [],
    timeout: 2000,
  }
}

export async function openWorld(
  t: TestContext,
  changes: Partial<ProviderConfig> = {},
  log: Log = silentLog,
): Promise<World> {
  const rogue = await openRogueProvider()
  t.after(rogue.close)
  const clock = fakeClock()
  const provider = openProvider({ ...providerConfig(rogue), ...changes }, { clock, log, allowInsecureHttp: false })
  t.after(provider.close)
  return { rogue, provider, clock }
}

export const newTransaction = () => ({ state: randomToken(), nonce: randomToken(), codeVerifier: randomToken() })

/** From the first redirect to the proof. `tamper` changes the callback address on its way through the browser. */
export async function logIn(
  { rogue, provider }: World,
  request: Partial<LoginRequest> = {},
  tamper: (callback: URL) => URL = (callback) => callback,
): Promise<Proof> {
  const transaction = newTransaction()
  const url = await beginLogin(provider, { redirectUri, ...transaction, ...request })
  const callback = tamper(rogue.authorize(url))
  const { maxAge } = request
  return finishLogin(provider, callback, { ...transaction, ...(maxAge !== undefined && { maxAge }) })
}

export async function failureOf(attempt: Promise<unknown>): Promise<LoginFailure> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof LoginFailure) return error
    throw error
  }
  throw new Error('the login went through')
}
