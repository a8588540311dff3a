/** One gateway behind an ingress for many applications: hosts by route, one login or one each. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Browser, signIn, type Visit } from '../support/browser.ts'
import { seconds } from '../support/clock.ts'
import { freePort } from '../support/free-port.ts'
import {
  type ConfigKeys,
  clientAt,
  clientId,
  clientSecret,
  startGateway,
  type TestGateway,
} from '../support/gateway.ts'
import { type Ingress, startIngress } from '../support/ingress.ts'

interface Cluster {
  readonly gateway: TestGateway
  readonly ingress: Ingress
  /** `https://NAME.example.test`, with the port of the ingress. */
  at(name: string): string
}

interface ClusterOptions {
  /** Names of publicUrl; the first is where hosts without an address of their own sign in. */
  readonly publicNames: readonly string[]
  readonly session?: ConfigKeys
  readonly routes: (host: (name: string) => string) => ConfigKeys[]
}

const hostAt = (name: string, port: number) => `${name}.example.test:${port}`

async function startCluster(t: TestContext, { publicNames, session, routes }: ClusterOptions): Promise<Cluster> {
  const edge = await freePort()
  const at = (name: string) => `https://${hostAt(name, edge)}`
  const gateway = await startGateway(t, {
    publicUrl: () => at(publicNames[0]!),
    ...(session && { session }),
    config: {
      publicUrl: publicNames.map(at),
      forwardAuth: '127.0.0.1:0',
      trustedProxies: ['127.0.0.1'],
      routes: routes((name) => hostAt(name, edge)),
    },
  })
  const uris = publicNames.map((name) => clientAt(at(name)))
  await gateway.idp.addClient({
    ...uris[0]!,
    redirectUris: uris.flatMap(({ redirectUris }) => redirectUris),
    postLogoutRedirectUris: uris.flatMap(({ postLogoutRedirectUris }) => postLogoutRedirectUris),
  })
  const own = { port: gateway.port, forwardAuth: gateway.server.addresses.forwardAuth! }
  const ingress = await startIngress(t, { port: edge, gateways: { '': own }, application: gateway.application.url })
  return { gateway, ingress, at }
}

const hostsOf = ({ hops }: Visit): string[] => hops.map(({ url }) => new URL(url).hostname)
const reached = (visit: Visit): [number, string] => [visit.status, visit.url]
const sessionCookies = (browser: Browser) =>
  browser.cookies.all().filter(({ name }) => /^__(?:Secure|Host-Http)-dw-[0-9a-f]{8}$/.test(name))

const oneLogin: ClusterOptions = {
  publicNames: ['auth'],
  session: { cookieDomain: 'example.test' },
  routes: (host) => [
    { host: host('grafana'), allow: 'signedIn' },
    { host: host('wiki'), path: '/staff/*', allow: { groups: ['/admins'] } },
    { host: host('wiki'), allow: 'signedIn' },
  ],
}

test('one login for all hosts: signed in at auth., back where it began, and known next door', async (t) => {
  const { gateway, ingress, at } = await startCluster(t, oneLogin)
  const browser = gateway.browser()
  const page = await browser.navigate(`${at('grafana')}/d/1?from=now&to=x%20y`)
  assert.ok(hostsOf(page).includes('auth.example.test'), 'the login host was on the way')
  const first = await signIn(browser, page, 'bob')
  assert.deepEqual(reached(first), [200, `${at('grafana')}/d/1?from=now&to=x%20y`])
  const [cookie, ...more] = sessionCookies(browser)
  assert.deepEqual([cookie?.domain, cookie?.hostOnly, more], ['example.test', false, []])

  const logins = gateway.idp.counts.authorization
  const second = await browser.navigate(`${at('wiki')}/home`)
  assert.deepEqual([reached(second), hostsOf(second)], [[200, `${at('wiki')}/home`], ['wiki.example.test']])
  assert.equal(gateway.idp.counts.authorization, logins, 'nobody was asked again')
  assert.equal(gateway.application.last().headers['x-auth-user'], 'bob')

  assert.equal((await browser.navigate(`${at('wiki')}/staff/x`)).status, 403, 'each host has rules of its own')
  assert.equal((await browser.navigate(`${at('grafana')}/staff/x`)).status, 200)
  assert.equal((await browser.navigate(`${at('other')}/`)).status, 403, 'a host that no route names')
  assert.deepEqual(
    ingress.answers.filter(({ status }) => status === 200).map(({ host }) => host.split('.')[0]),
    ['grafana', 'wiki', 'grafana'],
  )
})

test('one login for all hosts: signed out at one is signed out everywhere, and a copied cookie is dead', async (t) => {
  const { gateway, at } = await startCluster(t, oneLogin)
  const browser = gateway.browser()
  await signIn(browser, await browser.navigate(`${at('grafana')}/`), 'ada')
  const copied = sessionCookies(browser).map(({ name, value }) => `${name}=${value}`)
  const out = await browser.navigate(`${at('auth')}/_doorward/logout`)
  assert.equal(out.status, 200, out.text)
  assert.deepEqual(sessionCookies(browser), [])
  for (const name of ['grafana', 'wiki']) {
    const script = await browser.fetch(`${at(name)}/x`, { headers: { cookie: copied.join('; ') } })
    assert.equal(script.status, 401, name)
  }
})

test('one login for all hosts: nobody is sent back to a host that no route names', async (t) => {
  const { gateway, at } = await startCluster(t, oneLogin)
  const browser = gateway.browser()
  await signIn(browser, await browser.navigate(`${at('grafana')}/`), 'ada')
  const returned = async (rd: string) => {
    // The loop breaker looks for hops that follow each other faster than people do.
    gateway.clock.move(11 * seconds)
    const login = `${at('auth')}/_doorward/login?rd=${encodeURIComponent(rd)}`
    const visit = await browser.navigate(login, { follow: 0 })
    return visit.headers.get('location')
  }
  for (const mine of [`${at('wiki')}/a?b=c`, `${at('grafana')}/`]) assert.equal(await returned(mine), mine)
  const elsewhere = [
    'https://evil.test/',
    `${at('other')}/`,
    `${at('wiki').replace('https:', 'http:')}/`,
    'https://wiki.example.test:1/',
    `https://${new URL(at('wiki')).host}@evil.test/`,
    `${at('x.wiki')}/`,
    '//evil.test/',
  ]
  for (const rd of elsewhere) assert.equal(await returned(rd), `${at('auth')}/`, rd)
})

test('a list of public addresses: a cookie each, that is nothing next door', async (t) => {
  const { gateway, at } = await startCluster(t, {
    publicNames: ['grafana', 'wiki'],
    routes: (host) => [
      { host: host('grafana'), allow: 'signedIn' },
      { host: host('wiki'), allow: 'signedIn' },
    ],
  })
  const browser = gateway.browser()
  const page = await browser.navigate(`${at('grafana')}/a`)
  assert.deepEqual(reached(await signIn(browser, page, 'ada')), [200, `${at('grafana')}/a`])
  const atGrafana = sessionCookies(browser)
  assert.deepEqual(
    atGrafana.map(({ domain, hostOnly }) => [domain, hostOnly]),
    [['grafana.example.test', true]],
  )
  const [{ name, value }] = atGrafana as [(typeof atGrafana)[number]]
  const copied = await browser.fetch(`${at('wiki')}/a`, { headers: { cookie: `${name}=${value}` } })
  assert.equal(copied.status, 401)

  const second = await browser.navigate(`${at('wiki')}/b`)
  assert.deepEqual(reached(second), [200, `${at('wiki')}/b`], 'the provider knows the person: no second password')
  assert.ok(hostsOf(second).includes('localhost'), 'a login of its own')
  const all = sessionCookies(browser)
  assert.deepEqual(all.map(({ domain }) => domain).sort(), ['grafana.example.test', 'wiki.example.test'])
  assert.equal(new Set(all.map((cookie) => cookie.name)).size, 2, 'names of their own')
})

test('two gateways of one client under one parent domain: neither reads nor overwrites the other', async (t) => {
  const edge = await freePort()
  const at = (name: string) => `https://${hostAt(name, edge)}`
  const open = async (login: string, app: string, shared?: TestGateway) => {
    const gateway = await startGateway(t, {
      publicUrl: () => at(login),
      session: { cookieDomain: 'example.test' },
      config: {
        forwardAuth: '127.0.0.1:0',
        trustedProxies: ['127.0.0.1'],
        routes: [{ host: hostAt(app, edge), allow: 'signedIn' }],
        ...(shared && { provider: { issuer: shared.issuer, clientId, clientSecret } }),
      },
    })
    return { gateway, port: gateway.port, forwardAuth: gateway.server.addresses.forwardAuth! }
  }
  const one = await open('auth-a', 'a')
  const other = await open('auth-b', 'b', one.gateway)
  const both = ['auth-a', 'auth-b'].flatMap((login) => clientAt(at(login)).redirectUris)
  await one.gateway.idp.addClient({ ...clientAt(at('auth-a')), redirectUris: both })
  const named = { 'auth-a.example.test': one, 'a.example.test': one, '': other }
  await startIngress(t, { port: edge, gateways: named, application: one.gateway.application.url })
  const browser = one.gateway.browser()
  await signIn(browser, await browser.navigate(`${at('a')}/`), 'ada')
  await browser.navigate(`${at('b')}/`)
  const names = sessionCookies(browser).map(({ name }) => name)
  assert.equal(new Set(names).size, 2)
  for (const name of ['a', 'b']) {
    const visit = await browser.navigate(`${at(name)}/again`)
    assert.deepEqual(hostsOf(visit), [`${name}.example.test`])
    assert.equal(visit.status, 200)
  }
})
