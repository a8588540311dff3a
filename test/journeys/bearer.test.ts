/** API clients: a token is the whole answer, and the challenge says what to do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes } from '../proxy/gateway.ts'
import { routesTo, signedIn, startGateway } from '../support/gateway.ts'

describe('a route that accepts session and bearer', () => {
  test('takes either, whatever the case of the scheme', async (t) => {
    const gateway = await startGateway(t)
    const client = gateway.browser()
    const token = await gateway.idp.mintAccessToken('bob', { audience: 'api' })
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const visit = await client.fetch(`${gateway.origin}/api/x`, { headers: { authorization: `${scheme} ${token}` } })
      assert.equal(visit.status, 200, scheme)
      const { headers } = gateway.application.last()
      assert.equal(headers['x-auth-user'], 'bob')
      assert.equal(headers['x-auth-groups'], '/staff')
      assert.equal(headers.authorization, undefined, 'a token is not handed on')
    }
    assert.equal((await (await signedIn(gateway)).fetch(`${gateway.origin}/api/x`)).status, 200)
    const posted = await client.fetch(`${gateway.origin}/api/x`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '{}',
    })
    assert.equal(posted.status, 200, 'no cookie, no question of origin')
  })

  test('never makes a bad token good by the cookie beside it', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    const expired = await gateway.idp.mintAccessToken('ada', { audience: 'api', expiresIn: -60 })
    const foreign = await gateway.idp.mintAccessToken('ada', { audience: 'other' })
    for (const token of ['', 'x', 'a.b.c', expired, foreign]) {
      const visit = await browser.fetch(`${gateway.origin}/api/x`, { headers: { authorization: `Bearer ${token}` } })
      assert.equal(visit.status, 401, token.slice(0, 20))
      assert.match(visit.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/)
    }
    assert.equal((await browser.fetch(`${gateway.origin}/api/x`)).status, 200)
    const basic = await browser.fetch(`${gateway.origin}/api/x`, { headers: { authorization: 'Basic YTpi' } })
    assert.equal(basic.status, 200, 'another scheme is not ours to judge')
  })

  test('a navigation with a bad token gets the challenge too, never a redirect', async (t) => {
    const gateway = await startGateway(t)
    const visit = await gateway
      .browser()
      .navigate(`${gateway.origin}/api/x`, { headers: { authorization: 'Bearer x' }, follow: 0 })
    assert.equal(visit.status, 401)
    assert.equal(visit.headers.get('location'), null)
  })

  test('says what differs, without the token', async (t) => {
    const gateway = await startGateway(t)
    const claims: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [
        { iss: 'https://other.example' },
        /invalid issuer: expected http:\/\/localhost:\d+, got .?https:\/\/other\.example/,
      ],
      [{ aud: 'other' }, /invalid audience: expected .?api/],
      [{ exp: 1 }, /expired/],
    ]
    for (const [change, expected] of claims) {
      const token = await gateway.idp.mintAccessToken('ada', { audience: 'api', claims: change })
      const headers = { authorization: `Bearer ${token}` }
      const visit = await gateway.browser().fetch(`${gateway.origin}/api/x`, { headers })
      assert.equal(visit.status, 401)
      assert.match(JSON.parse(visit.body).message, expected)
      assert.match(visit.headers.get('www-authenticate') ?? '', /error_description="/)
      assert.ok(!gateway.logText().includes(token.split('.')[2]!))
    }
  })

  test('names both ways in to nobody', async (t) => {
    const gateway = await startGateway(t)
    const visit = await gateway.browser().fetch(`${gateway.origin}/api/x`)
    assert.equal(visit.status, 401)
    assert.match(
      visit.headers.get('www-authenticate') ?? '',
      /^Bearer realm="[^"]+", Session realm="doorward", login_url=/,
    )
    assert.doesNotMatch(
      visit.headers.get('www-authenticate') ?? '',
      /error=/,
      'RFC 6750 3.1: no error where no token came',
    )
  })

  test('answers two Authorization headers with 400', async (t) => {
    const gateway = await startGateway(t)
    const token = await gateway.idp.mintAccessToken('ada', { audience: 'api' })
    const head = `GET /api/x HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n`
    const two = `Authorization: Bearer ${token}\r\nAuthorization: Basic YTpi\r\n`
    const answer = await exchangeBytes(gateway.port, `${head}${two}Connection: close\r\n\r\n`)
    assert.match(answer.text, /^HTTP\/1\.1 400 /)
    assert.equal(gateway.application.received.length, 0)
  })
})

test('a token does not open a route that accepts sessions alone', async (t) => {
  const gateway = await startGateway(t)
  const token = await gateway.idp.mintAccessToken('ada', { audience: 'api' })
  const visit = await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(visit.status, 401)
  assert.doesNotMatch(visit.headers.get('www-authenticate') ?? '', /Bearer/)
})

test('a route for tokens alone challenges people too, and a missing scope is named', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ application }) => ({
      routes: [
        { path: '/only/*', allow: { scopes: ['api.write'] }, accept: ['bearer'], upstream: application },
        ...routesTo(application),
      ],
    }),
  })
  const person = await (await signedIn(gateway)).navigate(`${gateway.origin}/only/x`)
  assert.equal(person.status, 401)
  const token = await gateway.idp.mintAccessToken('ada', { audience: 'api' })
  const headers = { authorization: `Bearer ${token}` }
  const visit = await gateway.browser().fetch(`${gateway.origin}/only/x`, { headers })
  assert.equal(visit.status, 403)
  assert.match(visit.headers.get('www-authenticate') ?? '', /error="insufficient_scope".*scope="api\.write"/)
})

test('groups that a token lacks come from userinfo, asked once for all its requests', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ issuer }) => ({ bearer: [{ issuer, audience: 'api', userinfo: true }] }),
  })
  gateway.idp.fail(500, ['userinfo'])
  const token = await gateway.idp.mintAccessToken('ada', { audience: 'api', claims: { groups: undefined } })
  const headers = { authorization: `Bearer ${token}` }
  const ask = () => gateway.browser().fetch(`${gateway.origin}/api/x`, { headers })
  const down = await ask()
  assert.equal(down.status, 503, 'closed while it cannot be known')
  gateway.idp.fail(undefined)
  const before = gateway.idp.counts.userinfo
  const visits = await Promise.all(Array.from({ length: 20 }, ask))
  // The provider knows no such token of its own making: userinfo refuses it, and so do we.
  assert.deepEqual(new Set(visits.map(({ status }) => status)), new Set([401]))
  assert.equal(gateway.idp.counts.userinfo, before + 1)
})
