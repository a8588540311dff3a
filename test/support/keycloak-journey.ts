import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Browser, Visit } from './browser.ts'
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts'
import { openKeycloak } from './keycloak.ts'
import { makeRealm, type Realm, type RealmOptions } from './keycloak-realm.ts'

export interface KeycloakJourney {
  readonly realm: Realm
  readonly gateway: TestGateway
}

/** A realm on the real Keycloak and a whole gateway in front of an application; undefined where there is no Keycloak. */
export async function openJourney(
  t: TestContext,
  options: { realm?: RealmOptions; gateway?: (realm: Realm) => GatewayOptions } = {},
): Promise<KeycloakJourney | undefined> {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return undefined
  const realm = await makeRealm(t, keycloak, options.realm)
  const gateway = await startGateway(t, { ...realm.gateway, ...options.gateway?.(realm) })
  return { realm, gateway }
}

/** Fills in the login page of Keycloak as it stands, and goes on to wherever that leads. */
export async function signInAtKeycloak(browser: Browser, page: Visit, username: string, password = username) {
  assert.match(page.text, /Sign in to your account|Sign in to doorward/, page.url)
  return browser.submit(page, { username, password }, 'Sign In')
}

/** From an address of the application through the login page and back. */
export async function arrive(
  { gateway }: KeycloakJourney,
  username: string,
  address = '/',
  browser = gateway.browser(),
) {
  const page = await browser.navigate(gateway.origin + address)
  return { browser, visit: await signInAtKeycloak(browser, page, username) }
}

/** What the application was told of the person in its last request. */
export const toldOf = ({ gateway }: KeycloakJourney) => gateway.application.last().headers

export const refresh = ({ gateway }: KeycloakJourney, browser: Browser) =>
  browser.fetch(gateway.own('session/refresh'), { from: gateway.origin, method: 'POST' })

export const sessionStatus = async ({ gateway }: KeycloakJourney, browser: Browser): Promise<number> =>
  (await browser.fetch(gateway.own('session'))).status
