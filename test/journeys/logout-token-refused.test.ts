/** Logout tokens that must change nothing. With backchannel-logout.test.ts every case of the corpus, by its name. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { clientId, type TestGateway } from '../support/gateway.ts'
import {
  accepted,
  claimsOf,
  formOf,
  isSignedIn,
  logoutEvent,
  openLogoutWorld,
  post,
  postToken,
} from '../support/logout-world.ts'
import { forge, generateSigningKey, type Json } from '../support/rogue-provider.ts'

const { provider, other, gatewayOf, signIn, signed, close } = await openLogoutWorld()
after(close)
// Published by the provider, and not among the algorithms it says it signs with.
const unlisted = await generateSigningKey('PS384')
provider.keys.push(unlisted)

type Bad = (gateway: TestGateway) => Promise<string> | string
const bad =
  (claims: Json, header?: Json): Bad =>
  async () =>
    formOf(await signed({ sid: 'sid-1', ...claims }, header))

/** Bodies that must change nothing, and what the answer says of them. */
const refused: Record<string, readonly (readonly [Bad, RegExp])[]> = {
  'alg-none': [
    [
      () => formOf(forge({ alg: 'none', typ: 'logout+jwt' }, claimsOf(provider, { sid: 'sid-1' }), 'AAAA')),
      /key|algorithm|verify/,
    ],
    [() => formOf(forge({ alg: 'none', typ: 'logout+jwt' }, claimsOf(provider, { sid: 'sid-1' }), '')), /not a JWT/],
  ],
  'wrong-alg': [
    [async () => formOf(await signed({ sid: 'sid-1' }, {}, unlisted)), /the algorithm is not allowed/],
    [async () => formOf(await signed({ sid: 'sid-1' }, { kid: 'unknown' }, await generateSigningKey())), /key/],
    [
      async () =>
        formOf(await signed({ sid: 'sid-1' }, {}, { ...(await generateSigningKey()), kid: provider.keys[0]!.kid })),
      /signature/,
    ],
  ],
  'wrong-aud': [
    [bad({ aud: 'another' }), /invalid audience: expected gateway, got another/],
    [bad({ aud: [clientId, 'another'] }), /invalid audience/],
    [bad({ aud: undefined }), /invalid audience: expected gateway, got none/],
    [bad({ iss: 'https://evil.example' }), /invalid issuer: expected .*, got https:\/\/evil\.example/],
  ],
  'no-event': [[bad({ events: undefined }), /events/]],
  'wrong-event': [
    [bad({ events: { 'http://schemas.openid.net/event/other': {} } }), /events/],
    [bad({ events: { [logoutEvent]: true } }), /events/],
    [bad({ events: { [logoutEvent]: [] } }), /events/],
    [bad({ events: [logoutEvent] }), /events/],
  ],
  'with-nonce': [
    [bad({ nonce: 'n' }), /nonce/],
    [bad({ nonce: null }), /nonce/],
  ],
  'no-jti': [
    [bad({ jti: undefined }), /jti/],
    [bad({ jti: 7 }), /jti/],
  ],
  'no-iat': [
    [bad({ iat: undefined }), /iat/],
    [bad({ iat: 'now' }), /iat/],
  ],
  'iat-old': [
    [async () => formOf(await signed({ sid: 'sid-1', iat: provider.now() - 700, exp: undefined })), /iat/],
    [async () => formOf(await signed({ sid: 'sid-1', iat: provider.now() + 300 })), /iat is \d+ s in the future/],
  ],
  expired: [
    [async () => formOf(await signed({ sid: 'sid-1', exp: provider.now() - 31 })), /expired/],
    [bad({ exp: 'never' }), /exp/],
  ],
  'id-token-as-logout': [
    [bad({ events: undefined, typ: 'ID', nonce: 'n' }, { typ: 'JWT' }), /typ/],
    [bad({}, { typ: 'at+jwt' }), /typ/],
    [bad({ typ: 'Bearer' }), /typ/],
  ],
  'dup-param': [
    [async () => `${formOf(await signed({ sid: 'sid-1' }))}&${formOf(await signed({ sid: 'sid-1' }))}`, /twice/],
  ],
  empty: [
    [() => '', /logout_token is missing/],
    [() => 'logout_token=', /logout_token is missing/],
    [() => 'logout_token=a.b.c', /not a JWT/],
    [bad({ sid: undefined }), /sid/],
    [bad({ sid: '' }), /sid/],
    [bad({}, { cty: 'JWT' }), /cty/],
  ],
}

test('what is no logout token of the provider for us is 400, says why, and ends nothing', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  for (const [name, cases] of Object.entries(refused)) {
    for (const [body, why] of cases) {
      const answer = await post(gateway, await body(gateway))
      const told = `${name}: ${answer.text}`
      assert.equal(answer.status, 400, told)
      assert.match(answer.text, why, told)
      assert.equal(JSON.parse(answer.text).error, 'invalid_request', told)
      assert.equal(answer.headers.get('cache-control'), 'no-store', told)
      assert.equal(await isSignedIn(gateway, browser), true, told)
    }
  }
  assert.ok(gateway.lines().some(({ msg }) => msg === 'back-channel logout refused'))
})

test('GET is 405, ten megabytes are 413, another content type is 400 (get, huge)', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  const asked = await fetch(`${gateway.own('backchannel-logout')}?${formOf(await signed({ sid: 'sid-1' }))}`)
  assert.deepEqual([asked.status, asked.headers.get('allow')], [405, 'POST'])
  const huge = await post(gateway, `logout_token=${'a'.repeat(10 * 1024 * 1024)}`).catch(() => undefined)
  assert.ok(huge === undefined || huge.status === 413, String(huge?.status))
  const json = JSON.stringify({ logout_token: await signed({ sid: 'sid-1' }) })
  assert.equal((await post(gateway, json, 'application/json')).status, 400)
  assert.equal(await isSignedIn(gateway, browser), true)
})

test('a sid of one issuer is nothing to another, and one provider cannot speak for the other (cross-tenant)', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  await accepted(gateway, await signed({ sid: 'sid-1', sub: 'alice-id' }, {}, other.keys[0], other))
  const jti = randomUUID()
  await accepted(gateway, await signed({ sub: 'alice-id', jti }, {}, other.keys[0], other))
  await accepted(gateway, await signed({ sid: 'sid-2', jti }))
  const forged = await postToken(gateway, await signed({ sid: 'sid-1' }, {}, other.keys[0]))
  assert.equal(forged.status, 400)
  assert.equal(await isSignedIn(gateway, browser), true)
})

test('unknown keys make one fetch in half a minute, however many come', async (t) => {
  const gateway = await gatewayOf(t)
  await accepted(gateway, await signed({ sid: 'x' }))
  const fetched = provider.calls.jwks
  for (let i = 0; i < 5; i++) {
    const token = await signed({ sid: 'sid-1' }, { kid: `made-up-${i}` }, await generateSigningKey('ES256'))
    assert.equal((await postToken(gateway, token)).status, 400)
  }
  assert.ok(provider.calls.jwks <= fetched + 1, `${provider.calls.jwks - fetched} fetches`)
})

const elsewhere = [
  'ok-sid',
  'ok-sub',
  'ok-both',
  'replay-jti',
  'typ-missing',
  'get',
  'huge',
  'cross-tenant',
  'redis-down',
  'race-with-refresh',
  'cookie-session-mode',
]

test('no case of the corpus is forgotten', () => {
  assert.deepEqual(
    [...Object.keys(refused), ...elsewhere].toSorted(),
    corpus.backchannelLogout.map(({ name }) => name).toSorted(),
  )
})
