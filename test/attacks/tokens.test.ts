/** The list `jwtTampering` through the whole gateway. What a token must hold is judged in test/bearer; here: what follows. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import { corpus } from '../support/corpus.ts'
import { forge, generateSigningKey, type SigningKey } from '../support/rogue-provider.ts'
import { ask, type HeaderLine } from './wire.ts'
import { navigation, openWorld, request, type World } from './world.ts'

let world: World
let session: string
let attacker: SigningKey
let honest: { header: string; payload: string; signature: string; claims: Record<string, unknown> }
before(async () => {
  const routes = '  - { allow: signedIn, accept: [session, bearer], upstream: "{upstream}" }'
  world = await openWorld({ routes, more: 'bearer: [{ issuer: "{issuer}", audience: api }]' })
  session = await world.signIn()
  attacker = await generateSigningKey()
  const [header, payload, signature] = (await world.rogue.accessToken()).split('.') as [string, string, string]
  honest = { header, payload, signature, claims: JSON.parse(Buffer.from(payload, 'base64url').toString()) }
})
after(() => world.close())

const key = () => world.rogue.keys[0]!
const withAlg = (alg: unknown, signature = honest.signature) => forge({ alg, kid: key().kid }, honest.claims, signature)
const withClaims = (...changes: object[]) =>
  Promise.all(changes.map((change) => world.rogue.accessToken({ ...change })))
const mac = (secret: Buffer | string) => {
  const input = withAlg('HS256', '').slice(0, -1)
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
const published = () => createPublicKey({ key: { ...key().jwk }, format: 'jwk' })
const signRaw = async (header: string, payload: string) => {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', key().privateKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}
const text = () => JSON.stringify(honest.claims)
const header = () => JSON.stringify({ alg: 'RS256', kid: key().kid, typ: 'JWT' })

const attacks: Record<string, () => readonly string[] | Promise<readonly string[]>> = {
  'alg-none': () => [withAlg('none', '')],
  'alg-none-case': () => ['nOnE', 'NONE', 'None'].map((alg) => withAlg(alg, '')),
  'alg-none-with-sig': () => [withAlg('none')],
  'alg-null': () => [null, [], {}].map((alg) => withAlg(alg)),
  'alg-confusion-hs256': () => [mac(published().export({ type: 'spki', format: 'pem' }))],
  'alg-confusion-hs256-der': () => [
    mac(published().export({ type: 'spki', format: 'der' })),
    mac(JSON.stringify(key().jwk)),
    mac(Buffer.from(String(key().jwk.n), 'base64url')),
  ],
  'alg-not-allowed': () => ['PS512', 'ES384', 'RS1'].map((alg) => withAlg(alg)),
  'alg-vs-key': () => [withAlg('ES256')],
  'alg-vs-jwk-alg': () => [withAlg('PS256')],
  'sig-empty': () => [withAlg('RS256', '')],
  'sig-truncated': () => [withAlg('RS256', honest.signature.slice(0, -4))],
  'kid-traversal': () => Promise.all([world.rogue.accessToken({}, { kid: '../../../../dev/null' })]),
  'kid-unknown': () => Promise.all([world.rogue.accessToken({}, {}, attacker)]),
  jku: () => Promise.all([world.rogue.accessToken({}, { jku: `${world.rogue.issuer}/evil` }, attacker)]),
  'jwk-embedded': () => Promise.all([world.rogue.accessToken({}, { jwk: attacker.jwk, kid: undefined }, attacker)]),
  'typ-at': () => withClaims({ nonce: 'n' }, { typ: 'ID' }),
  'typ-refresh': () => withClaims({ typ: 'Refresh' }, { typ: 'Offline' }),
  'iss-wrong': () => withClaims({ iss: `${world.rogue.issuer}2` }),
  'iss-slash': () => withClaims({ iss: `${world.rogue.issuer}/` }),
  'aud-wrong': () => withClaims({ aud: 'other' }),
  'aud-substring': () => withClaims({ aud: 'api-2' }, { aud: 'ap' }),
  'sub-missing': () => withClaims({ sub: undefined }),
  'exp-past': () => withClaims({ exp: world.rogue.now() - 300 }),
  'cnf-ignored': () => withClaims({ cnf: { jkt: 'x' } }),
  'dup-claims': async () => [await signRaw(header(), text().replace('{', '{"sub":"mallory",'))],
  'dup-header': async () => [await signRaw(header().replace('{', '{"alg":"none",'), text())],
  'json-garbage': async () => [await signRaw(header(), 'x'), await signRaw(header(), '[]'), await signRaw('{', text())],
  parts: () => ['a', 'a.b', 'a.b.c.d', '.', '..', `${honest.header}.${honest.payload}.${honest.signature}.`],
  'size-huge': () => [forge({ alg: 'RS256' }, { ...honest.claims, pad: 'x'.repeat(17_000) }, honest.signature)],
}

test('every name is one of the corpus, and every alg-* is here', () => {
  const known = corpus.jwtTampering.map(({ name }) => name)
  for (const name of Object.keys(attacks)) assert.ok(known.includes(name), name)
  for (const name of known.filter((each) => each.startsWith('alg-'))) assert.ok(name in attacks, name)
})

for (const [name, forgeAll] of Object.entries(attacks)) {
  test(`${name}: 401 invalid_token at every door, the upstream untouched, nothing of the token in the log`, async () => {
    const lines = world.log().length
    for (const token of await forgeAll()) {
      const headers: HeaderLine[] = [['Authorization', `Bearer ${token}`]]
      const asks = [
        request('/x', { headers }),
        request('/x', { headers: [...headers, ...navigation], cookie: session }),
        request('/x', { headers, cookie: session, method: 'POST' }),
      ]
      for (const asked of asks) {
        const { result, seen } = await world.watch(() => ask(world.port, asked))
        assert.deepEqual([result.status, seen.length], [401, 0], token.slice(0, 200))
        assert.match(result.all('www-authenticate').join(), /^Bearer .*error="invalid_token"/)
        assert.equal(result.header('location'), undefined)
        assert.equal(result.header('set-cookie'), undefined)
      }
      for (const gateway of gatewayWires) {
        const asked = gateway.ask({ uri: '/x', headers, cookies: [session] })
        assert.equal((await ask(world.forwardAuthPort, asked)).status, 401, gateway.name)
      }
      const said = JSON.stringify(world.log().slice(lines))
      for (const part of token.split('.').filter((each) => each.length > 20)) assert.ok(!said.includes(part))
    }
    assert.deepEqual(world.errors(), [])
  })
}

test('the honest token does pass', async () => {
  const headers: HeaderLine[] = [['Authorization', `Bearer ${await world.rogue.accessToken()}`]]
  assert.equal((await ask(world.port, request('/x', { headers }))).status, 200)
})
