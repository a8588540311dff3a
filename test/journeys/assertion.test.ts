/** The signed statement of who it is: an application checks it with nothing but our public keys. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { minutes, seconds } from '../support/clock.ts'
import { routesTo, signedIn, startGateway, type TestGateway } from '../support/gateway.ts'

const header = 'x-auth-assertion'
const assertion = { lifetime: '2m' }

const lastOf = ({ application }: TestGateway): string | undefined =>
  application.last().headers[header] as string | undefined

const verify = (gateway: TestGateway, jwt: string, audience: string) =>
  jwtVerify(jwt, createRemoteJWKSet(new URL(gateway.own('jwks.json'))), {
    issuer: gateway.origin,
    audience,
    algorithms: ['ES256'],
    currentDate: new Date(gateway.clock.now()),
  })

describe('in proxy mode', () => {
  test('says who it is, for this application, for two minutes; it is made anew for the same session', async (t) => {
    const gateway = await startGateway(t, { config: { assertion } })
    const browser = await signedIn(gateway)
    const first = lastOf(gateway)!
    const { payload } = await verify(gateway, first, gateway.origin)
    assert.equal(payload.sub, application(gateway).headers['x-auth-subject'])
    assert.equal(payload.preferred_username, 'ada')
    assert.deepEqual(payload.groups, String(application(gateway).headers['x-auth-groups']).split(','))
    assert.equal(payload.exp! - payload.iat!, 120)
    assert.ok(typeof payload.sid === 'string' && payload.sid.length > 20)
    assert.equal(payload.idp, gateway.issuer)

    await browser.fetch(`${gateway.origin}/x`)
    assert.equal(lastOf(gateway), first, 'the same one while it is fresh')
    gateway.clock.move(61 * seconds)
    await browser.fetch(`${gateway.origin}/x`)
    assert.notEqual(lastOf(gateway), first)
    assert.equal(decodeJwt(lastOf(gateway)!).sid, payload.sid)
    await verify(gateway, lastOf(gateway)!, gateway.origin)
    gateway.clock.move(2 * minutes)
    await assert.rejects(verify(gateway, first, gateway.origin), /exp/)
  })

  test('one of another route is for another audience; a public route carries none, and nobody brings their own', async (t) => {
    const gateway = await startGateway(t, {
      config: ({ application }) => ({
        assertion,
        routes: [
          { path: '/grafana/*', allow: 'signedIn', assertionAudience: 'grafana', upstream: application },
          ...routesTo(application),
        ],
      }),
    })
    const browser = await signedIn(gateway)
    const general = lastOf(gateway)!
    await browser.fetch(`${gateway.origin}/grafana/`)
    await verify(gateway, lastOf(gateway)!, 'grafana')
    await assert.rejects(verify(gateway, general, 'grafana'), /aud/)
    for (const name of [header, 'X_Auth_Assertion', 'X-AUTH-ASSERTION', 'x.auth.assertion']) {
      await browser.fetch(`${gateway.origin}/public/`, { headers: { [name]: general } })
      assert.deepEqual(
        Object.keys(application(gateway).headers).filter((own) => own.replaceAll(/[._]/g, '-') === header),
        [],
      )
      await browser.fetch(`${gateway.origin}/x`, { headers: { [name]: 'mine' } })
      assert.equal(lastOf(gateway), general)
    }
  })

  test('for a bearer token it ends with the token, and names no session', async (t) => {
    const gateway = await startGateway(t, { config: { assertion: { ...assertion, lifetime: '5m' } } })
    const token = await gateway.idp.mintAccessToken('ada', { audience: 'api', expiresIn: 90 })
    await gateway.browser().fetch(`${gateway.origin}/api/`, { headers: { authorization: `Bearer ${token}` } })
    const { payload } = await verify(gateway, lastOf(gateway)!, gateway.origin)
    assert.equal(payload.exp, decodeJwt(token).exp)
    assert.equal(payload.sid, undefined)
  })
})

test('in forward-auth mode it is on every 200, empty where nobody is known', async (t) => {
  const gateway = await startGateway(t, {
    config: { assertion, forwardAuth: '127.0.0.1:0', trustedProxies: ['127.0.0.1/32'] },
  })
  const browser = await signedIn(gateway)
  const ask = (uri: string, cookie?: string) =>
    fetch(new URL('/auth/traefik', gateway.server.addresses.forwardAuth), {
      headers: {
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': new URL(gateway.origin).host,
        'x-forwarded-uri': uri,
        [header]: 'mine',
        ...(cookie !== undefined && { cookie }),
      },
    })
  const known = await ask('/x', browser.cookies.header(new URL(gateway.origin)))
  assert.equal(known.status, 200)
  await verify(gateway, known.headers.get(header)!, gateway.origin)
  for (const uri of ['/public/x', '/optional/x']) {
    const answer = await ask(uri)
    assert.deepEqual([answer.status, answer.headers.get(header)], [200, ''])
  }
})

test('a header of another name is the gateway’s own too', async (t) => {
  const gateway = await startGateway(t, { config: { assertion: { header: 'Who-Is-It' } } })
  const browser = await signedIn(gateway)
  for (const name of ['who-is-it', 'Who_Is_It', 'who.is.it']) {
    await browser.fetch(`${gateway.origin}/public/`, { headers: { [name]: 'mine' } })
    assert.ok(!Object.values(application(gateway).headers).includes('mine'), name)
  }
  await browser.fetch(`${gateway.origin}/x`, { headers: { who_is_it: 'mine' } })
  await verify(gateway, String(application(gateway).headers['who-is-it']), gateway.origin)
})

test('without `assertion` nothing is signed and nothing is published; the keys hold no private part', async (t) => {
  const plain = await startGateway(t)
  await signedIn(plain)
  assert.equal(lastOf(plain), undefined)
  assert.equal((await fetch(plain.own('jwks.json'))).status, 404)
  const signing = await startGateway(t, { config: { assertion } })
  const answer = await fetch(signing.own('jwks.json'))
  assert.match(answer.headers.get('cache-control') ?? '', /max-age=3600/)
  const { keys } = (await answer.json()) as { keys: Record<string, string>[] }
  assert.equal(keys.length, 3)
  for (const key of keys) assert.equal(key.d, undefined)
})

const application = ({ application }: TestGateway) => application.last()
