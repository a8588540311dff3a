/** Ingress annotations and registered URIs of oauth2-proxy, kept during a move: `compatibility: oauth2-proxy`. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask, type HeaderLine, type RawAnswer } from '../attacks/wire.ts'
import { cookiesOf, host, navigation, openWorld, origin, request, type World } from '../attacks/world.ts'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import { corpus } from '../support/corpus.ts'

const routes = `
  - { path: /public/*, allow: public }
  - { path: /optional/*, allow: optional }
  - { path: /admin/*, allow: { groups: [/admins] } }
  - { allow: signedIn, upstream: "{upstream}" }
`
const api = '  - { path: /api/*, allow: signedIn, accept: [bearer] }'
let world: World
before(async () => {
  world = await openWorld({
    routes: `\n${api}${routes}`,
    more: 'compatibility: oauth2-proxy\nbearer: [{ issuer: "{issuer}", audience: api }]',
  })
  world.rogue.person = {
    ...world.rogue.person,
    groups: ['/staff', '/ops'],
    email: 'ada@example.com',
    email_verified: true,
  }
})
after(() => world.close())

const get = (target: string, cookie?: string, headers: readonly HeaderLine[] = navigation) =>
  ask(world.port, request(target, { headers, ...(cookie !== undefined && { cookie }) }))
const rd = (value: string) => `rd=${encodeURIComponent(value.toWellFormed())}`

/** `/oauth2/start`, the provider, `/oauth2/callback`. */
async function throughStart(query: string, headers: readonly HeaderLine[] = navigation): Promise<RawAnswer> {
  const left = await get(`/oauth2/start${query}`, undefined, headers)
  assert.equal(left.status, 302, left.body)
  const to = new URL(left.header('location')!)
  assert.equal(to.searchParams.get('redirect_uri'), `${origin}/oauth2/callback`)
  const back = world.rogue.authorize(to)
  assert.equal(back.pathname, '/oauth2/callback')
  return get(back.pathname + back.search, cookiesOf(left))
}

const signIn = async (): Promise<string> => cookiesOf(await throughStart('?rd=/'))

/** The subrequest that ingress-nginx makes for its `auth-url`. */
const nginx = gatewayWires.find(({ name }) => name === 'nginx')!
function asked(uri: string, more: { query?: string; cookie?: string; headers?: readonly HeaderLine[] } = {}) {
  const cookies = more.cookie === undefined ? [] : [more.cookie]
  const question = nginx.ask({ uri, cookies, headers: more.headers ?? navigation })
  return ask(world.forwardAuthPort, { ...question, target: `/oauth2/auth${more.query ?? ''}` })
}

describe('sign-in', () => {
  test('start, the registered callback, and back to where ingress-nginx sent them from', async () => {
    const end = await throughStart(`?${rd(`${origin}/wiki/page?a=1&b=2#there`)}`)
    assert.deepEqual([end.status, end.header('location')], [303, `${origin}/wiki/page?a=1&b=2#there`])
  })

  test('sign_in leads there too, and shows a page first where the file says so', async (t) => {
    assert.equal((await get('/oauth2/sign_in?rd=/x')).status, 302)
    const asking = await openWorld({ routes, more: 'compatibility: oauth2-proxy\nlogin: { auto: false }' })
    t.after(() => asking.close())
    const page = await ask(asking.port, request('/oauth2/sign_in?rd=/x', { headers: navigation }))
    assert.equal(page.status, 200)
    assert.match(page.body, /href="[^"]*\/oauth2\/login\?provider=default/)
    const started = await ask(asking.port, request('/oauth2/start?rd=/x', { headers: navigation }))
    assert.equal(started.status, 302, 'start is past the page')
  })

  test('a person who is signed in already is sent on', async () => {
    const answer = await get('/oauth2/start?rd=/x', await signIn())
    assert.deepEqual([answer.status, answer.header('location')], [303, `${origin}/x`])
  })

  test('no address of the corpus that is not ours is returned to', async () => {
    const self = corpus.openRedirectSelf.map((value) => value.replaceAll('{AUTH}', '/oauth2'))
    const session = await signIn()
    for (const value of [...corpus.openRedirect, ...self]) {
      assert.equal((await throughStart(`?${rd(value)}`)).header('location'), `${origin}/`, JSON.stringify(value))
      for (const page of ['start', 'sign_in']) {
        const sent = await get(`/oauth2/${page}?${rd(value)}`, session)
        assert.equal(sent.header('location'), `${origin}/`, `${page} ${JSON.stringify(value)}`)
      }
    }
    for (const value of corpus.openRedirectAllowed) {
      assert.equal((await throughStart(`?${rd(value)}`)).header('location'), new URL(value, origin).href, value)
    }
    assert.deepEqual(world.errors(), [])
  })

  test('X-Auth-Request-Redirect of the proxy in front counts, of anybody else not, and only for our own addresses', async () => {
    const saying = (value: string): HeaderLine[] => [...navigation, ['X-Auth-Request-Redirect', value]]
    assert.equal((await throughStart('', saying('/wiki?a=1'))).header('location'), `${origin}/wiki?a=1`)
    assert.equal((await throughStart('?rd=/mine', saying('/wiki'))).header('location'), `${origin}/mine`)
    for (const value of corpus.openRedirect.filter((each) => /^[\x21-\x7e]+$/.test(each))) {
      assert.equal((await throughStart('', saying(value))).header('location'), `${origin}/`, value)
    }
    const raw = request('/oauth2/start', { headers: saying('/wiki') })
    const stranger = await ask(world.port, raw, { from: '127.0.0.9' })
    const back = world.rogue.authorize(new URL(stranger.header('location')!))
    assert.equal((await get(back.pathname + back.search, cookiesOf(stranger))).header('location'), `${origin}/`)
  })
})

describe('sign_out', () => {
  test('ends the session here and at the provider, and lands at an rd of ours', async () => {
    const session = await signIn()
    const left = await get(`/oauth2/sign_out?${rd('/bye?a=1')}`, session)
    const provider = new URL(left.header('location')!)
    assert.equal(provider.origin, new URL(world.rogue.issuer).origin)
    assert.equal(provider.searchParams.get('post_logout_redirect_uri'), `${origin}/oauth2/signed-out`)
    assert.equal((await get('/oauth2/userinfo', session)).status, 401, 'a copied cookie is dead')
    const state = encodeURIComponent(provider.searchParams.get('state')!)
    const end = await get(`/oauth2/signed-out?state=${state}`)
    assert.deepEqual([end.status, end.header('location')], [303, `${origin}/bye?a=1`])
  })

  test('never leads to a foreign rd, nor to ourselves', async () => {
    for (const value of [...corpus.openRedirect, '/oauth2/sign_out', '/oauth2/start?rd=/']) {
      const left = new URL((await get(`/oauth2/sign_out?${rd(value)}`)).header('location')!)
      assert.equal(left.origin, origin)
      const page = await get(left.pathname + left.search)
      assert.deepEqual([page.status, page.header('location')], [200, undefined], JSON.stringify(value))
      assert.doesNotMatch(page.body, /evil/)
    }
  })

  test('a link of another site is asked first, its form refused', async () => {
    const session = await signIn()
    const foreign: HeaderLine[] = navigation.map(([name, value]) => [
      name,
      name === 'Sec-Fetch-Site' ? 'cross-site' : value,
    ])
    const page = await get('/oauth2/sign_out?rd=/bye', session, foreign)
    assert.equal(page.status, 200)
    assert.match(page.body, /name="next" value="back"/)
    const form: HeaderLine[] = [
      ['Origin', 'https://evil.example'],
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ['Content-Length', '6'],
    ]
    const posted = await ask(
      world.port,
      request('/oauth2/sign_out', { method: 'POST', headers: form, cookie: session, body: 'rd=%2F' }),
    )
    assert.equal(posted.status, 403)
    assert.equal((await get('/oauth2/userinfo', session)).status, 200)
  })
})

test('userinfo says who it is in their words, and never a token', async () => {
  assert.equal((await get('/oauth2/userinfo')).status, 401)
  const answer = await get('/oauth2/userinfo', await signIn())
  const { person } = world.rogue
  assert.deepEqual(JSON.parse(answer.body), {
    user: person.sub,
    email: 'ada@example.com',
    groups: ['/staff', '/ops'],
    preferredUsername: person.preferred_username ?? person.sub,
  })
  assert.equal(answer.header('cache-control'), 'no-store')
})

describe('auth', () => {
  test('202 with X-Auth-Request-*, 401 without a session, 403 for who may not, and nobody spoofs', async () => {
    const session = await signIn()
    const spoofed: HeaderLine[] = [
      ...navigation,
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Email', 'root@example.com'],
    ]
    const yes = await asked('/wiki', { cookie: session, headers: spoofed })
    assert.equal(yes.status, 202)
    assert.equal(yes.header('x-auth-request-user'), world.rogue.person.sub)
    assert.equal(yes.header('x-auth-request-email'), 'ada@example.com')
    assert.equal(yes.header('x-auth-request-groups'), '/staff,/ops')
    assert.equal(yes.header('set-cookie'), undefined)
    const no = await asked('/wiki', { headers: spoofed })
    assert.equal(no.status, 401)
    assert.equal(no.header('x-auth-request-user'), undefined)
    assert.equal((await asked('/admin/x', { cookie: session })).status, 403)
    assert.equal((await asked('/public/x', { headers: spoofed })).header('x-auth-request-user'), '')
    assert.equal((await asked('/public/../wiki')).status, 403)
    assert.equal((await asked('/oauth2/start')).status, 403, 'our own pages are never asked about')
  })

  test('200 where the file says so, 401 for every gateway, asked by its headers alone', async (t) => {
    for (const gateway of ['traefik', 'caddy', 'haproxy', 'nginx-gateway']) {
      const more = `compatibility: { product: oauth2-proxy, gateway: ${gateway}, authStatus: 200 }`
      const other = await openWorld({ routes, more, rogue: world.rogue })
      t.after(() => other.close())
      const wire = gatewayWires.find(({ name }) => name === gateway)!
      const put = (uri: string, headers: readonly HeaderLine[]) =>
        ask(other.forwardAuthPort, { ...wire.ask({ uri, headers }), target: '/oauth2/auth' })
      assert.equal((await put('/public/x', navigation)).status, 200, gateway)
      assert.equal((await put('/wiki', navigation)).status, 401, gateway)
      // A header of another gateway is the client's own: this one does not overwrite it.
      const claimed: HeaderLine[] = [
        ['X-Original-URL', `${origin}/public/x`],
        ['X-Original-Method', 'GET'],
      ]
      assert.equal((await put('/wiki', [...navigation, ...claimed])).status, 401, gateway)
    }
  })

  test('what the auth-url asks beyond the file is asked too', async () => {
    const session = await signIn()
    const status = async (query: string, uri = '/wiki', cookie: string | undefined = session) =>
      (await asked(uri, { query, ...(cookie !== undefined && { cookie }) })).status
    for (const query of [
      '?allowed_groups=/ops',
      '?allowed_groups=/x,/staff',
      '?allowed_emails=ADA@example.com',
      '?allowed_email_domains=example.com',
      '?allowed_groups=/ops&allowed_email_domains=example.com',
      '?a=1',
    ]) {
      assert.equal(await status(query), 202, query)
    }
    for (const query of [
      '?allowed_groups=/admins',
      '?allowed_groups=/op',
      '?allowed_groups=',
      '?allowed_groups=,',
      '?allowed_groups=/admins&allowed_groups=/ops',
      '?allowed_groups=/ops&allowed_emails=bob@example.com',
      '?allowed_emails=*',
      '?allowed_email_domains=ample.com',
      '?allowed_email_domains=evil.com',
      '?allowed_group=/ops',
      '?allowed_roles=x',
      '?allowed_constructor=x',
    ]) {
      assert.equal(await status(query), 403, query)
    }
    const signedOut = await asked('/wiki', { query: '?allowed_groups=/ops' })
    assert.equal(signedOut.status, 401)
    assert.equal(await status('?allowed_groups=/ops', '/admin/x'), 403, 'the file still counts')
    assert.equal((await asked('/public/x', { query: '?allowed_groups=/ops' })).status, 403)
    assert.equal((await asked('/optional/x', { query: '?allowed_groups=/ops' })).status, 403)
  })

  test('and of somebody whose proof has to be looked at first', async () => {
    const status = async (query: string) => {
      const token = await world.rogue.accessToken({ jti: query })
      return (await asked('/api/x', { query, headers: [['Authorization', `Bearer ${token}`]] })).status
    }
    assert.equal(await status('?allowed_groups=/staff'), 202)
    assert.equal(await status('?allowed_groups=/admins'), 403)
  })

  test('a stranger is turned away before a header is read', async () => {
    const question = nginx.ask({ uri: '/wiki', cookies: [await signIn()] })
    const answer = await ask(world.forwardAuthPort, { ...question, target: '/oauth2/auth' }, { from: '127.0.0.9' })
    assert.equal(answer.status, 403)
  })

  test('is never on the public listener, whoever asks', async () => {
    const session = await signIn()
    for (const target of [
      '/oauth2/auth',
      '/oauth2/auth?allowed_groups=/ops',
      '/oauth2/auth/',
      '/oauth2/%61uth',
      '/oauth2/AUTH',
    ]) {
      const { result, seen } = await world.watch(() => get(target, session))
      assert.equal(result.status, 404, target)
      assert.equal(result.header('x-auth-request-user'), undefined)
      assert.deepEqual(seen, [], 'nor does it reach an application')
    }
  })
})

test('under no spelling does an own page reach an application', async () => {
  const session = await signIn()
  for (const target of [
    '/oauth2/callback?code=x&state=y',
    '/oauth2/nothing',
    '/oauth%32/callback?code=x',
    `http://${host}/oauth2/sign_out`,
  ]) {
    const { seen } = await world.watch(() => get(target, session))
    assert.deepEqual(seen, [], target)
  }
  const { seen } = await world.watch(() => get('/oauth2ish', session))
  assert.equal(seen.length, 1, 'an address that only begins alike is the application’s')
})

test('without the switch nothing of it exists', async (t) => {
  const plain = await openWorld({ routes, rogue: world.rogue })
  t.after(() => plain.close())
  const session = await plain.signIn()
  const { seen } = await plain.watch(async () => {
    await ask(plain.port, request('/oauth2/sign_out?rd=/', { headers: navigation, cookie: session }))
    const asked = nginx.ask({ uri: '/wiki', cookies: [session] })
    assert.equal((await ask(plain.forwardAuthPort, { ...asked, target: '/oauth2/auth' })).status, 404)
  })
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['/oauth2/sign_out?rd=/'],
    'such a page is the application’s',
  )
})
